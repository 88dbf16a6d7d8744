"""Times of arrival from the wall clock, which is set while frames come."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from camera import genicam
from camera.arrival_clock import SLACK_NS, ArrivalClock, Reading, read_clocks
from camera.driver import Grabbed
from camera.genicam import GenicamDriver
from camera.genicam_find import Found
from camera.pixel_formats import FORMATS
from camera.settings import CameraSettings

MS = 1_000_000
S = 1_000_000_000
PERIOD = 10 * MS


class TwoClocks:
    """A host's clocks; ``steps`` (from when, ns; by how much) are what is done to the wall clock."""

    def __init__(self, steps: list[tuple[int, int]] | None = None) -> None:
        self.now_ns = 100 * S
        self.steps = steps or []

    def wall_ns(self, at_ns: int) -> int:
        return at_ns + 1_700_000_000 * S + sum(by for since, by in self.steps if at_ns >= since)

    def read(self) -> Reading:
        return Reading(self.now_ns, self.wall_ns(self.now_ns + 300), self.now_ns + 700)


arrivals = st.lists(st.tuples(st.integers(0, 40 * MS), st.integers(0, 300 * MS)), min_size=1, max_size=60)
steps = st.lists(
    st.tuples(st.integers(0, 5 * S), st.one_of(st.integers(-5 * S, 5 * S), st.integers(-50 * MS, 50 * MS))), max_size=3
)


@example([(1239, 164863), (165162, 0)], [(166402, -1700)])
@given(arrivals, steps)
def test_no_time_is_before_the_arrival_or_in_the_future(
    frames: list[tuple[int, int]], changes: list[tuple[int, int]]
) -> None:
    host = TwoClocks([(100 * S + after, by) for after, by in changes])
    clock = ArrivalClock(host.read)
    arrived = looked = host.now_ns
    for apart, held in frames:
        arrived += apart
        host.now_ns = max(host.now_ns, arrived + held)
        # Nobody can see a clock that is set and set back between two looks.
        assume(sum(looked <= since <= host.now_ns + 700 for since, _ in host.steps) <= 1)
        looked = host.now_ns
        told = clock.arrival_ns(host.wall_ns(arrived) // 1000 * 1000)  # as g_get_real_time counts
        # Unseen remain: steps that add up to the slack, the 700 ns of each of two looks, and rounding to 1000 ns.
        assert arrived - SLACK_NS - 2 * 700 - 1000 <= told <= host.now_ns + 700


@given(arrivals)
def test_while_nobody_sets_the_clock_arrivals_are_exact(frames: list[tuple[int, int]]) -> None:
    host = TwoClocks()
    clock = ArrivalClock(host.read)
    arrived = host.now_ns + MS
    for apart, held in frames:
        arrived += apart
        host.now_ns = max(host.now_ns, arrived + held)
        assert clock.arrival_ns(host.wall_ns(arrived)) == pytest.approx(arrived, abs=1000)


@pytest.mark.parametrize("by", [-3600 * S, -S, -20 * MS, 20 * MS, S, 3600 * S])
def test_after_a_step_frames_have_their_arrival_again_at_once(by: int) -> None:
    host = TwoClocks([(100 * S + 55 * MS, by)])
    clock = ArrivalClock(host.read)
    late = []
    for k in range(1, 40):
        arrived = 100 * S + k * PERIOD
        host.now_ns = arrived + 3 * MS
        late.append(clock.arrival_ns(host.wall_ns(arrived)) - arrived)
    assert max(late) <= 3 * MS + 1000
    assert [k for k, error in enumerate(late, 1) if abs(error) > 1000] == [6]  # the one around the step


def test_this_hosts_clocks_are_read_in_order() -> None:
    reading = read_clocks()
    assert reading.before_ns <= reading.after_ns
    assert ArrivalClock().look() >= reading.after_ns


FOUND = Found("Maker-1", "Maker", "Fast", "1", "10.0.0.5")


class OneStream:
    """Stands for Aravis' camera, device and stream, which gives one frame after another, a moment after it came."""

    def __init__(self, host: TwoClocks, held_ns: int) -> None:
        self._host = host
        self._held_ns = held_ns
        self._frame = 0

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self if name in ("get_device", "create_stream") else 0

    def timeout_pop_buffer(self, _: int) -> Any:
        self._frame += 1
        arrived = 100 * S + self._frame * PERIOD
        self._host.now_ns = arrived + self._held_ns
        wall_ns, frame = self._host.wall_ns(arrived), self._frame
        return SimpleNamespace(
            get_system_timestamp=lambda: wall_ns,
            get_timestamp=lambda: 5 * S + frame * PERIOD,
            get_frame_id=lambda: frame,
            get_status=lambda: "whole",
            get_image_width=lambda: 8,
            get_image_height=lambda: 8,
            get_image_data=lambda: bytes(64),
        )


@pytest.mark.parametrize("by", [-3600 * S, -20 * MS, 20 * MS, 700 * MS, 3600 * S])
@pytest.mark.parametrize("held_ns", [0, 2 * MS])
def test_a_genicam_cameras_times_do_not_care_for_the_wall_clock(
    by: int, held_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = TwoClocks([(101 * S + 1 * MS, by)])
    stream = OneStream(host, held_ns)
    aravis = SimpleNamespace(
        Camera=SimpleNamespace(new=lambda _: stream),
        Buffer=SimpleNamespace(new_allocate=lambda _: None),
        BufferStatus=SimpleNamespace(SUCCESS="whole"),
    )
    monkeypatch.setattr(genicam, "load_aravis", lambda: aravis)
    monkeypatch.setattr(genicam, "load_glib", lambda: SimpleNamespace(Error=ZeroDivisionError))
    monkeypatch.setattr(genicam, "discover", lambda _: [FOUND])
    setup = SimpleNamespace(run=lambda: FORMATS["Mono8"], facts={})
    monkeypatch.setattr(genicam, "GenicamSetup", lambda *_: setup)
    driver = GenicamDriver(CameraSettings(resolution=(8, 8), framerate=100.0, shutter_speed=5000), host.read)
    driver.open()
    assert driver.identity == "Maker Fast 1"
    driver.start()
    frames = [driver.grab(0.1) for _ in range(1000)]
    times = [frame.time_ns for frame in frames if isinstance(frame, Grabbed)]
    assert len(times) == 1000
    errors = np.array(times) - (100 * S + PERIOD * np.arange(1, 1001))
    assert np.abs(errors).max() < 2000
