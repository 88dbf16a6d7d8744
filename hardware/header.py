"""The 40-pin header that a Raspberry Pi and a Jetson share: which place carries which line. Pure facts."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from hardware.settings import Numbering

BCM_OF_PLACE: Final = MappingProxyType({
    3: 2, 5: 3, 7: 4, 8: 14, 10: 15, 11: 17, 12: 18, 13: 27, 15: 22, 16: 23, 18: 24, 19: 10, 21: 9, 22: 25, 23: 11,
    24: 8, 26: 7, 27: 0, 28: 1, 29: 5, 31: 6, 32: 12, 33: 13, 35: 19, 36: 16, 37: 26, 38: 20, 40: 21,
})  # fmt: skip
"""Place on the header (BOARD numbering) to the chip's line (BCM numbering)."""

PLACE_OF_BCM: Final = MappingProxyType({line: place for place, line in BCM_OF_PLACE.items()})

POWER_OF_PLACE: Final = MappingProxyType(
    dict.fromkeys((1, 17), "3.3 V") | dict.fromkeys((2, 4), "5 V")
    | dict.fromkeys((6, 9, 14, 20, 25, 30, 34, 39), "ground")
)  # fmt: skip
"""Places that carry power and can never be lines."""

ID_LINES: Final = frozenset({0, 1})
"""BCM lines that read the memory of an add-on board when the computer starts."""
SERIAL_LINES: Final = frozenset({14, 15})
"""BCM lines that the serial console talks on when the computer starts."""
I2C_LINES: Final = MappingProxyType({0: frozenset({0, 1}), 1: frozenset({2, 3})})
"""I2C bus of a Raspberry Pi to its BCM lines. Those of bus 1 have resistors that pull them up."""


def bcm_of(pin: int, numbering: Numbering) -> int | None:
    """Return a pin's BCM line, or None if there is none."""
    if numbering is Numbering.bcm:
        return pin if pin in PLACE_OF_BCM else None
    return BCM_OF_PLACE.get(pin)
