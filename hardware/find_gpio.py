"""Finds the module with the RPi.GPIO API for the lick sensor's line."""

from __future__ import annotations

from typing import Any

from core.errors import OutputError
from hardware.boards import GPIO_KINDS, choose_kind, find_board, load_gpio
from hardware.settings import BoardKind, Numbering, PinSettings


def find_gpio(pins: PinSettings) -> tuple[Any, int]:
    """Return the module and its constant for ``pin_numbering``. Raises OutputError where there is none.

    Outputs that hang on an Arduino, or on nothing, leave the sensor to whatever header this computer has.
    """
    asked = pins.output_board if pins.output_board in GPIO_KINDS else BoardKind.auto
    try:
        gpio = load_gpio(choose_kind(asked, find_board()))
    except OutputError as error:
        raise OutputError(
            f"lick sensor: lick_pin needs the GPIO of a Raspberry Pi or Jetson, which cannot be had ({error}); an "
            "MPR121 without its interrupt line (lick_pin = 0) does without"
        ) from error
    return gpio, gpio.BOARD if pins.pin_numbering is Numbering.board else gpio.BCM
