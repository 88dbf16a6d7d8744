"""The MPR121 touch chip, set up for licks, over SMBus.

Registers and their limits: data sheet MPR121 rev. 4 (NXP, 2013). Baseline filter and automatic configuration: NXP
application note AN3944. What differs from these is the sampling: the data sheet's default (4 samples, one each 16 ms)
feels a touch after 64 ms, longer than the tongue of a mouse is on the spout; here it is 4 samples, one each ms.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

from core.errors import OutputError
from core.ports import Clock
from hardware.settings import LickSettings
from hardware.smbus import Bus

STATUS, OUT_OF_RANGE = 0x00, 0x02
BASELINE_FILTER = 0x2B
TOUCH_0 = 0x41
DEBOUNCE, CONFIG_1, CONFIG_2, RUN = 0x5B, 0x5C, 0x5D, 0x5E
AUTO_0 = 0x7B
SOFT_RESET, RESET = 0x80, 0x63

AFTER_RESET = {CONFIG_1: 0x10, CONFIG_2: 0x24, RUN: 0x00}
"""What a reset leaves behind; the chip has no register that names it, so that this is what it is known by."""
OVER_CURRENT = 1 << 15
BASELINE = (0x01, 0x01, 0x00, 0x00, 0x01, 0x01, 0xFF, 0x02, 0x00, 0x00, 0x00)
"""0x2B to 0x35 as in AN3944: quick when the reading rises, slow when it falls, so that a lick does not move it."""
SAMPLING = (0x00, 0x10, 0x20)
"""0x5B to 0x5D: no debounce (it is ours), 6 samples and 16 uA, then 0.5 us, 4 samples, one each ms."""
SUPPLY_V = 3.3
UPPER = int((SUPPLY_V - 0.7) / SUPPLY_V * 256)
AUTOMATIC = (0x0B, 0x00, UPPER, int(UPPER * 0.65), int(UPPER * 0.9))
"""0x7B to 0x7F: charge of each channel found by the chip, now and again; limits for 3.3 V as in AN3944."""
TRACK_BASELINE = 0x80
SETTLE_NS = 50_000_000
"""After the start the chip looks for the charge of each channel: up to about 20 ms with 12 channels."""


class Mpr121:
    """One channel of one chip. Used by one thread.

    Parameters
    ----------
    bus : Bus
        Not closed by this.
    settings : LickSettings
    clock : Clock
        Waits for the chip to settle.
    """

    def __init__(self, bus: Bus, settings: LickSettings, clock: Clock) -> None:
        self._bus = bus
        self._settings = settings
        self._clock = clock
        self._address = settings.lick_i2c_address
        self._bit = 1 << settings.lick_channel
        self._run = TRACK_BASELINE | (settings.lick_channel + 1)

    @property
    def name(self) -> str:
        """Chip, address and bus, for messages."""
        return f"MPR121 at 0x{self._address:02X} on /dev/i2c-{self._settings.lick_i2c_bus}"

    def start(self) -> None:
        """Reset the chip, write its settings, read them back, let it run.

        Raises
        ------
        OutputError
            No chip answers, another one does, it does not keep what was written, or cannot measure the channel.
        """
        try:
            self.set_up()
        except OSError as error:
            raise OutputError(self._no_answer(error)) from error

    def set_up(self) -> None:
        """As ``start``, but OSError where no chip answers."""
        self._identify()
        self._configure()

    def touching(self) -> bool:
        """Whether the channel is touched. Raises OSError; OutputError where the chip has switched itself off."""
        status = self._bus.read_word_data(self._address, STATUS)
        if status & OVER_CURRENT:
            raise OutputError(
                f"lick sensor: {self.name} has switched itself off, too much current flows through its pin REXT; "
                "check the 75 kOhm there and the solder joints, then switch the chip off and on"
            )
        return bool(status & self._bit)

    def running(self) -> bool:
        """Whether it still has its settings; a chip that lost power for a moment does not. Raises OSError."""
        return self._bus.read_byte_data(self._address, RUN) == self._run

    def stop(self) -> None:
        """Have it sleep. Raises OSError."""
        self._bus.write_byte_data(self._address, RUN, 0)

    def _identify(self) -> None:
        self._bus.write_byte_data(self._address, SOFT_RESET, RESET)
        self._clock.sleep_until_ns(self._clock.now_ns() + 1_000_000)
        found = {register: self._bus.read_byte_data(self._address, register) for register in AFTER_RESET}
        if found != AFTER_RESET:
            said = ", ".join(f"0x{register:02X} is 0x{value:02X}" for register, value in found.items())
            raise OutputError(
                f"lick sensor: what answers at 0x{self._address:02X} on /dev/i2c-{self._settings.lick_i2c_bus} is no "
                f"MPR121 (after a reset {said}); check lick_i2c_address and lick_i2c_bus"
            )

    def _configure(self) -> None:
        settings = self._settings
        self._write(TOUCH_0 + 2 * settings.lick_channel, (settings.lick_touch, settings.lick_release))
        self._write(BASELINE_FILTER, BASELINE)
        self._write(DEBOUNCE, SAMPLING)
        self._write(AUTO_0, AUTOMATIC)
        self._bus.write_byte_data(self._address, RUN, self._run)
        self._clock.sleep_until_ns(self._clock.now_ns() + SETTLE_NS)
        self.touching()
        self._check(RUN, (self._run,))
        if self._bus.read_word_data(self._address, OUT_OF_RANGE) & self._bit:
            raise OutputError(
                f"lick sensor: {self.name} cannot measure channel {settings.lick_channel}; is the spout's wire longer "
                "than 30 cm, shielded, or touching the frame? Shorten it, or choose another lick_channel"
            )

    def _write(self, register: int, values: tuple[int, ...]) -> None:
        """Write consecutive registers and read them back."""
        self._bus.write_i2c_block_data(self._address, register, list(values))
        self._check(register, values)

    def _check(self, register: int, values: tuple[int, ...]) -> None:
        found = self._bus.read_i2c_block_data(self._address, register, len(values))
        if tuple(found) != values:
            raise OutputError(
                f"lick sensor: {self.name} does not keep what is written to register 0x{register:02X} "
                f"({_hex(values)} was written, {_hex(found)} is read); shorten the wires of SDA and SCL, check 3.3 V"
            )

    def _no_answer(self, error: OSError) -> str:
        if error.errno == errno.EBUSY:
            return f"lick sensor: {self.name} is taken by a driver of the kernel; remove its dtoverlay from config.txt"
        why = os.strerror(error.errno) if error.errno else str(error)
        return (
            f"lick sensor: nothing answers as {self.name} ({why}); check power, SDA, SCL and lick_i2c_address "
            f"(i2cdetect -y {self._settings.lick_i2c_bus} lists what answers)"
        )


def _hex(values: Iterable[int]) -> str:
    return " ".join(f"{value:02X}" for value in values)
