"""A programme of tones that is played through a real speaker, captured, and found again sample by sample."""

from __future__ import annotations

import itertools
import time

import numpy as np

from hardware.oscillator import Oscillator, Voice, as_int16
from hardware.settings import SoundSettings
from tests.support.pulse import RATE, pause
from tests.support.tones import Segment, align

SETTINGS = SoundSettings()


class Programme:
    """A programme that was played and captured.

    Attributes
    ----------
    samples : ndarray, (n,) int16
    heard : list of Heard
    sent_ns : list of int
    reports : list of Report
    spent_ns : list of int
        Time that each set_tone took.
    pieces : list of Piece
        What was captured as it was rendered.
    stalls : list of (int, int)
        When this machine stood still.
    """

    def __init__(self):
        self.heard, self.sent_ns, self.reports, self.spent_ns = [], [], [], []
        self.samples, self.pieces, self.stalls = None, [], ()
        self.begin = self.length = 0

    def play(self, speaker, freq_hz, duration_s):
        """Play a tone and look in every 25 ms, as the loop does every frame."""
        begin = time.monotonic_ns()
        speaker.set_tone(freq_hz, begin)
        self.spent_ns.append(time.monotonic_ns() - begin)
        self.sent_ns.append(begin)
        while time.monotonic_ns() < begin + duration_s * 1e9:
            pause(0.025)
            self.reports += speaker.reports()
        self.heard.append(speaker.heard())

    def keep(self, recording, begin, stalls=()):
        """Take over what was recorded since sample ``begin``, and find in it what was rendered."""
        self.samples, self.stalls = recording.samples()[begin:], stalls
        self.begin = self.heard[0].frame
        rendered = self.expected(self.heard[-1].frame + round(0.2 * RATE))
        # The first tone begins with a sample of 0; which of its samples is the first that is not, it tells itself.
        offset = int(np.flatnonzero(self.samples)[0]) - int(np.flatnonzero(rendered)[0])
        self.length = len(rendered)
        self.pieces = align(self.samples, rendered, offset)

    def expected(self, end):
        """Render all stream frames from the first tone to ``end`` anew, from what the card is said to have got."""
        oscillator = Oscillator(RATE, SETTINGS.loudness, SETTINGS.tone_ramp_s)
        voice, parts = Voice(), []
        ends = [*(one.frame for one in self.heard[1:]), end]
        for one, after in zip(self.heard, ends, strict=True):
            voice, part = oscillator.render(oscillator.retune(voice, one.freq_hz), after - one.frame)
            parts.append(part)
        return as_int16(np.concatenate(parts))

    def segments(self, pieces=None):
        """Return the segments of the capture, from command to command; None for one with a gap in it."""
        begins = [one.frame - self.begin for one in self.heard]
        found = []
        for one, begin, end in zip(self.heard, begins, [*begins[1:], self.length], strict=True):
            inside = [piece for piece in pieces or self.pieces if piece.begin <= begin and end <= piece.end]
            found += [Segment(begin + p.offset, end + p.offset, one.freq_hz) for p in inside] or [None]
        return found

    def steps(self, pieces=None):
        """Return pairs of neighbouring segments, both of a tone, without a gap between."""
        pairs = [(one, two) for one, two in itertools.pairwise(self.segments(pieces)) if one and two]
        return [(one, two) for one, two in pairs if one.freq_hz and two.freq_hz and one.end == two.begin]

    def gaps(self):
        """Return the time of each gap, monotonic ns."""
        ends = [piece.end for piece in self.pieces if piece.end < self.length]
        return [self._when(end + self.begin) for end in ends]

    def _when(self, frame):
        last = [one for one in self.heard if one.frame <= frame][-1]
        return last.time_ns + round((frame - last.frame) / RATE * 1e9)
