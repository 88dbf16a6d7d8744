"""How many pixels make a millimetre: from two points that a person reads off a picture, or a length. Pure."""

from __future__ import annotations

import math

from core.errors import InputError

Point = tuple[float, float]


def px_per_mm(first: Point, second: Point, mm: float) -> float:
    """Return px per mm, to 4 decimals, where two points (x, y; px) lie ``mm`` apart. Raises InputError."""
    px = math.hypot(second[0] - first[0], second[1] - first[1])
    if not px >= 2:
        raise InputError(f"the two points lie {px:g} px apart; take two that are far apart in the image")
    return scale_of_length(px, mm)


def scale_of_length(px: float, mm: float) -> float:
    """Return px per mm of a length, to 4 decimals. Raises InputError."""
    if not (0 < mm < math.inf and 0 < px < math.inf):
        raise InputError(f"{px:g} px are {mm:g} mm: give lengths above 0")
    return round(px / mm, 4)


def scale_error(px: float, clicked_px: float = 1.0) -> float:
    """Return the share by which the scale is uncertain when each end is read to ``clicked_px``."""
    return math.sqrt(2) * clicked_px / px
