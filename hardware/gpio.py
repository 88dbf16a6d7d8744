"""Output lines on the header of a Raspberry Pi or Jetson, through the API that RPi.GPIO made common."""

from __future__ import annotations

import time
import warnings
from typing import Any

from core.errors import OutputError
from core.values import Report
from hardware.board import OutputLine
from hardware.gpio_errors import gpio_error
from hardware.pin_locks import PinLocks
from hardware.pins import connected
from hardware.settings import Numbering, PinSettings

IN_USE = "already in use"
"""RPi.GPIO's warning about a pin that is not a plain input. An output that a killed program left is taken over, low; a
line of I2C, SPI or the serial port has been refused by name before."""
HARMLESS = ("could not open /dev/mem", "pinmux checks not implemented")
"""Warnings of Jetson.GPIO that it could not look whether the pin is switched to GPIO; everybody but root gets them."""


class GpioBoard:
    """The lines of a GPIO header. For one thread: the guardian's. Owns no thread.

    Parameters
    ----------
    pins : PinSettings
    module : module
        ``RPi.GPIO`` (its own, or rpi-lgpio's), ``Jetson.GPIO``, or a ``hardware.fake_gpio.FakeGpio``.
    locks : PinLocks or None
        Taken here and freed by ``close``, for a module that shares pins with whoever asks: RPi.GPIO's own.

    Raises
    ------
    OutputError
        A line is busy, missing, forbidden or in another use; the lines before it are low and released again.

    Attributes
    ----------
    taken_over : tuple of str
        Lines that another program had left as outputs, by their keys: it was killed, or still runs.
    """

    def __init__(self, pins: PinSettings, module: Any, locks: PinLocks | None = None) -> None:
        self._gpio = module
        self._locks = locks
        self._pins = connected(pins)
        self._ready: list[OutputLine] = []
        self._closed = False
        self.taken_over: tuple[str, ...] = ()
        self._told = False
        try:
            if locks is not None:
                locks.take(pins)
            self._set_mode(pins.pin_numbering)
            for line in self._pins:
                self._set_up(line)
        except OutputError:
            self._release()
            raise

    def write(self, line: OutputLine, high: bool, at_most_ns: int = 0) -> None:  # noqa: ARG002 - no clock of its own
        """Set a line; the guardian is who lowers it. Raises OutputError."""
        if self._closed:
            raise OutputError(f"pin_{line.value}: used after the board was closed")
        if line not in self._pins:
            return
        try:
            self._gpio.output(self._pins[line], self._gpio.HIGH if high else self._gpio.LOW)
        except Exception as error:
            raise gpio_error(self._name(line), error) from error

    def alive(self) -> None:
        """Nothing: a header's lines have no life of their own, and cannot be unplugged."""

    def reports(self) -> tuple[Report, ...]:
        """Return the lines that were taken over, ``line_taken_over``, once."""
        taken = () if self._told else self.taken_over
        self._told = True
        text = "was an output already: its program was killed, or still runs and drives it too"
        return tuple(Report(time.monotonic_ns(), "line_taken_over", f"{name} {text}") for name in taken)

    def close(self) -> None:
        """Each line low, then released; one that fails does not keep the next from falling. Twice is legal.

        Raises OutputError, when all is done, if a line could not be set low.
        """
        if self._closed:
            return
        self._closed = True
        failures = self._release()
        if failures:
            raise OutputError("; ".join(failures))

    def _name(self, line: OutputLine) -> str:
        return f"pin_{line.value} {self._pins[line]}"

    def _set_mode(self, numbering: Numbering) -> None:
        try:
            self._gpio.setwarnings(True)
            self._gpio.setmode(self._gpio.BCM if numbering is Numbering.bcm else self._gpio.BOARD)
        except Exception as error:
            if "different mode" in str(error):
                raise OutputError("GPIO: this program has counted pins in another way before; start it anew") from error
            raise gpio_error("GPIO", error) from error

    def _set_up(self, line: OutputLine) -> None:
        pin = self._pins[line]
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                was_output = self._was_output(line)
                self._gpio.setup(pin, self._gpio.OUT, initial=self._gpio.LOW)
                # Jetson.GPIO takes over the level that is asked for; RPi.GPIO writes it before the pin is an output.
                self._gpio.output(pin, self._gpio.LOW)
            except OutputError:
                raise
            except Exception as error:
                raise gpio_error(self._name(line), error) from error
        self._ready.append(line)
        if was_output:
            self.taken_over += (self._name(line),)
        self._judge(line, [" ".join(str(warning.message).split()) for warning in said])

    def _was_output(self, line: OutputLine) -> bool:
        """Return whether it is an output already. Refuses a pin of I2C, SPI, serial or PWM: it would be disturbed."""
        function = self._gpio.gpio_function(self._pins[line])
        for name in ("I2C", "SPI", "SERIAL", "HARD_PWM"):
            if function == getattr(self._gpio, name, None):
                cure = "give another pin, or switch that off in sudo raspi-config"
                raise OutputError(f"{self._name(line)}: is in use as {name.replace('HARD_', '')}; {cure}")
        return bool(function == self._gpio.OUT)

    def _judge(self, line: OutputLine, said: list[str]) -> None:
        for text in said:
            if IN_USE not in text and not any(part in text.lower() for part in HARMLESS):
                raise gpio_error(self._name(line), RuntimeError(text))

    def _release(self) -> list[str]:
        """Set low, then release; all lines, whatever fails. Returns the failures."""
        failures = []
        for step in (self._lower, self._free):
            for line in self._ready:
                try:
                    step(self._pins[line])
                except Exception as error:  # noqa: BLE001 - the next line must fall all the same
                    failures.append(str(gpio_error(self._name(line), error)))
        self._ready = []
        if self._locks is not None:
            self._locks.free()
        return failures

    def _lower(self, pin: int) -> None:
        self._gpio.output(pin, self._gpio.LOW)

    def _free(self, pin: int) -> None:
        self._gpio.cleanup(pin)
