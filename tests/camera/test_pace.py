"""The pace at which offline frames are given out, on a virtual clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.pace import Paced
from core.clock import VirtualClock
from core.errors import CameraError, CameraTimeout
from core.ports import EndOfSource
from core.values import Frame

MS = 1_000_000


class Listed:
    """A camera that delivers a list of (number, time_ns, dropped), always in the same memory."""

    frame_shape = (2, 2, 3)
    frame_dtype = "uint8"

    def __init__(self, rows: list[tuple[int, int, int]]) -> None:
        self.rows = list(rows)
        self.expected_frames = len(rows)
        self.closed = 0
        self._image = np.zeros(self.frame_shape, np.uint8)

    def start(self) -> None:
        pass

    def read(self, timeout_s: float) -> Frame:
        if not self.rows:
            raise EndOfSource
        number, time_ns, dropped = self.rows.pop(0)
        self._image[:] = number
        lost = (("recording", dropped),) if dropped else ()
        return Frame(self._image, number, time_ns, dropped, sensor_ns=number * 1000, lost=lost)

    def close(self) -> None:
        self.closed += 1


def even(n: int, step_ns: int = 10 * MS, begin_ns: int = 77) -> list[tuple[int, int, int]]:
    return [(k + 1, begin_ns + k * step_ns, 0) for k in range(n)]


def started(rows: list[tuple[int, int, int]], ring: int = 4) -> tuple[Paced, VirtualClock]:
    clock = VirtualClock(start_ns=5_000 * MS)
    camera = Paced(Listed(rows), clock, ring)
    camera.start()
    return camera, clock


def test_each_frame_comes_when_it_is_due() -> None:
    camera, clock = started(even(5))
    for k in range(5):
        frame = camera.read(1.0)
        assert clock.now_ns() == frame.time_ns == (5_000 + 10 * k) * MS
        assert (frame.number, frame.dropped, frame.sensor_ns) == (k + 1, 0, (k + 1) * 1000)
        assert frame.image[0, 0, 0] == k + 1


def test_a_reader_that_keeps_up_within_the_ring_loses_nothing() -> None:
    camera, clock = started(even(6))
    camera.read(1.0)
    clock.advance(40 * MS)  # frames 2, 3, 4 and 5 are due: the ring is full
    frames = [camera.read(1.0) for _ in range(4)]
    assert [(f.number, f.dropped, int(f.image[0, 0, 0])) for f in frames] == [(k, 0, k) for k in (2, 3, 4, 5)]
    assert clock.now_ns() == 5_040 * MS
    assert camera.read(1.0).number == 6


def test_a_late_reader_loses_the_oldest_frames() -> None:
    camera, clock = started(even(20))
    camera.read(1.0)
    clock.advance(105 * MS)  # frames 2 to 11 are due, 8 to 11 still wait
    frames = [camera.read(1.0) for _ in range(5)]
    assert [(frame.number, frame.dropped) for frame in frames] == [(8, 6), (9, 0), (10, 0), (11, 0), (12, 0)]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [8, 9, 10, 11, 12]
    assert frames[0].time_ns == 5_070 * MS


@pytest.mark.parametrize(("late_ns", "first", "lost"), [(-1, 2, 0), (0, 3, 1)])
def test_a_frame_due_at_this_very_moment_takes_its_place_in_the_ring(late_ns: int, first: int, lost: int) -> None:
    camera, clock = started(even(6))
    camera.read(1.0)
    clock.advance(50 * MS + late_ns)  # frame 6, the fifth for a ring of 4, is due now, or in 1 ns
    frames = [camera.read(1.0) for _ in range(7 - first)]
    assert [(f.number, f.dropped) for f in frames] == [(k, lost * (k == first)) for k in range(first, 7)]
    assert clock.now_ns() == 5_050 * MS


def test_a_frame_due_when_the_timeout_ends_is_delivered() -> None:
    camera, clock = started([(1, 0, 0), (2, 1_000 * MS, 0), (3, 2_000 * MS + 1, 0)])
    camera.read(1.0)
    assert camera.read(1.0).number == 2
    with pytest.raises(CameraTimeout):
        camera.read(1.0)
    assert camera.read(1.0).time_ns == clock.now_ns() == 7_000 * MS + 1


def test_recorded_losses_and_ours_add_up() -> None:
    camera, clock = started([(1, 0, 0), (4, 30, 2), (5, 40, 0), (8, 70, 2), (9, 80, 0)], ring=2)
    camera.read(1.0)
    clock.advance(100)
    frames = [camera.read(1.0), camera.read(1.0)]
    assert [(frame.number, frame.dropped) for frame in frames] == [(8, 6), (9, 0)]
    assert frames[0].lost == (("recording", 2), ("late", 2), ("recording", 2))


def test_the_end_comes_after_the_frames_that_wait() -> None:
    camera, clock = started(even(3))
    clock.advance(1_000 * MS)
    assert [camera.read(1.0).number for _ in range(3)] == [1, 2, 3]
    for _ in range(2):
        with pytest.raises(EndOfSource):
            camera.read(1.0)


def test_a_frame_further_away_than_the_timeout() -> None:
    camera, clock = started([(1, 0, 0), (2, 3_000 * MS, 0)])
    camera.read(1.0)
    for slept in (1, 2):
        with pytest.raises(CameraTimeout, match=r"no frame within 1 s: .*camera_timeout_s"):
            camera.read(1.0)
        assert clock.now_ns() == (5_000 + slept * 1_000) * MS
    assert camera.read(1.0).time_ns == clock.now_ns() == 8_000 * MS


def test_time_before_start_does_not_count() -> None:
    clock = VirtualClock()
    camera = Paced(Listed(even(2)), clock)
    clock.advance(60_000 * MS)
    camera.start()
    assert camera.read(1.0).time_ns == clock.now_ns()


def test_an_empty_source_ends_at_once() -> None:
    camera, _ = started([])
    with pytest.raises(EndOfSource):
        camera.read(1.0)


def test_closing_closes_the_source_once() -> None:
    source = Listed(even(2))
    camera = Paced(source, VirtualClock())
    camera.close()
    camera.close()
    assert source.closed == 1
    with pytest.raises(CameraError):
        camera.start()


def test_a_ring_needs_room() -> None:
    with pytest.raises(ValueError, match="ring_frames is 0"):
        Paced(Listed([]), VirtualClock(), ring_frames=0)


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 2)), min_size=1, max_size=40),
    st.lists(st.integers(0, 400), max_size=60),
    st.integers(1, 5),
)
def test_every_frame_is_delivered_in_time_order_or_counted(
    steps: list[tuple[int, int]], delays: list[int], ring: int
) -> None:
    """``steps``: time since the frame before, and recorded losses; ``delays``: what the reader does between reads."""
    rows, number, time_ns = [], 0, 0
    for step, lost in steps:
        number, time_ns = number + lost + 1, time_ns + step
        rows.append((number, time_ns, lost))
    camera, clock = started(rows, ring)
    waits = iter(delays)
    last_number, last_time = 0, 0
    shift = 5_000 * MS - rows[0][1]
    recorded = {number: time_ns for number, time_ns, _ in rows}
    causes: list[tuple[int, str]] = []
    while True:
        try:
            frame = camera.read(1.0)
        except EndOfSource:
            break
        assert frame.number == last_number + frame.dropped + 1
        assert frame.time_ns > last_time
        assert frame.time_ns == recorded[frame.number] + shift <= clock.now_ns()
        last_number, last_time = frame.number, frame.time_ns
        causes += [(frame.number - frame.dropped + k, cause) for k, cause in enumerate(expanded(frame))]
        clock.advance(next(waits, 0))
    assert last_number == rows[-1][0]
    assert all(cause == ("late" if number in recorded else "recording") for number, cause in causes)
    assert len(causes) == len({number for number, _ in causes})


def expanded(frame: Frame) -> list[str]:
    """Return the cause of each number that was lost before a frame."""
    causes = [cause for cause, count in frame.lost for _ in range(count)]
    assert len(causes) == frame.dropped
    return causes
