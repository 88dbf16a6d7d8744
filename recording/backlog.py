"""Messages that the writer has not taken yet, in memory that outlives the process they come from.

The loop appends and takes from the front; the writer looks only once the loop's process is gone, and finds there what
that process could not send any more. No counter is shared: every entry carries its number and a checksum, so that one
that was cut short in the middle is recognised.

The memory has two halves. Entries are appended in one; when its end is reached those that wait are copied to the
beginning of the other, and only then does the first become free.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Iterator

HALF_BYTES = 8 * 2**20
"""Chosen because half of it, the most that may wait, is two minutes of rows at 100 frames/s."""
_HEADER = struct.Struct("<QII")  # number, bytes, checksum


class Backlog:
    """The loop's end: a queue of messages. Used by one thread.

    Parameters
    ----------
    handle : int
        Descriptor of memory from ``make_backlog_memory``; still the caller's.
    half_bytes : int
        As that was made with.
    """

    def __init__(self, handle: int, half_bytes: int = HALF_BYTES) -> None:
        # Populated now, so that the loop never pays for the first touch of a page.
        self._memory = mmap.mmap(handle, 2 * half_bytes, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        self._half_bytes = half_bytes
        self._base = self._start = self._end = 0
        self._count = 0
        self._sent = 0

    def __len__(self) -> int:
        """Return how many messages wait."""
        return self._count

    def note_sent(self) -> None:
        """Count a message that went without waiting here."""
        self._sent += 1

    def append(self, message: bytes) -> bool:
        """Put a message behind the others; whether there was room for it."""
        size = _HEADER.size + len(message)
        if self._end - self._start + size > self._half_bytes // 2:
            return False
        if self._end + size > self._base + self._half_bytes:
            self._move()
        number = self._sent + self._count + 1
        entry = _HEADER.pack(number, len(message), _checksum(number, message)) + message
        self._memory[self._end : self._end + size] = entry
        self._end += size
        self._count += 1
        return True

    def first(self) -> bytes:
        """Return the message that waits longest. Raises IndexError where none waits."""
        if not self._count:
            raise IndexError("no message waits")
        begin = self._start + _HEADER.size
        _, length, _ = _HEADER.unpack_from(self._memory, self._start)
        return self._memory[begin : begin + length]

    def pop(self) -> None:
        """Drop that message: it was sent."""
        self._start += _HEADER.size + len(self.first())
        self._count -= 1
        self._sent += 1
        if not self._count:
            self._start = self._end = self._base

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

    def _move(self) -> None:
        """Copy what waits to the beginning of the other half."""
        base = self._half_bytes - self._base
        waiting = self._memory[self._start : self._end]
        self._memory[base : base + len(waiting)] = waiting
        self._base, self._start, self._end = base, base, base + len(waiting)


def make_backlog_memory(half_bytes: int = HALF_BYTES) -> int:
    """Return the descriptor of memory for a backlog. Raises OSError where there is none to be had."""
    handle = os.memfd_create("rigloop-backlog", os.MFD_CLOEXEC)
    try:
        os.posix_fallocate(handle, 0, 2 * half_bytes)
    except OSError:
        os.close(handle)
        raise
    return handle


def left_behind(handle: int, received: int, half_bytes: int = HALF_BYTES) -> list[bytes]:
    """Return the messages that a process which is gone had no more time to send, in order.

    Parameters
    ----------
    handle : int
        The memory.
    received : int
        How many messages came from that process.
    """
    found: dict[int, bytes] = {}
    with mmap.mmap(handle, 2 * half_bytes, prot=mmap.PROT_READ) as memory:
        for base in (0, half_bytes):
            found.update(_entries(memory[base : base + half_bytes]))
    messages: list[bytes] = []
    while (number := received + len(messages) + 1) in found:
        messages.append(found[number])
    return messages


def _entries(half: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and message of the whole entries from the beginning of a half to the first that is none."""
    at = 0
    while at + _HEADER.size <= len(half):
        number, length, checksum = _HEADER.unpack_from(half, at)
        message = half[at + _HEADER.size : at + _HEADER.size + length]
        if len(message) != length or not number or checksum != _checksum(number, message):
            return
        yield number, message
        at += _HEADER.size + length


def _checksum(number: int, message: bytes) -> int:
    return zlib.crc32(message, number & 0xFFFFFFFF)
