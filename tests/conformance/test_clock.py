"""What every clock must do. A new one is one more line in CASES."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.clock
from core.clock import MonotonicClock, VirtualClock
from core.ports import Clock

YEAR_2020_NS = 1_577_836_800_000_000_000
MOMENTS = [0, 1, 999, 10**6, 10**9, 3600 * 10**9]


class Host:
    """Time as an operating system gives it: each look takes 1 us, and sleep may end early."""

    def __init__(self) -> None:
        self.now = 5_000_000_000
        self.slept: list[float] = []

    def monotonic_ns(self) -> int:
        self.now += 1_000
        return self.now

    def time_ns(self) -> int:
        return self.monotonic_ns() + YEAR_2020_NS

    def sleep(self, duration_s: float) -> None:
        self.slept.append(duration_s)
        self.now += max(1, round(duration_s * 0.6e9))


def on_a_host(patch: pytest.MonkeyPatch) -> Clock:
    """Return the host's clock on a time that needs no waiting."""
    host = Host()
    names = {name: getattr(host, name) for name in ("monotonic_ns", "time_ns", "sleep")}
    patch.setattr(core.clock, "time", SimpleNamespace(**names))
    return MonotonicClock()


Make = Callable[[pytest.MonkeyPatch], Clock]
CASES: dict[str, Make] = {"host": on_a_host, "virtual": lambda _patch: VirtualClock()}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return request.param(monkeypatch)


def test_times_are_whole_ns(clock: Clock) -> None:
    assert type(clock.now_ns()) is int
    assert type(clock.wall_ns()) is int
    assert clock.wall_ns() > YEAR_2020_NS


@pytest.mark.parametrize("ahead", MOMENTS)
def test_sleep_ends_at_its_time_or_after_it(clock: Clock, ahead: int) -> None:
    until = clock.now_ns() + ahead
    clock.sleep_until_ns(until)
    assert until <= clock.now_ns() < until + 10**6


@pytest.mark.parametrize("ago", MOMENTS)
def test_a_time_in_the_past_is_not_waited_for(clock: Clock, ago: int) -> None:
    before = clock.now_ns()
    clock.sleep_until_ns(before - ago)
    assert 0 <= clock.now_ns() - before < 10**6


def test_monotonic_and_wall_time_go_at_one_rate(clock: Clock) -> None:
    offset = clock.wall_ns() - clock.now_ns()
    clock.sleep_until_ns(clock.now_ns() + 60 * 10**9)
    assert abs(clock.wall_ns() - clock.now_ns() - offset) < 10**6


@pytest.mark.parametrize("make", CASES.values(), ids=CASES.keys())
@given(steps=st.lists(st.integers(-(10**9), 10**9), max_size=20))
def test_time_never_goes_back(make: Make, steps: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = make(patch)
        last = clock.now_ns()
        for step in steps:
            clock.sleep_until_ns(last + step)
            now = clock.now_ns()
            assert now >= last
            last = now


def test_the_hosts_own_time_is_read() -> None:
    clock = MonotonicClock()
    times = [clock.now_ns() for _ in range(1000)]
    assert times == sorted(times)
    clock.sleep_until_ns(times[0])
    assert clock.wall_ns() > YEAR_2020_NS
