"""Frames in whole time steps."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InputError
from insilico.ticks import Ticks


def test_15_frames_per_second_are_666_or_667_steps_of_a_tenth_of_a_ms():
    ticks = Ticks(0.1e-3, 15.0)
    steps = [ticks.of_frame(k) for k in range(31)]
    assert {late - early for early, late in pairwise(steps)} == {666, 667}
    assert steps[15] == 10_000
    assert steps[30] == 20_000


@given(dt_us=st.integers(10, 2000), framerate=st.floats(0.5, 200), index=st.integers(0, 10**6))
def test_a_frame_is_the_nearest_step_and_never_drifts(dt_us, framerate, index):
    assume(dt_us * framerate <= 1e6)
    ticks = Ticks(dt_us * 1e-6, framerate)
    exact_ns = index * 1e9 / framerate
    assert abs(ticks.time_ns(ticks.of_frame(index)) - exact_ns) <= ticks.dt_ns / 2 + 1e-6 * exact_ns / 1e3 + 1
    assert ticks.of_frame(index + 1) > ticks.of_frame(index)


@pytest.mark.parametrize(("dt_s", "framerate"), [(0.5e-3, 15.0), (0.1e-3, 29.97), (1e-3, 100.0)])
def test_times_and_steps_are_each_others_inverse(dt_s, framerate):
    ticks = Ticks(dt_s, framerate)
    for tick in (0, 1, 133, 10**7):
        assert ticks.at(ticks.time_ns(tick)) == tick
        assert ticks.at(ticks.time_ns(tick) + ticks.dt_ns // 2 - 1) == tick


@pytest.mark.parametrize(
    ("dt_s", "framerate", "said"),
    [
        (1e-7, 15.0, "0.1 us; give 1 us or more"),
        (1e-3 / 3, 15.0, "whole ns"),
        (0.1, 15.0, "longer than a frame at 15 frames/s"),
    ],
)
def test_a_step_that_cannot_be_used_is_refused(dt_s, framerate, said):
    with pytest.raises(InputError, match=said):
        Ticks(dt_s, framerate)
