"""A simulated MPR121 on a simulated bus: its registers, what it refuses, the touches and faults it is told to have.

Touches and faults are intervals on the clock, so that a process that only shares the clock can be given them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence

from core.clock import MonotonicClock
from core.ports import Clock
from hardware.mpr121 import AFTER_RESET, OUT_OF_RANGE, OVER_CURRENT, RESET, RUN, SOFT_RESET, STATUS

Spans = Iterable[tuple[int, int]]
"""Looked through at each transfer: not an iterator."""
LAST = 0x80
READ_ONLY = range(0x00, 0x2B)
ALWAYS_WRITABLE = frozenset({RUN, SOFT_RESET, *range(0x72, 0x7B)})
"""All others take no writing while the chip runs (data sheet, section 5.1)."""
BLOCK = 32


class FakeMpr121:
    """A bus with one chip; verbs as ``smbus2.SMBus``.

    Parameters
    ----------
    number : int
        Of the bus; as ``open_smbus`` is given it.
    address : int
        Of the chip; any other address does not answer.
    channel : int
        Which one is touched.
    touches : iterable of (int, int)
        Start and end of each touch on ``clock``, ns.
    fails : iterable of (int, int)
        When no transfer gets through (EREMOTEIO), ns.
    hangs : iterable of (int, int)
        A transfer that begins in one of these returns at its end, as on a bus that a chip holds low, ns.
    resets_ns : sequence of int
        When the chip loses power for a moment, ns.
    over_current_ns : int or None
        From when on too much current flows, ns.
    out_of_range : bool
        Whether the channel cannot be measured.
    other_chip : bool
        Whether it is none of this kind: its registers read 0.
    forgetful : bool
        Whether it does not keep what is written to the touch threshold.
    clock : Clock

    Attributes
    ----------
    registers : list of int
    closed : bool
    """

    def __init__(
        self,
        number: int = 1,
        *,
        address: int = 0x5A,
        channel: int = 0,
        touches: Spans = (),
        fails: Spans = (),
        hangs: Spans = (),
        resets_ns: Sequence[int] = (),
        over_current_ns: int | None = None,
        out_of_range: bool = False,
        other_chip: bool = False,
        forgetful: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.number = number
        self._address = address
        self._channel = channel
        self._touches, self._fails, self._hangs = touches, fails, hangs
        self._resets = sorted(resets_ns)
        self._over_current_ns = over_current_ns
        self._out_of_range = out_of_range
        self._other_chip = other_chip
        self._forgetful = forgetful
        self._clock = MonotonicClock() if clock is None else clock
        self.closed = False
        self.registers: list[int] = []
        self._reset()

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        """Return a register."""
        return self._read(i2c_addr, register, 1)[0]

    def read_word_data(self, i2c_addr: int, register: int) -> int:
        """Return two registers, low byte first."""
        low, high = self._read(i2c_addr, register, 2)
        return low | high << 8

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        """Return ``length`` registers."""
        return self._read(i2c_addr, register, length)

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        """Write a register."""
        self._write(i2c_addr, register, [value])

    def write_i2c_block_data(self, i2c_addr: int, register: int, data: list[int]) -> None:
        """Write registers."""
        self._write(i2c_addr, register, data)

    def close(self) -> None:
        """Release the bus."""
        self.closed = True

    @property
    def running(self) -> bool:
        """Whether a channel is measured."""
        return bool(self.registers[RUN] & 0x3F)

    def _read(self, address: int, register: int, length: int) -> list[int]:
        now = self._transfer(address, register, length)
        if self._other_chip:
            return [0] * length
        measured = self.running and self.registers[RUN] & 0x0F > self._channel
        status = (1 << self._channel) * (measured and _within(self._touches, now))
        if self._over_current_ns is not None and now >= self._over_current_ns:
            status, self.registers[RUN] = OVER_CURRENT, 0
        self.registers[STATUS : STATUS + 2] = status & 0xFF, status >> 8
        wrong = (1 << self._channel) * (measured and self._out_of_range)
        self.registers[OUT_OF_RANGE : OUT_OF_RANGE + 2] = wrong & 0xFF, wrong >> 8
        return self.registers[register : register + length]

    def _write(self, address: int, register: int, data: list[int]) -> None:
        self._transfer(address, register, len(data))
        for place, value in enumerate(data, register):
            if not 0 <= value <= 255:
                raise ValueError(f"register 0x{place:02X}: {value} is no byte")
            if place in READ_ONLY or (self.running and place not in ALWAYS_WRITABLE):
                raise OSError(errno.EREMOTEIO, f"register 0x{place:02X} cannot be written now")
            if place == SOFT_RESET:
                if value == RESET:
                    self._reset()
            elif not (self._forgetful and 0x41 <= place <= 0x5A):
                self.registers[place] = value

    def _transfer(self, address: int, register: int, length: int) -> int:
        """Let faults have their way; return the time of the transfer."""
        if self.closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if not (0 <= register <= LAST and 1 <= length <= BLOCK and register + length <= LAST + 1):
            raise ValueError(f"{length} registers from 0x{register:02X} on: the chip has 0x00 to 0x80, a block 32")
        for begin, end in self._hangs:
            if begin <= self._clock.now_ns() < end:
                self._clock.sleep_until_ns(end)
        now = self._clock.now_ns()
        if address != self._address:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        if _within(self._fails, now):
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
        while self._resets and self._resets[0] <= now:
            self._resets.pop(0)
            self._reset()
        return now

    def _reset(self) -> None:
        self.registers = [0] * (LAST + 1)
        for register, value in AFTER_RESET.items():
            self.registers[register] = value


def _within(spans: Spans, now: int) -> bool:
    return any(begin <= now < end for begin, end in spans)
