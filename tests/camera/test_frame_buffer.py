"""Laws of the buffer between grabber and loop: nothing is lost without being counted, in the order in which it came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.driver import Grabbed, Lost
from camera.frame_buffer import FrameBuffer
from core.errors import CameraError
from core.values import Frame, Report

SHAPE = (2, 3, 3)
FPS = 100.0
PERIOD_NS = 10_000_000
CAUSES = ("transport", "incomplete", "")


def grabbed(mark: int, time_ns: int, lost: int = 0, cause: str = "") -> Grabbed:
    return Grabbed(np.full(SHAPE, mark % 251, np.uint8), time_ns, mark, lost, cause)


put = st.tuples(st.just("put"), st.integers(0, 3), st.sampled_from(CAUSES), st.integers(-1, 3))
take = st.tuples(st.just("take"))
ends = st.tuples(st.just("resume"))


@given(st.lists(st.one_of(put, put, take, ends), max_size=60), st.integers(2, 5))
def test_every_frame_is_read_or_counted(acts: list[tuple], size: int) -> None:
    buffer = FrameBuffer(SHAPE, "uint8", size, FPS)
    now, marks, lost, taken = 100 * PERIOD_NS, 0, 0, []
    story: list[str | int] = []  # what takes the numbers: a cause, or a frame by its mark
    newest = 0
    for act in acts:
        if act[0] == "put":
            now += act[3] * PERIOD_NS
            marks += 1
            lost += act[1]
            story += [act[2] or "driver"] * act[1]
            if now > newest:
                newest = now
                story.append(marks)
            if act[1] and act[2] == "incomplete":
                buffer.lose(Lost(act[1], act[2], now))
                buffer.put(grabbed(marks, now))
            else:
                buffer.put(grabbed(marks, now, act[1], act[2]))
        elif act[0] == "resume":
            buffer.resume(now, "lost")
        else:
            taken.append(read(buffer))
        assert not buffer.waiting or buffer.lost_since == ()
    while taken.append(read(buffer)) or taken[-1] is not None:
        pass
    frames = [frame for frame in taken if frame is not None]
    check_order(frames)
    counts = buffer.counts
    assert len(frames) + counts.get("late", 0) + counts.get("repeat", 0) == marks
    named = sum(n for cause, n in counts.items() if cause not in ("late", "repeat", "lost_camera"))
    assert named == lost
    # Numbers account for all that is not a repeat; what is known to be lost after the last frame shows with the next.
    since = buffer.lost_since
    buffer.put(grabbed(0, now + 100 * PERIOD_NS))
    last = read(buffer)
    assert last is not None
    assert since == tuple(run for run in last.lost if run[0] != "lost_camera")
    check_causes([*frames, last], [*story, 0])
    unseen = sum(n for cause, n in buffer.counts.items() if cause != "repeat")
    assert last.number == len(frames) + 1 + unseen


def check_order(frames: list[Frame]) -> None:
    number = time_ns = sensor_ns = 0
    for frame in frames:
        assert frame.number == number + frame.dropped + 1
        assert frame.time_ns > time_ns
        assert frame.sensor_ns > sensor_ns
        assert np.all(frame.image == frame.sensor_ns % 251)
        number, time_ns, sensor_ns = frame.number, frame.time_ns, frame.sensor_ns


def check_causes(frames: list[Frame], story: list[str | int]) -> None:
    """Each number has the cause that took it, or its frame; the loop may have lost a frame that was there."""
    told: list[str | int] = []
    for frame in frames:
        assert sum(count for _, count in frame.lost) == frame.dropped
        told += [cause for cause, count in frame.lost for _ in range(count)]
        told.append(frame.sensor_ns)
    told = [each for each in told if each != "lost_camera"]
    assert len(told) == len(story)
    for each, was in zip(told, story, strict=True):
        assert each == was or (each == "late" and isinstance(was, int))


def read(buffer: FrameBuffer) -> Frame | None:
    """Return the oldest frame, after a look that it is not written to while it is in hand."""
    frame = buffer.take(0.0)
    return None if frame is None else frame._replace(image=frame.image.copy())


def test_an_image_in_hand_survives_any_number_of_frames() -> None:
    buffer = FrameBuffer(SHAPE, "uint8", 2, FPS)
    buffer.put(grabbed(1, PERIOD_NS))
    held = buffer.take(0.0)
    assert held is not None
    for mark in range(2, 20):
        buffer.put(grabbed(mark, mark * PERIOD_NS))
        assert np.all(held.image == 1)
    after = buffer.take(0.0)
    assert after is not None
    assert (after.number, after.dropped, after.lost) == (18, 16, (("late", 16),))
    assert buffer.counts == {"late": 16}


def test_reports_are_one_per_cause_and_look() -> None:
    buffer = FrameBuffer(SHAPE, "uint8", 2, FPS)
    for mark in range(1, 8):
        buffer.put(grabbed(mark, mark * PERIOD_NS, *((2, "transport") if mark in (3, 5) else ())))
    assert buffer.take_reports() == (Report(PERIOD_NS, "drop", "5 late"), Report(3 * PERIOD_NS, "drop", "4 transport"))
    assert buffer.take_reports() == ()
    buffer.put(grabbed(9, 7 * PERIOD_NS))
    assert buffer.take_reports() == (Report(7 * PERIOD_NS, "drop", "1 repeat"),)


def test_a_lost_camera_leaves_a_gap_reckoned_from_time() -> None:
    buffer = FrameBuffer(SHAPE, "uint8", 4, FPS)
    buffer.put(grabbed(1, PERIOD_NS))
    error = CameraError("gone")
    buffer.fail(error, 3 * PERIOD_NS)
    assert read(buffer) is not None
    for _ in range(2):
        with pytest.raises(CameraError, match="gone"):
            buffer.take(0.0)
    buffer.resume(4 * PERIOD_NS, "no frames came")
    assert buffer.take(0.0) is None
    buffer.put(grabbed(2, 11 * PERIOD_NS + 100))
    frame = read(buffer)
    assert frame is not None
    assert (frame.number, frame.dropped, frame.lost) == (11, 9, (("lost_camera", 9),))
    assert buffer.counts == {"lost_camera": 9}
    assert buffer.take_reports() == (
        Report(3 * PERIOD_NS, "camera_lost", "gone"),
        Report(11 * PERIOD_NS + 100, "camera_back", "9 frames missed"),
        Report(11 * PERIOD_NS + 100, "drop", "9 lost_camera"),
    )
