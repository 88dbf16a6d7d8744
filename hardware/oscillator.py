"""The oscillator behind every tone: state and a number of samples in, state and samples out. Pure; no clock, no card.

A phase accumulator of 64 bits makes frequency steps continuous in phase and the samples the same whatever blocks they
are asked for in: integers do not round. Amplitude goes from one value to the next along half a cosine, from wherever it
stands, so that neither start, stop, nor a change of either clicks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardware.loudness import FLAT, GainTable

Samples = npt.NDArray[np.float64]

_TURN = 1 << 64
_DROPPED_BITS = np.uint64(11)
_RAD = 2 * math.pi / (1 << 53)
"""A float64 holds 53 bits: the phase without its lowest 11."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Where the oscillator stands.

    Attributes
    ----------
    phase : int
        Phase at the last change, in 2**-64 turns.
    step : int
        Phase from one sample to the next, in 2**-64 turns.
    was, now : float
        Amplitude at the last change, and the one it goes to.
    since : int
        Samples since the last change.
    """

    phase: int = 0
    step: int = 0
    was: float = 0.0
    now: float = 0.0
    since: int = 0


@dataclass(frozen=True, slots=True)
class Oscillator:
    """One tone at a time.

    Parameters
    ----------
    rate_hz : float
        Samples per second.
    loudness : float
        Largest amplitude, 1 is the card's.
    ramp_s : float
        Time in which the amplitude changes, s.
    gains : GainTable
        How much of ``loudness`` each frequency gets.
    """

    rate_hz: float
    loudness: float
    ramp_s: float
    gains: GainTable = FLAT

    @property
    def ramp_samples(self) -> int:
        """Length of a change of amplitude, samples."""
        return max(1, round(self.ramp_s * self.rate_hz))

    def is_silent(self, voice: Voice) -> bool:
        """Whether nothing but zeros comes until the next ``retune``."""
        return voice.now == 0 and (voice.was == 0 or voice.since >= self.ramp_samples)

    def amplitude(self, voice: Voice) -> float:
        """Return the amplitude of the next sample, 0 to ``loudness``."""
        return float(self._amplitudes(voice, 1)[0])

    def retune(self, voice: Voice, freq_hz: float) -> Voice:
        """Return the voice that goes over to ``freq_hz`` (Hz; 0 is silence) with its next sample.

        Raises ValueError for a frequency of half the sample rate and more, which would sound as another one.
        """
        if not 0 <= freq_hz < self.rate_hz / 2:
            raise ValueError(f"{freq_hz} Hz at {self.rate_hz:g} samples/s sounds as another tone; stay below half")
        if freq_hz == 0:
            step, now = voice.step, 0.0
        else:
            step, now = round(freq_hz / self.rate_hz * _TURN), self.loudness * self.gains.gain(freq_hz)
        if step == voice.step and now == voice.now:
            return voice
        phase = 0 if self.is_silent(voice) else (voice.phase + voice.since * voice.step) % _TURN
        return Voice(phase, step, self.amplitude(voice), now)

    def render(self, voice: Voice, count: int) -> tuple[Voice, Samples]:
        """Return the voice ``count`` samples later, and these samples: (count,) float64, at most ``loudness``."""
        later = Voice(voice.phase, voice.step, voice.was, voice.now, voice.since + count)
        if self.is_silent(voice):
            return later, np.zeros(count)
        begin = (voice.phase + voice.since * voice.step) % _TURN
        turns = np.uint64(begin) + np.arange(count, dtype=np.uint64) * np.uint64(voice.step)
        wave = np.sin((turns >> _DROPPED_BITS).astype(np.float64) * _RAD)
        return later, self._amplitudes(voice, count) * wave

    def _amplitudes(self, voice: Voice, count: int) -> Samples:
        length = self.ramp_samples
        if voice.was == voice.now or voice.since >= length:
            return np.full(count, voice.now)
        done = np.minimum(np.arange(voice.since, voice.since + count), length)
        left = 0.5 + 0.5 * np.cos(done * (math.pi / length))
        # cos(pi) is -1 exactly, so that a ramp ends at its target to the last bit: silence is exact zeros.
        return np.asarray(voice.now + (voice.was - voice.now) * left)


def as_int16(samples: Samples) -> npt.NDArray[np.int16]:
    """Turn samples within -1 and 1 into those of a card; 0 stays 0."""
    rounded: npt.NDArray[np.int16] = np.rint(samples * 32767).astype(np.int16)
    return rounded
