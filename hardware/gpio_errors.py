"""What a GPIO library's error means, in one line with its cure. Each library has types of its own; few say a cure."""

from __future__ import annotations

import errno

from core.errors import OutputError

_BUSY = "is held by another program; end that (gpioinfo shows which), then start again"
_FORBIDDEN = (
    "this user may not use the GPIO; run: sudo usermod -aG gpio $USER, then log in again "
    "(a Jetson also needs Jetson.GPIO's 99-gpio.rules in /etc/udev/rules.d)"
)
_MISSING_CHIP = f"the GPIO device cannot be opened: either it is missing (is this a Raspberry Pi?), or {_FORBIDDEN}"
_WRONG_BOARD = "this library does not know this computer; set output_board = auto, or as rigloop doctor says"
_NO_PIN = "this board has no such pin; correct the pin, or pin_numbering"

_TEXTS = (
    ("busy", _BUSY),
    ("can not open gpiochip", _MISSING_CHIP),
    ("permission", _FORBIDDEN),
    ("not permitted", _FORBIDDEN),
    ("no access to /dev/mem", _FORBIDDEN),
    ("only be run on a raspberry pi", _WRONG_BOARD),
    ("could not determine jetson", _WRONG_BOARD),
    ("soc peripheral base address", _WRONG_BOARD),
    ("no such gpio device", _WRONG_BOARD),
    ("not applicable on compute module", "a Compute Module has no header; set pin_numbering = bcm"),
    ("bad gpio number", _NO_PIN),
    ("is invalid", _NO_PIN),
)
"""Part of what RPi.GPIO 0.7, rpi-lgpio 0.6 or Jetson.GPIO 2.1 says, lower case, and what it means. First match."""
_NUMBERS = {errno.EBUSY: _BUSY, errno.EACCES: _FORBIDDEN, errno.EPERM: _FORBIDDEN}


def gpio_error(thing: str, error: BaseException) -> OutputError:
    """Return the error to raise: ``thing`` (``"pin_valve 27"``), what is wrong, the cure, in one line."""
    said = " ".join(str(error).split())
    meaning = _NUMBERS.get(error.errno or 0) if isinstance(error, OSError) else None
    if meaning is None:
        meaning = next((text for part, text in _TEXTS if part in said.lower()), None)
    if meaning is None and isinstance(error, ValueError):
        meaning = _NO_PIN
    if meaning is None:
        return OutputError(f"{thing}: {said or type(error).__name__}; rigloop doctor shows what this board has")
    return OutputError(f"{thing}: {meaning}")
