"""Laws of the oscillator: no jump, no phase error, exact silence, and the same samples in whatever blocks."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.loudness import GainTable
from hardware.oscillator import Oscillator, Voice, as_int16

RATES = st.sampled_from([44_100, 48_000, 96_000])
TABLES = st.sampled_from([GainTable(), GainTable((1000.0, 19_000.0), (-12.0, 0.0))])
OSCILLATORS = st.builds(
    Oscillator, RATES, st.floats(0.01, 1), st.floats(0.0005, 0.02), TABLES
)  # fmt: skip
TONES = st.one_of(st.just(0.0), st.floats(20, 19_500))
PLANS = st.lists(st.tuples(TONES, st.integers(1, 700)), min_size=1, max_size=8)
"""Tones and how many samples each lasts; often less than its ramp."""


def play(oscillator, plan):
    """Render a plan; return the samples and the voice at its end."""
    voice, parts = Voice(), []
    for freq, count in plan:
        voice, samples = oscillator.render(oscillator.retune(voice, freq), count)
        parts.append(samples)
    return np.concatenate(parts), voice


@given(OSCILLATORS, PLANS)
def test_no_sample_is_louder_than_loudness_and_none_jumps(oscillator, plan):
    samples, _ = play(oscillator, plan)
    assert np.abs(samples).max() <= oscillator.loudness * (1 + 1e-12)
    highest = max(freq for freq, _ in plan)
    slope = 2 * math.pi * highest / oscillator.rate_hz + math.pi / 2 / oscillator.ramp_samples
    assert np.abs(np.diff(samples, prepend=0.0)).max() <= oscillator.loudness * slope * (1 + 1e-9)


@given(OSCILLATORS, PLANS, st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_blocks_do_not_change_the_samples(oscillator, plan, blocks):
    whole, _ = play(oscillator, plan)
    voice, parts, sizes = Voice(), [], itertools.cycle(blocks)
    for freq, count in plan:
        voice = oscillator.retune(voice, freq)
        while count:
            size = min(count, next(sizes))
            voice, samples = oscillator.render(voice, size)
            parts.append(samples)
            count -= size
    assert (np.concatenate(parts) == whole).all()


@given(OSCILLATORS, PLANS)
def test_silence_is_exact_zeros_after_one_ramp(oscillator, plan):
    _, voice = play(oscillator, plan)
    voice = oscillator.retune(voice, 0.0)
    voice, fading = oscillator.render(voice, oscillator.ramp_samples)
    assert oscillator.is_silent(voice)
    assert not oscillator.render(voice, 5000)[1].any()
    assert np.abs(fading).max() <= oscillator.loudness * (1 + 1e-12)


@given(OSCILLATORS, st.floats(20, 19_500), st.floats(20, 19_500), st.integers(1, 10_000))
def test_phase_goes_on_at_a_step(oscillator, first, second, count):
    """The phase of sample n + k is n steps of the first frequency and k of the second, to a billionth of a turn."""
    flat = Oscillator(oscillator.rate_hz, oscillator.loudness, oscillator.ramp_s)
    voice, _ = flat.render(flat.retune(Voice(), first), flat.ramp_samples + count)
    samples = flat.render(flat.retune(voice, second), 200)[1]
    turns = (first * (flat.ramp_samples + count) + second * np.arange(200)) / flat.rate_hz
    assert samples == pytest.approx(flat.loudness * np.sin(2 * math.pi * turns), abs=1e-7)


def test_a_tone_of_an_hour_keeps_its_phase():
    oscillator = Oscillator(48_000, 1.0, 0.005)
    hour = 3600 * 48_000
    voice = oscillator.retune(Voice(), 1000.0)
    later, _ = oscillator.render(Voice(voice.phase, voice.step, voice.was, voice.now, hour), 1)
    assert oscillator.render(later, 48)[1] == pytest.approx(np.sin(2 * math.pi * np.arange(1, 49) / 48), abs=1e-8)


@given(OSCILLATORS, st.floats(20, 19_500), st.integers(0, 700))
def test_asking_again_for_what_plays_changes_nothing(oscillator, freq, count):
    voice, _ = oscillator.render(oscillator.retune(Voice(), freq), count)
    assert oscillator.retune(voice, freq) is voice


@given(OSCILLATORS, st.floats(20, 19_500), st.integers(1, 50), st.integers(1, 50))
def test_a_tone_that_is_taken_up_in_mid_ramp_goes_on_from_there(oscillator, freq, up, down):
    voice, _ = oscillator.render(oscillator.retune(Voice(), freq), up)
    voice, _ = oscillator.render(oscillator.retune(voice, 0.0), down)
    before = oscillator.amplitude(voice)
    assert oscillator.amplitude(oscillator.retune(voice, freq)) == pytest.approx(before, abs=1e-9)


def test_gain_of_the_frequency_is_its_amplitude():
    oscillator = Oscillator(48_000, 0.8, 0.005, GainTable((1000.0,), (-20.0,)))
    voice, _ = oscillator.render(oscillator.retune(Voice(), 1000.0), 10_000)
    assert oscillator.amplitude(voice) == pytest.approx(0.08)


@pytest.mark.parametrize("freq", [-1.0, 24_000.0, 1e6, math.nan, math.inf])
def test_what_would_sound_as_another_tone_is_refused(freq):
    with pytest.raises(ValueError, match="another tone"):
        Oscillator(48_000, 0.5, 0.005).retune(Voice(), freq)


def test_int16():
    assert as_int16(np.array([0.0, 1.0, -1.0, 1e-9])).tolist() == [0, 32767, -32767, 0]
    assert as_int16(np.zeros(3)).tobytes() == bytes(6)
