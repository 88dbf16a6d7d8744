"""Judges of a captured tone: its frequency, its phase at steps, its samples one by one. They know no oscillator."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal import fftconvolve

_RATE = 48_000


class Segment(NamedTuple):
    """A stretch of one frequency: first sample, the one after its last, and the frequency that was asked for, Hz."""

    begin: int
    end: int
    freq_hz: float


class Piece(NamedTuple):
    """A stretch of a capture that is as it was rendered: ``captured[begin + offset : end + offset]``."""

    begin: int
    end: int
    offset: int


def align(captured, expected, offset):
    """Return the pieces of ``expected`` that were captured sample by sample, in order; one of all of it if no gap.

    ``offset`` is where ``expected`` begins in ``captured``. Behind a gap it is found anew from a second of tones,
    half a second later.
    """
    pieces, begin = [], 0
    while begin < len(expected):
        part = captured[begin + offset : len(expected) + offset]
        wrong = differing(part, expected[begin : begin + len(part)])
        end = begin + (int(wrong[0]) if wrong.size else len(part))
        pieces.append(Piece(begin, end, offset))
        begin = end + _RATE // 2
        pattern = expected[begin : begin + _RATE]
        if end == len(expected) or len(pattern) < _RATE:
            break
        around = captured[begin + offset - _RATE // 2 : begin + offset + 3 * _RATE]
        offset += int(np.argmax(fftconvolve(around, pattern[::-1].astype(float), "valid"))) - _RATE // 2
    return [piece for piece in pieces if piece.end > piece.begin]


def fit(samples, segment, freq_hz):
    """Return complex amplitude at the segment's first sample and the rms of what is left, of a least-squares fit."""
    angle = 2 * np.pi * freq_hz / 48_000 * np.arange(segment.end - segment.begin)
    basis = np.stack([np.cos(angle), -np.sin(angle)], axis=1)
    part = samples[segment.begin : segment.end].astype(float) / 32767
    weights = np.linalg.lstsq(basis, part, rcond=None)[0]
    return complex(*weights), float(np.sqrt(np.mean((part - basis @ weights) ** 2)))


def frequency(samples, segment, rate=48_000):
    """Measure a segment's frequency, Hz: the drift of phase against the frequency that was asked for."""
    part = samples[segment.begin : segment.end].astype(float)
    block = 480
    count = len(part) // block
    carrier = np.exp(-2j * np.pi * segment.freq_hz / rate * np.arange(count * block))
    window = np.hanning(block)
    phases = np.unwrap(np.angle(((part[: count * block] * carrier).reshape(count, block) * window).sum(axis=1)))
    return segment.freq_hz + np.polyfit(np.arange(count) * block / rate, phases, 1)[0] / (2 * np.pi)


def phase_error_deg(samples, before, after, length=960, ramp=240, rate=48_000):
    """Return by how much the phase jumps where ``after`` begins, degrees.

    Fits ``length`` samples on each side, those of ``after`` past its change of amplitude, and follows both to the step.
    """
    left = Segment(before.end - length, before.end, before.freq_hz)
    right = Segment(after.begin + ramp, after.begin + ramp + length, after.freq_hz)
    at_left = np.angle(fit(samples, left, before.freq_hz)[0]) + 2 * np.pi * before.freq_hz * length / rate
    at_right = np.angle(fit(samples, right, after.freq_hz)[0]) - 2 * np.pi * after.freq_hz * ramp / rate
    return abs(float(np.degrees(np.angle(np.exp(1j * (at_right - at_left))))))


def differing(captured, expected):
    """Return the samples that differ by more than the last bit."""
    return np.flatnonzero(np.abs(captured.astype(int) - expected.astype(int)) > 1)


def largest_jump(samples):
    """Return the largest step from one sample to the next, of a full scale of 1."""
    return float(np.abs(np.diff(samples.astype(int))).max()) / 32767


def jump_bound(freq_hz, amplitude, ramp_s, rate=48_000):
    """Return the largest step that a tone of this frequency makes, even as it swells, and int16's rounding."""
    return amplitude * (2 * np.pi * freq_hz / rate + np.pi / 2 / (ramp_s * rate)) + 1 / 32767
