"""Lines without wires: a board in memory that remembers every edge. For rehearsing a rig, and the judge of tests.

The memory may be a file (``MemoryTrace.create``, best under /dev/shm) that outlives the process which drives the lines,
as the levels of a real chip do: who opens it sees what the valve does now, although its guardian was killed. A file
stands for a chip: one process owns its lines at a time, and a second is told that they are busy.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import select
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from core.errors import OutputError
from core.values import Report
from hardware.board import OutputLine
from hardware.settings import PinSettings

TRACE_VARIABLE = "RIGLOOP_MEMORY_BOARD"
"""Environment variable with the path of a ``MemoryTrace``; unset: the lines live in the process that drives them."""

_LINES = tuple(OutputLine)
_INDEX = {line: k for k, line in enumerate(_LINES)}
_HEADER = struct.Struct("<8sIIqqq8s")
_COUNT_AT = 16
_WRITES_AT = 24
_LEVELS_AT = 40
_MAGIC = b"rigline1"
_EDGE = struct.Struct("<qqII")
_FIRST_EDGE = 64
_CAPACITY = 1 << 16
_CAPACITY_ALONE = 1 << 10
_COUNT = struct.Struct("<q")


class Edge(NamedTuple):
    """One edge of one line.

    Attributes
    ----------
    time_ns : int
        CLOCK_MONOTONIC.
    line : OutputLine
    high : bool
    at_most_ns : int
        The bound that the board was told with it; 0 for none.
    """

    time_ns: int
    line: OutputLine
    high: bool
    at_most_ns: int


class MemoryTrace:
    """The lines' memory as somebody sees it who does not drive them.

    Parameters
    ----------
    path : Path
        A file that ``create`` made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._memory = mmap.mmap(self._file, 0)

    @classmethod
    def create(cls, path: Path, *, persist: bool = True, fail_on: int = 0, hang_on: int = 0) -> MemoryTrace:
        """Make the file of a chip with all lines low.

        Parameters
        ----------
        path : Path
        persist : bool
            Whether lines keep their level when their owner dies, as on a Raspberry Pi; else they fall.
        fail_on : int
            The n-th write fails, counted over all owners; 0: none does.
        hang_on : int
            The n-th write never returns, as on a cable that was pulled; 0: all do.
        """
        path.write_bytes(_fresh(persist, fail_on, hang_on, _CAPACITY))
        return cls(path)

    def edges(self, line: OutputLine | None = None) -> list[Edge]:
        """Return the edges so far (of one line), oldest first; of very many only the last 65536."""
        edges = _read_edges(self._memory, _CAPACITY)
        return [edge for edge in edges if line is None or edge.line is line]

    def is_high(self, line: OutputLine) -> bool:
        """Whether the line is high now."""
        persist = _HEADER.unpack_from(self._memory)[1]
        return bool(self._memory[_LEVELS_AT + _INDEX[line]]) and (bool(persist) or self.owned)

    @property
    def owned(self) -> bool:
        """Whether a process drives the lines."""
        probe = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(probe)
        return False

    def close(self) -> None:
        """Let go of the memory; the file stays."""
        if not self._memory.closed:
            self._memory.close()
            os.close(self._file)


class MemoryBoard:
    """Lines in memory, driven by the guardian (``hardware.board.Board``).

    Parameters
    ----------
    pins : PinSettings
        A line whose pin is 0 is not connected.
    path : Path or None
        A ``MemoryTrace``; None keeps the lines in this process.
    now_ns : callable
        Stamps the edges.

    Raises
    ------
    OutputError
        The file cannot be used, or another process drives its lines.
    """

    def __init__(
        self, pins: PinSettings, path: Path | None = None, now_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._connected = {line for line in OutputLine if getattr(pins, f"pin_{line.value}")}
        self._now_ns = now_ns
        self._closed = False
        self._file = -1
        if path is None:
            self._capacity = _CAPACITY_ALONE
            fresh = _fresh(False, 0, 0, self._capacity)
            self._memory = mmap.mmap(-1, len(fresh))
            self._memory[:] = fresh
        else:
            self._capacity = _CAPACITY
            self._file = _own(path)
            self._memory = mmap.mmap(self._file, 0)
        _, _, self._fail_on, _, _, self._hang_on, _ = _HEADER.unpack_from(self._memory)
        self._count_last()
        self._all_low()

    def write(self, line: OutputLine, high: bool, at_most_ns: int = 0) -> None:
        """Set a line; remember the edge where it is one. Raises OutputError when closed or told to fail."""
        if self._closed:
            raise OutputError(f"memory board: {line.value} written after the board was closed")
        writes = _COUNT.unpack_from(self._memory, _WRITES_AT)[0] + 1
        _COUNT.pack_into(self._memory, _WRITES_AT, writes)
        if writes == self._fail_on:
            raise OutputError(f"memory board: write {writes} ({line.value}) failed, as this board was told to")
        if writes == self._hang_on:
            select.select((), (), ())
        self._set(line, high, at_most_ns)

    def alive(self) -> None:
        """Nothing to tell. Raises OutputError when closed."""
        if self._closed:
            raise OutputError("memory board: used after it was closed")

    def reports(self) -> tuple[Report, ...]:
        """Nothing: memory does nothing by itself."""
        return ()

    def edges(self) -> list[Edge]:
        """Return the edges so far, oldest first."""
        return _read_edges(self._memory, self._capacity)

    def is_high(self, line: OutputLine) -> bool:
        """Whether the line is high now."""
        return bool(self._memory[_LEVELS_AT + _INDEX[line]])

    def close(self) -> None:
        """All lines low, then release them."""
        if self._closed:
            return
        self._all_low()
        self._closed = True
        if self._file >= 0:
            # The map holds the file open too, and with it the lock.
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)

    def _all_low(self) -> None:
        for line in OutputLine:
            self._set(line, False, 0)

    def _set(self, line: OutputLine, high: bool, at_most_ns: int) -> None:
        level = _LEVELS_AT + _INDEX[line]
        if line not in self._connected or self._memory[level] == high:
            return
        count = _COUNT.unpack_from(self._memory, _COUNT_AT)[0]
        at = _FIRST_EDGE + count % self._capacity * _EDGE.size
        # The edge is written down first and counts last: an owner may be killed at any of these lines.
        _EDGE.pack_into(self._memory, at, self._now_ns(), at_most_ns, _INDEX[line], high)
        self._memory[level] = high
        _COUNT.pack_into(self._memory, _COUNT_AT, count + 1)

    def _count_last(self) -> None:
        """Count the edge that a killed owner made and had no time to count."""
        count = _COUNT.unpack_from(self._memory, _COUNT_AT)[0]
        _, _, index, high = self._edge(count)
        before = (self._edge(number) for number in range(count - 1, max(count - self._capacity, -1), -1))
        counted = next((edge[3] for edge in before if edge[2] == index), 0)
        if self._memory[_LEVELS_AT + index] == high != counted:
            _COUNT.pack_into(self._memory, _COUNT_AT, count + 1)

    def _edge(self, number: int) -> tuple[int, int, int, int]:
        return _EDGE.unpack_from(self._memory, _FIRST_EDGE + number % self._capacity * _EDGE.size)


def _fresh(persist: bool, fail_on: int, hang_on: int, capacity: int) -> bytes:
    header = _HEADER.pack(_MAGIC, persist, fail_on, 0, 0, hang_on, bytes(8))
    return header.ljust(_FIRST_EDGE, b"\0") + bytes(capacity * _EDGE.size)


def _read_edges(memory: mmap.mmap, capacity: int) -> list[Edge]:
    count = _COUNT.unpack_from(memory, _COUNT_AT)[0]
    edges = []
    for number in range(max(0, count - capacity), count):
        time_ns, at_most_ns, index, high = _EDGE.unpack_from(memory, _FIRST_EDGE + number % capacity * _EDGE.size)
        edges.append(Edge(time_ns, _LINES[index], bool(high), at_most_ns))
    return edges


def _own(path: Path) -> int:
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise OutputError(
            f"memory board: cannot use {path} ({error.strerror}); make it with MemoryTrace.create"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.pread(file, len(_MAGIC), 0) != _MAGIC:
            raise OutputError(f"memory board: {path} is no trace of lines; make one with MemoryTrace.create")
    except OSError as error:
        os.close(file)
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        raise OutputError(f"memory board: the lines of {path} are busy; end the program that drives them") from error
    except OutputError:
        os.close(file)
        raise
    return file
