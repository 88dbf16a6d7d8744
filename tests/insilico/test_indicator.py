"""The calcium indicator against the kinetics it is said to have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from insilico.indicator import Indicator, IndicatorSettings

GCAMP6S = IndicatorSettings()


def response(dt_s, seconds, spikes=1, settings=GCAMP6S):
    """Return times and dF/F of one cell after ``spikes`` in a step so short that their time is 0."""
    cell = Indicator(settings, 1)
    cell.step(np.array([spikes]), 1e-9)
    values = []
    for _ in range(round(seconds / dt_s)):
        cell.step(np.array([0]), dt_s)
        values.append(cell.dff()[0])
    return dt_s * np.arange(1, len(values) + 1), np.array(values)


def test_one_spike_of_gcamp6s():
    """Chen et al. 2013: peak 23 % after 179 ms, half of it left 550 ms later."""
    times, dff = response(1e-3, 8.0)
    top = dff.argmax()
    assert dff[top] == pytest.approx(0.23, rel=1e-3)
    assert times[top] == pytest.approx(0.179, abs=0.002)
    half = times[top:][np.searchsorted(-dff[top:], -0.5 * dff[top])]
    assert half - times[top] == pytest.approx(0.55, abs=0.005)
    assert dff.sum() * 1e-3 == pytest.approx(GCAMP6S.area_s, rel=1e-3)


@given(dt_s=st.floats(1e-4, 0.1))
def test_between_spikes_the_step_does_not_matter(dt_s):
    steps = round(0.8 / dt_s)
    coarse, fine = Indicator(GCAMP6S, 1), Indicator(GCAMP6S, 1)
    for cell in (coarse, fine):
        cell.step(np.array([3]), 1e-9)
    for _ in range(steps):
        coarse.step(np.array([0]), dt_s)
    fine.step(np.array([0]), steps * dt_s)
    assert coarse.dff()[0] == pytest.approx(fine.dff()[0], rel=1e-9)


def test_a_spike_within_a_beat_is_off_by_less_than_1_percent_of_the_peak():
    """A step of 20 ms knows only that a spike fell into it; over all places it takes the right one on average."""
    beat, fine = 0.02, 1e-3
    many = []
    for place in np.arange(0.5, 20) * fine:
        times, exact = response(fine, 1.0)
        many.append(np.interp(np.arange(1, 40) * beat - place, times, exact, left=0.0))
    cell, coarse = Indicator(GCAMP6S, 1), []
    for k in range(39):
        cell.step(np.array([int(k == 0)]), beat)
        coarse.append(cell.dff()[0])
    assert np.abs(np.array(coarse) - np.mean(many, axis=0)).max() < 0.01 * 0.23


def test_spikes_add_up_and_cells_do_not_meet():
    cells = Indicator(GCAMP6S, 3)
    cells.step(np.array([0, 1, 5]), 0.1)
    none, one, five = cells.dff()
    assert none == 0
    assert five == pytest.approx(5 * one)


def test_a_steady_rate_gives_rate_times_area():
    cell, rng = Indicator(GCAMP6S, 2000), np.random.default_rng(1)
    for _ in range(800):
        cell.step(rng.poisson(5 * 0.01, 2000), 0.01)
    assert cell.dff().mean() == pytest.approx(5 * GCAMP6S.area_s, rel=0.02)


@pytest.mark.parametrize("name", ["peak", "rise_s", "decay_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_settings_refuse_what_is_no_time(name, value):
    with pytest.raises(InputError, match=f"calcium indicator: {name} is"):
        IndicatorSettings(**{name: value})
