"""Frames lost between two stamps, and the clock that stamps are read from."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.stamps_live import OLDEST_NS, HostClock, clock_of, lost_between

S = 1_000_000_000
INTERVALS = st.integers(1_000_000, 10 * S)

GAPS = {
    "first": (None, 5, 10, 0),
    "next": (100, 110, 10, 0),
    "one lost": (100, 120, 10, 1),
    "late by less than half": (100, 114, 10, 0),
    "late by half": (100, 115, 10, 1),
    "early by less than half": (100, 116, 10, 1),
    "the same again": (100, 100, 10, 0),
    "backwards": (100, 50, 10, 0),
}


@pytest.mark.parametrize(("before", "stamp", "interval", "lost"), GAPS.values(), ids=GAPS.keys())
def test_gaps(before: int | None, stamp: int, interval: int, lost: int) -> None:
    assert lost_between(before, stamp, interval) == lost


@given(st.integers(0, 1000), INTERVALS, st.integers(0, 10 * S), st.data())
def test_jitter_of_less_than_half_an_interval_changes_nothing(
    n: int, interval: int, at: int, data: st.DataObject
) -> None:
    jitter = data.draw(st.integers(-(interval // 2) + 1, interval // 2 - 1))
    assert lost_between(at, at + (n + 1) * interval + jitter, interval) == n


@given(st.lists(st.booleans(), min_size=2, max_size=60), INTERVALS, st.data())
def test_every_lost_frame_is_counted_once(arrives: list[bool], interval: int, data: st.DataObject) -> None:
    """Each stamp may be off by less than a quarter of an interval, so two of them by less than half."""
    off = st.integers(-(interval // 4) + 1, interval // 4 - 1)
    stamps = [k * interval + data.draw(off) for k, comes in enumerate(arrives) if comes]
    got = sum(lost_between(a, b, interval) for a, b in pairwise(stamps))
    shown = [k for k, comes in enumerate(arrives) if comes]
    assert got == (shown[-1] - shown[0] + 1 - len(shown) if shown else 0)


@given(st.integers(0, OLDEST_NS), st.integers(OLDEST_NS, 10**15), st.integers(OLDEST_NS + 1, 10**15))
def test_a_frame_just_taken_tells_its_clock(age: int, now: int, slept: int) -> None:
    assert clock_of(now - age, now, slept) is HostClock.monotonic
    assert clock_of(now + slept - age, now, slept) is HostClock.boottime
    assert clock_of(now + slept + 1, now, slept) is HostClock.none


def test_stamps_of_no_known_clock() -> None:
    assert clock_of(0, 100 * S, 0) is HostClock.none
    assert clock_of(1_700_000_000 * S, 100 * S, 30 * S) is HostClock.none  # time of day
