"""The level of one frequency in a recording."""

import math

import numpy as np
import pytest

from session.speaker_levels import level_db

RATE = 48_000


@pytest.mark.parametrize("freq", [1000.0, 2378.4, 19_027.3])
@pytest.mark.parametrize("db", [0.0, -6.0, -40.0])
def test_a_tone_has_its_level_beside_another_and_noise(freq, db):
    n = np.arange(RATE)
    amplitude = 10 ** (db / 20)
    samples = amplitude * np.sin(2 * np.pi * freq / RATE * n + 1) + 0.1
    samples += 0.3 * amplitude * np.sin(2 * np.pi * 3 * freq / RATE * n)
    samples += 0.05 * amplitude * np.random.default_rng(1).standard_normal(RATE)
    assert level_db(samples, RATE, freq) == pytest.approx(db, abs=0.1)


def test_silence_has_no_level():
    assert level_db(np.zeros(100), RATE, 1000.0) == -math.inf
    assert level_db(np.zeros(0), RATE, 1000.0) == -math.inf


def test_a_gap_in_the_recording_does_not_change_the_level():
    """A card that ran out of samples: half a period is missing, and what follows is out of phase."""
    times = np.arange(round(1.2 * RATE)) / RATE
    samples = 0.5 * np.sin(2 * np.pi * 1000.0 * times)
    half = round(RATE / 2000)
    middle = len(samples) // 2
    spoilt = np.concatenate([samples[:middle], np.zeros(500), samples[middle + half :]])
    assert level_db(spoilt, RATE, 1000.0) == pytest.approx(level_db(samples, RATE, 1000.0), abs=0.1)
