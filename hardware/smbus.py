"""The I2C bus as the lick sensor uses it: SMBus transfers of bytes, words and blocks, through smbus2."""

from __future__ import annotations

from typing import Any, Protocol, cast

from core.errors import OutputError


class Bus(Protocol):
    """The verbs of ``smbus2.SMBus`` that are used. All raise OSError. Called by one thread.

    I2C_RDWR (``i2c_rdwr`` of smbus2) is not among them: adapters that speak SMBus only, such as the kernel's i2c-stub,
    do not have it.
    """

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        """Return a register."""

    def read_word_data(self, i2c_addr: int, register: int) -> int:
        """Return two registers, the first as the low byte."""

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        """Return up to 32 registers."""

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        """Write a register."""

    def write_i2c_block_data(self, i2c_addr: int, register: int, data: list[int]) -> None:
        """Write up to 32 registers."""

    def close(self) -> None:
        """Release the bus."""


def open_smbus(number: int) -> Bus:
    """Open ``/dev/i2c-<number>``. Raises OutputError with what is missing and its cure."""
    path = f"/dev/i2c-{number}"
    try:
        from smbus2 import SMBus
    except ImportError as error:
        raise OutputError("lick sensor: the Python package smbus2 is not installed; run: make rig") from error
    try:
        bus: Any = SMBus(number)
    except FileNotFoundError as error:
        raise OutputError(
            f"lick sensor: there is no I2C bus {path} (lick_i2c_bus = {number}); switch I2C on with sudo raspi-config, "
            "Interface Options, I2C (dtparam=i2c_arm=on), or load the module i2c-dev"
        ) from error
    except PermissionError as error:
        raise OutputError(
            f"lick sensor: this user may not open {path}; run: sudo usermod -aG i2c $USER, then log out and in"
        ) from error
    except OSError as error:
        raise OutputError(f"lick sensor: {path} cannot be opened ({error.strerror}); check lick_i2c_bus") from error
    return cast(Bus, bus)
