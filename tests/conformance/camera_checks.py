"""What every camera must do, as functions: for the cases of test_camera.py, and for real cameras in tests/realtime."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from core.errors import CameraError, CameraTimeout
from core.ports import Camera, EndOfSource, Reconnectable
from core.values import Frame

TIMEOUT_S = 5.0
RECONNECTS = 300


def read_frames(camera: Camera, n_frames: int) -> list[Frame]:
    """Start the camera and return its next frames, each with a copy of its image; fewer if it ends before."""
    camera.start()
    frames = []
    while len(frames) < n_frames:
        try:
            frame = camera.read(TIMEOUT_S)
        except EndOfSource:
            break
        frames.append(frame._replace(image=frame.image.copy()))
    return frames


def reconnect(camera: Reconnectable) -> None:
    """Call ``reconnect`` again while it says that it is not done yet. Raises CameraError as it does."""
    for _ in range(RECONNECTS):
        try:
            return camera.reconnect()
        except CameraTimeout:
            pass
    raise AssertionError(f"reconnect() has not ended after {RECONNECTS} calls")


def check_numbers(frames: list[Frame]) -> None:
    """Numbers rise from 1 at least, and what they leave out is what was dropped."""
    assert frames[0].number >= 1
    for before, frame in pairwise(frames):
        assert frame.number > before.number
        assert frame.number - before.number == frame.dropped + 1


def check_losses(frames: list[Frame]) -> None:
    """Each frame that was lost has a cause, none of them a guess."""
    for frame in frames:
        assert sum(count for _, count in frame.lost) == frame.dropped
        assert all(count > 0 and cause not in ("", "unknown") for cause, count in frame.lost)
        assert all(one[0] != other[0] for one, other in pairwise(frame.lost)), "neighbours of one cause are one run"


def check_times(frames: list[Frame]) -> None:
    """Times strictly increase."""
    assert all(late.time_ns > early.time_ns for early, late in pairwise(frames))


def check_plain_integers(frames: list[Frame]) -> None:
    """Numbers and times are Python's own integers."""
    for frame in frames:
        assert [type(value) for value in frame[1:5]] == [int] * 4
        assert all(type(count) is int for _, count in frame.lost)


def check_images(frames: list[Frame], promised: tuple[tuple[int, int, int], str]) -> None:
    """Shape and dtype are as promised before the start."""
    for frame in frames:
        assert (frame.image.shape, frame.image.dtype.name) == promised
        assert frame.image.flags.c_contiguous


def check_stream(camera: Camera, n_frames: int) -> list[Frame]:
    """All that is asked of the frames of one camera, which is started here; returns them."""
    promised = (camera.frame_shape, camera.frame_dtype)
    frames = read_frames(camera, n_frames)
    assert len(frames) == n_frames
    check_numbers(frames)
    check_losses(frames)
    check_times(frames)
    check_plain_integers(frames)
    check_images(frames, promised)
    return frames


def check_image_stays_until_next_read(camera: Camera, n_frames: int) -> None:
    """What was read stays as it was until the next read, whatever comes meanwhile."""
    camera.start()
    kept = camera.read(TIMEOUT_S)
    before = kept.image.copy()
    for _ in range(n_frames - 1):
        assert np.array_equal(kept.image, before)
        kept = camera.read(TIMEOUT_S)
        before = kept.image.copy()


def check_read_before_start_fails(camera: Camera) -> None:
    """Nothing is to be had before the start."""
    with pytest.raises(CameraError):
        camera.read(TIMEOUT_S)


def check_start_twice_fails(camera: Camera) -> None:
    """A camera is started once."""
    camera.start()
    with pytest.raises(CameraError):
        camera.start()


def check_closes(camera: Camera) -> None:
    """Closing twice is legal; nothing is read or started after it. The camera has been started."""
    camera.read(TIMEOUT_S)
    camera.close()
    camera.close()
    with pytest.raises(CameraError):
        camera.read(TIMEOUT_S)
    with pytest.raises(CameraError):
        camera.start()


def check_closes_unread(camera: Camera) -> None:
    """Closing right after the start is legal, twice."""
    camera.start()
    camera.close()
    camera.close()


def check_closes_unstarted(camera: Camera) -> None:
    """Closing without a start is legal, twice, and the end."""
    camera.close()
    camera.close()
    with pytest.raises(CameraError):
        camera.start()


def check_live_camera(make: Callable[[], Camera], n_frames: int) -> None:
    """All of it, for a real camera that does not end by itself; ``make()`` gives a new one each time."""
    for check in (check_read_before_start_fails, check_start_twice_fails, check_closes_unread, check_closes_unstarted):
        _with_new(make, check)
    _with_new(make, lambda camera: check_image_stays_until_next_read(camera, n_frames))

    def stream_then_close(camera: Camera) -> None:
        assert isinstance(camera, Camera)
        assert camera.expected_frames is None
        check_stream(camera, n_frames)
        check_closes(camera)

    _with_new(make, stream_then_close)


def _with_new(make: Callable[[], Camera], check: Callable[[Camera], None]) -> None:
    camera = make()
    try:
        check(camera)
    finally:
        camera.close()
