"""Finds the module with the RPi.GPIO API for an input line."""

from __future__ import annotations

import importlib
from typing import Any

from core.errors import OutputError
from hardware.settings import BoardKind, Numbering, PinSettings

MODULES = {
    BoardKind.rpi_gpio: ("RPi.GPIO",),
    BoardKind.rpi_lgpio: ("RPi.GPIO",),
    BoardKind.jetson_gpio: ("Jetson.GPIO",),
}
"""What each board has. Outputs of an Arduino or in memory leave the input to whatever GPIO this computer has."""
ANY = ("RPi.GPIO", "Jetson.GPIO")


def find_gpio(pins: PinSettings) -> tuple[Any, int]:
    """Return the module and its constant for ``pin_numbering``. Raises OutputError where there is none."""
    names = MODULES.get(pins.output_board, ANY)
    problems = []
    for name in names:
        try:
            gpio = importlib.import_module(name)
        except (ImportError, RuntimeError, OSError) as error:
            # On another computer than theirs these modules raise RuntimeError.
            problems.append(f"{name}: {error}")
            continue
        return gpio, gpio.BOARD if pins.pin_numbering is Numbering.board else gpio.BCM
    raise OutputError(
        f"lick sensor: lick_pin needs a GPIO, and this computer has none that can be used ({'; '.join(problems)}); on "
        "a Raspberry Pi or Jetson run make rig, elsewhere use an MPR121 without its interrupt line (lick_pin = 0)"
    )
