"""Vasomotion is a rhythm, hyperaemia follows activity, and neither depends on how time is cut."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from insilico.haemodynamics import Haemodynamics, HaemodynamicSettings


def make(seed=1, **changes):
    return Haemodynamics(HaemodynamicSettings(**changes), np.random.default_rng(seed))


@pytest.fixture(scope="module")
def spectrum():
    """Frequency (Hz) and power (per Hz) of 30 000 s of vasomotion, by 146 segments of 205 s."""
    dt, length = 0.2, 1024
    blood = make()
    trace = np.array([blood.step(dt, 0.0) for _ in range(146 * length)]).reshape(-1, length)
    window = np.hanning(length)
    power = (np.abs(np.fft.rfft(trace * window)) ** 2).mean(axis=0) * 2 * dt / (window**2).sum()
    return np.fft.rfftfreq(length, dt), power


def test_vasomotion_peaks_at_its_frequency_with_its_width(spectrum):
    hz, power = spectrum
    assert hz[power.argmax()] == pytest.approx(0.1, abs=0.011)
    above = hz[power > power.max() / 2]
    assert above[-1] - above[0] == pytest.approx(0.04, abs=0.015)
    assert (np.diff(above) < 0.006).all()


def test_vasomotion_is_smooth_and_has_the_stated_size(spectrum):
    hz, power = spectrum
    assert power[hz > 1].max() < 1e-3 * power.max()
    assert math.sqrt(power.sum() * hz[1]) == pytest.approx(0.01, rel=0.05)


def test_vasomotion_is_stationary_from_the_first_moment():
    crowd = [make(seed) for seed in range(3000)]
    for dt in (0.0, 0.05, 3.0, 40.0):
        swings = np.array([blood.step(dt, 0.0) for blood in crowd])
        assert swings.std() == pytest.approx(0.01, rel=0.05)
        assert abs(swings.mean()) < 5 * 0.01 / math.sqrt(3000)


def parts(dt, blood):
    """Return what a step does to the mean and adds to the covariance of the oscillator."""
    stride = blood._stride(dt)
    draw = np.array([[stride.draw[0], 0], stride.draw[1:]])
    return np.array(stride.move).reshape(2, 2), draw @ draw.T


@given(st.floats(1e-3, 30), st.floats(1e-3, 30))
def test_two_steps_of_vasomotion_are_one_step(first, second):
    blood = make()
    (move_1, cov_1), (move_2, cov_2), (move, cov) = (parts(dt, blood) for dt in (first, second, first + second))
    assert move_2 @ move_1 == pytest.approx(move, abs=1e-10)
    assert move_2 @ cov_1 @ move_2.T + cov_2 == pytest.approx(cov, abs=1e-10)


def test_a_step_of_no_time_changes_nothing():
    blood = make()
    before = blood.step(0.3, 0.02)
    assert blood.step(0.0, 5.0) == pytest.approx(before, abs=1e-15)


@given(st.lists(st.floats(1e-4, 2), min_size=1, max_size=8), st.floats(-1, 1))
def test_hyperaemia_does_not_depend_on_how_time_is_cut(steps, activity):
    blood = make(hyperaemia_peak_s=1.0, hyperaemia_gain=0.5)
    for dt in steps:
        blood.step(dt, activity)
    x = sum(steps) / 0.5
    expected = 0.5 * activity * (1 - math.exp(-x) * (1 + x + x**2 / 2))
    assert blood.hyperaemia == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("peak_s", [0.8, 1.2, 2.5])
def test_the_response_to_a_burst_peaks_when_the_settings_say_and_then_ends(peak_s):
    blood = make(vasomotion_sd=0.0, hyperaemia_peak_s=peak_s)
    trace = np.array([blood.step(0.01, 1.0 if number == 0 else 0.0) for number in range(2500)])
    assert (trace.argmax() + 1) * 0.01 == pytest.approx(peak_s, abs=0.02)
    assert (trace >= 0).all()
    assert trace[-1] < 1e-3 * trace.max()
    # The area is that of the burst times the gain: lasting activity brings gain times activity.
    assert trace.sum() == pytest.approx(0.2 * 1.0, rel=0.01)


def test_lasting_activity_brings_the_gain():
    blood = make(vasomotion_sd=0.0)
    for _ in range(300):
        last = blood.step(1 / 15, 0.05)
    assert last == pytest.approx(0.2 * 0.05, rel=1e-3)


def test_blood_is_both_parts():
    blood = make()
    value = blood.step(0.5, 0.1)
    assert value == blood.vasomotion + blood.hyperaemia
    assert blood.vasomotion != 0
    assert blood.hyperaemia > 0


def test_a_seed_gives_the_same_blood_and_another_seed_another():
    first, again, other = ([blood.step(0.1, 0.01) for _ in range(20)] for blood in (make(1), make(1), make(2)))
    assert first == again
    assert first != other


@pytest.mark.parametrize(("dt", "activity"), [(-0.1, 0.0), (math.nan, 0.0), (math.inf, 0.0), (0.1, math.nan)])
def test_a_step_that_cannot_be_is_refused_and_leaves_the_state(dt, activity):
    blood = make()
    before = blood.step(0.1, 0.3)
    with pytest.raises(ValueError, match=f"a step of {dt} s with activity {activity}; give"):
        blood.step(dt, activity)
    assert blood.vasomotion + blood.hyperaemia == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vasomotion_sd", -0.1),
        ("vasomotion_hz", 0.0),
        ("vasomotion_width_hz", math.nan),
        ("hyperaemia_gain", math.inf),
        ("hyperaemia_peak_s", 0.0),
    ],
)
def test_settings_refuse_nonsense_in_one_line(name, value):
    with pytest.raises(InputError, match=f"^haemodynamics: {name} is {value}; give [^\n]*$"):
        HaemodynamicSettings(**{name: value})
