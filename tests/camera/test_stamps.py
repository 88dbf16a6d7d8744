"""Laws of frame times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.stamps import Stamps, check_times, complete, frame_time_ns, index_times
from core.errors import SourceError

FRAMERATES = st.floats(0.5, 1000.0)
INDICES = st.integers(0, 10_000_000)


@given(INDICES, FRAMERATES)
def test_a_time_is_within_half_a_ns_of_the_exact_one(index: int, framerate: float) -> None:
    exact = Fraction(index) * 10**9 / Fraction(framerate)
    # index * 1e9 is exact below 2**53; above, and in the division, a double is good to 2**-53 of the value each.
    assert abs(frame_time_ns(index, framerate) - exact) <= Fraction(1, 2) + exact * Fraction(2, 2**53)


@given(INDICES, FRAMERATES)
def test_times_strictly_increase(index: int, framerate: float) -> None:
    assert frame_time_ns(index, framerate) < frame_time_ns(index + 1, framerate)


@given(st.integers(1, 300), FRAMERATES)
def test_the_array_is_the_function(n_frames: int, framerate: float) -> None:
    assert index_times(n_frames, framerate).tolist() == [frame_time_ns(k, framerate) for k in range(n_frames)]


@pytest.mark.parametrize(("framerate", "second"), [(15.0, 66_666_667), (30.0, 33_333_333), (100.0, 10_000_000)])
def test_the_second_frame(framerate: float, second: int) -> None:
    assert index_times(2, framerate).tolist() == [0, second]


def test_whole_seconds_do_not_drift() -> None:
    assert frame_time_ns(15 * 60 * 45, 15.0) == 45 * 60 * 10**9


@pytest.mark.parametrize(("third", "word"), [(5, "stand still"), (4, "go backwards")])
def test_times_that_do_not_rise_are_named(third: int, word: str) -> None:
    stamps = complete(np.array([0, 5, third]))
    with pytest.raises(SourceError, match=rf"^log\.txt: the time stamps {word} at frame 3 .*; do this$"):
        check_times(stamps, Path("log.txt"), "do this")


def test_rising_times_pass() -> None:
    check_times(complete(np.array([0, 1, 2])), Path("log.txt"), "")


def test_interval_is_the_median() -> None:
    assert complete(np.array([0, 10, 20, 500])).interval_ns(1.0) == 10
    assert complete(np.array([7])).interval_ns(4.0) == 0.25e9


def test_complete_has_no_losses() -> None:
    stamps: Stamps = complete(np.array([3, 4]))
    assert stamps.number.tolist() == [1, 2]
    assert stamps.dropped.tolist() == stamps.sensor_ns.tolist() == [0, 0]
