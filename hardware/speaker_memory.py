"""The memory that the controller and the speaker process share: 64-bit words, each written by one side only.

What is to be heard is one word, a float32 frequency with its number above it, so that a single aligned 8-byte store
changes both at once and the reader can neither see half a command nor wait for a lock. A float32 is exact to 6e-8.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import NamedTuple

SIZE = 4096
COMMAND, HEARTBEAT_NS = 0, 1
FRAMES, CALLBACK_NS, HEARD_FRAME, HEARD_NS, HEARD = 8, 9, 10, 11, 12
COUNTS = 16
"""First of the pairs of words, count and time of the last, of each of ``TROUBLES``."""
TROUBLES = ("underflow", "overflow", "sound_gap", "hushed")


class Heard(NamedTuple):
    """The command that the process carried out last.

    Attributes
    ----------
    number : int
        The command's number, from 1; 0 before the first.
    freq_hz : float
    frame : int
        Number of its first sample, counted from the opening of the stream.
    time_ns : int
        When the card asked for that sample, monotonic ns.
    """

    number: int
    freq_hz: float
    frame: int
    time_ns: int


def make_speaker_memory() -> int:
    """Return the descriptor of new memory, all zeros; the caller closes it. Raises OSError."""
    handle = os.memfd_create("rigloop-speaker")
    os.ftruncate(handle, SIZE)
    return handle


class SpeakerMemory:
    """A view of the memory; the descriptor may be closed after.

    Parameters
    ----------
    handle : int
    """

    def __init__(self, handle: int) -> None:
        self._map = mmap.mmap(handle, SIZE)
        self.words = memoryview(self._map).cast("Q")

    def command(self, number: int, freq_hz: float) -> None:
        """Ask for ``freq_hz`` (Hz, 0 is silence); ``number`` tells it from the command before."""
        bits = struct.unpack("<I", struct.pack("<f", freq_hz))[0]
        self.words[COMMAND] = (number & 0xFFFFFFFF) << 32 | bits

    def heard(self) -> Heard:
        """Return what the process plays."""
        number, freq = unpack_command(self.words[HEARD])
        return Heard(number, freq, self.words[HEARD_FRAME], self.words[HEARD_NS])

    def count(self, trouble: str, time_ns: int) -> None:
        """Count one of ``TROUBLES``."""
        at = COUNTS + 2 * TROUBLES.index(trouble)
        self.words[at + 1] = time_ns
        self.words[at] += 1

    def counted(self, trouble: str) -> tuple[int, int]:
        """Return how often it happened, and when last (ns)."""
        at = COUNTS + 2 * TROUBLES.index(trouble)
        return self.words[at], self.words[at + 1]

    def close(self) -> None:
        """Let go of the memory; twice is legal."""
        self.words.release()
        self._map.close()


def unpack_command(word: int) -> tuple[int, float]:
    """Return a command's number and frequency (Hz)."""
    return word >> 32, struct.unpack("<f", struct.pack("<I", word & 0xFFFFFFFF))[0]
