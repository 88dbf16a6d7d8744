"""Where a tone changes, found in recordings that were made to measure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.tone_onset import onsets

RATE, LOW, HIGH = 48_000, 1000.0, 8000.0


def recording(changes, length, noise=0.0, seed=0, amplitude=0.3, reset=False):
    """Return a phase-continuous recording whose tone changes at these samples, low first."""
    freq = np.full(length, LOW)
    for at in changes:
        freq[at:] = HIGH if freq[at - 1] == LOW else LOW
    samples = amplitude * np.sin(2 * np.pi * np.cumsum(freq) / RATE)
    return samples + noise * np.random.default_rng(seed).standard_normal(length)


@settings(max_examples=40, deadline=None)
@given(
    first=st.integers(3000, 9000),
    held=st.integers(2400, 12_000),
    noise=st.floats(0, 0.05),
    amplitude=st.floats(0.2, 1.0),
    offset=st.floats(-0.5, 0.5),
)
def test_a_change_is_found_to_a_quarter_of_a_millisecond(first, held, noise, amplitude, offset):
    second = first + held + 5000
    samples = recording([first, first + held, second, second + held], second + held + 4000, noise, first, amplitude)
    found = onsets(samples + offset, RATE, LOW, HIGH)
    assert len(found) == 2
    assert np.abs(np.array(found) - [first, second]).max() < RATE * 0.25e-3


@pytest.mark.parametrize("amplitude", [0.0, 0.3])
def test_a_recording_without_the_high_tone_has_none(amplitude):
    assert onsets(recording([], 48_000, 0.01, amplitude=amplitude), RATE, LOW, HIGH) == []
    assert onsets(np.zeros(48_000), RATE, LOW, HIGH) == []
    assert onsets(np.zeros(10), RATE, LOW, HIGH) == []


def test_a_click_is_no_tone():
    samples = recording([20_000, 30_000], 40_000)
    samples[5000:5100] += np.sin(2 * np.pi * HIGH / RATE * np.arange(100))
    [found] = onsets(samples, RATE, LOW, HIGH)
    assert abs(found - 20_000) < 12


def test_a_ramp_of_the_gate_is_met_in_its_middle():
    """From silence, with a raised cosine of 5 ms."""
    samples = np.zeros(48_000)
    ramp = 240
    n = np.arange(20_000)
    gate = np.where(n < ramp, 0.5 - 0.5 * np.cos(np.pi * n / ramp), 1.0)
    samples[20_000:40_000] = gate * np.sin(2 * np.pi * HIGH / RATE * n)
    [found] = onsets(samples, RATE, LOW, HIGH)
    assert abs(found - (20_000 + ramp / 2)) < 24
