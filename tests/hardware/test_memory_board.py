"""The memory board's trace is whole whenever its owner is killed."""

from __future__ import annotations

import itertools

import pytest

from hardware import memory_board
from hardware.board import OutputLine
from hardware.memory_board import MemoryBoard, MemoryTrace
from hardware.settings import PinSettings

VALVE, LIGHT = OutputLine.VALVE, OutputLine.LIGHT
PINS = PinSettings(pin_valve=17, pin_light=27)


class KilledError(Exception):
    """Stands for SIGKILL: nothing after it is done."""


class Mortal:
    """A mapped memory whose owner is killed before its n-th write."""

    def __init__(self, memory, lives):
        self._memory, self._lives = memory, lives

    def __getitem__(self, key):
        return self._memory[key]

    def __setitem__(self, key, value):
        self.die()
        self._memory[key] = value

    def die(self):
        if not self._lives:
            raise KilledError
        self._lives -= 1


@pytest.fixture
def trace(tmp_path):
    made = MemoryTrace.create(tmp_path / "lines")
    yield made
    made.close()


def kill_in_write(board, monkeypatch, high, lives):
    """Write, and be killed before the n-th store into memory; let go of the lines as a dead process does."""
    memory = board._memory
    board._memory = Mortal(memory, lives)

    class Pack:
        def __init__(self, struct):
            self.size, self._struct = struct.size, struct

        def unpack_from(self, mortal, at=0):
            return self._struct.unpack_from(memory, at)

        def pack_into(self, mortal, at, *values):
            board._memory.die()
            self._struct.pack_into(memory, at, *values)

    with monkeypatch.context() as patch:
        patch.setattr(memory_board, "_EDGE", Pack(memory_board._EDGE))
        patch.setattr(memory_board, "_COUNT", Pack(memory_board._COUNT))
        with pytest.raises(KilledError):
            board.write(VALVE, high)
    memory_board.fcntl.flock(board._file, memory_board.fcntl.LOCK_UN)


@pytest.mark.parametrize("high", [True, False])
@pytest.mark.parametrize("lives", range(4))
@pytest.mark.parametrize("others", [0, 3])
def test_edges_alternate_whenever_the_owner_is_killed(trace, monkeypatch, high, lives, others):
    times = itertools.count(1)
    board = MemoryBoard(PINS, trace._path, lambda: next(times))
    for _ in range(others):
        board.write(VALVE, True)
        board.write(LIGHT, True)
        board.write(VALVE, False)
        board.write(LIGHT, False)
    if not high:
        board.write(VALVE, True)
    kill_in_write(board, monkeypatch, high, lives)
    MemoryBoard(PINS, trace._path, lambda: next(times)).close()
    edges = trace.edges(VALVE)
    assert [edge.high for edge in edges] == [True, False] * (len(edges) // 2)
    assert edges == sorted(edges)
    # A level that changed was an edge, whoever counted it.
    rose = others + (not high or lives >= 3)
    assert len(edges) == 2 * rose
    assert not trace.is_high(VALVE)
