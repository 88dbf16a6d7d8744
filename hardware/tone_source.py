"""What the card's callback runs: reads the shared memory, renders the next block, counts what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

from hardware.oscillator import Oscillator, Voice, as_int16
from hardware.speaker_memory import (
    CALLBACK_NS,
    COMMAND,
    FRAMES,
    HEARD,
    HEARD_FRAME,
    HEARD_NS,
    HEARTBEAT_NS,
    SpeakerMemory,
    unpack_command,
)

LIFE_NS = 1_000_000_000
"""A controller that gave no sign of life for this long hangs: silence."""
GO_ON, ABORT = 0, 2
"""PortAudio's paContinue and paAbort."""
UNDERFLOW, OVERFLOW = 0x4, 0x8
"""PortAudio's paOutputUnderflow and paOutputOverflow."""
FLAGS = {UNDERFLOW: "underflow", OVERFLOW: "overflow"}


class ToneSource:
    """Called by PortAudio's thread for each block. No wait, no lock, no file; a failure is kept in ``error``.

    Parameters
    ----------
    memory : SpeakerMemory
    oscillator : Oscillator
    gap_ns : int
        Two calls farther apart than this count as a gap.
    now_ns : callable
        The monotonic clock, ns.

    Attributes
    ----------
    stamps : list of (int, int), or None
        Time (ns) of each call, and the frames that were asked for before it; None once nobody wants it any more.
    ending : bool
        Set by another thread: fall silent, whatever the memory says.
    silent_frames : int
        Zeros in a row that were rendered last.
    error : Exception or None
    """

    def __init__(
        self,
        memory: SpeakerMemory,
        oscillator: Oscillator,
        gap_ns: int,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.stamps: list[tuple[int, int]] | None = []
        self.ending = False
        self.silent_frames = 0
        self.error: Exception | None = None
        self._memory = memory
        self._words = memory.words
        self._oscillator = oscillator
        self._gap_ns = gap_ns
        self._now_ns = now_ns
        self._voice = Voice()
        self._command = 0
        self._frames = 0
        self._last_ns = 0

    def __call__(self, _input: object, count: int, _times: object, flags: int) -> tuple[bytes, int]:
        """Return ``count`` samples, mono int16, and whether to go on."""
        try:
            return self._next_block(count, flags), GO_ON
        except Exception as error:  # noqa: BLE001 - PyAudio would print it to nobody and leave the tone standing
            self.error = error
            return bytes(2 * count), ABORT

    def _next_block(self, count: int, flags: int) -> bytes:
        now = self._now_ns()
        if self.stamps is None:
            self._look_for_trouble(now, flags)
        elif flags & UNDERFLOW:
            # What was missing spoils the measurement of the rate: it begins anew.
            self.stamps = [(now, self._frames)]
        else:
            self.stamps.append((now, self._frames))
        self._obey(now)
        silent = self._oscillator.is_silent(self._voice)
        self._voice, samples = self._oscillator.render(self._voice, count)
        self.silent_frames = self.silent_frames + count if silent else 0
        self._frames += count
        self._last_ns = now
        self._words[FRAMES] = self._frames
        self._words[CALLBACK_NS] = now
        return as_int16(samples).tobytes()

    def _look_for_trouble(self, now: int, flags: int) -> None:
        for flag, trouble in FLAGS.items():
            if flags & flag:
                self._memory.count(trouble, now)
        if now - self._last_ns > self._gap_ns:
            self._memory.count("sound_gap", now)

    def _obey(self, now: int) -> None:
        word = self._words[COMMAND]
        if word != self._command:
            self._command = word
            _, freq = unpack_command(word)
            self._voice = self._oscillator.retune(self._voice, 0.0 if self.ending else freq)
            self._words[HEARD_FRAME] = self._frames
            self._words[HEARD_NS] = now
            self._words[HEARD] = word
        if self._voice.now and (self.ending or now - self._words[HEARTBEAT_NS] > LIFE_NS):
            # Until the next command: a controller that hung must say anew what is to be heard.
            self._voice = self._oscillator.retune(self._voice, 0.0)
            self._memory.count("hushed", now)
