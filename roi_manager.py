"""Regions of interest: rectangles, circles and polygons in px, their masks, and their text in config.ini.

Coordinates are continuous: x runs along columns, y along rows, and the pixel in row i, column j is the unit square
from (j, i) to (j + 1, i + 1), so that its centre is (j + 0.5, i + 0.5). ``Rect(124, 60, 8, 8)`` is thus the columns
124 to 131, and is centred on x = 128. A pixel belongs to an ROI when its centre does.
"""

from __future__ import annotations

import math
import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsFloat, SupportsIndex

import numpy as np
import numpy.typing as npt

from helper import Position

Mask = npt.NDArray[np.bool_]

MAX_COORDINATE_PX = 16_384
"""No camera of a rig is wider; chosen because a slip of the keyboard must not ask for gigabytes."""
MAX_BOX_PX = 1 << 24
"""Largest bounding box, in pixels (16.8 million)."""
MAX_POINTS = 1000
"""Most corners of a polygon."""

_SYNTAX = "write 'x,y,w,h', 'circle x,y,r' or 'polygon x,y x,y x,y ...' (px)"
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


class _Region(ABC):
    """What every ROI tells."""

    __slots__ = ()

    @abstractmethod
    def bounds(self) -> tuple[int, int, int, int]:
        """Return (x0, y0, x1, y1): the box of columns x0 to x1 - 1 and rows y0 to y1 - 1."""

    @abstractmethod
    def mask(self) -> Mask:
        """Return (y1 - y0, x1 - x0) bool of that box."""

    @property
    def area_px(self) -> int:
        """Number of pixels in the mask."""
        return int(np.count_nonzero(self.mask()))

    def fits(self, width: int, height: int) -> bool:
        """Return whether the box lies wholly in an image of ``width`` x ``height`` px."""
        x0, y0, x1, y1 = self.bounds()
        return x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height


@dataclass(frozen=True, slots=True)
class Rect(_Region):
    """A rectangle of whole pixels.

    Attributes
    ----------
    x, y : int
        First column and first row, px.
    w, h : int
        Number of columns and of rows, px, 1 or more.

    Raises
    ------
    ValueError
        If a value is not a whole number, a size is not positive, or a value is too large.
    """

    x: int
    y: int
    w: int
    h: int

    def __post_init__(self) -> None:
        for name in ("x", "y", "w", "h"):
            object.__setattr__(self, name, _whole(getattr(self, name), f"{name} of a rectangle"))
        if self.w < 1 or self.h < 1:
            raise ValueError(f"a rectangle of {self.w} x {self.h} px is empty; give a width and a height of 1 or more")
        _check_box(self.bounds())

    @classmethod
    def around(cls, position: Position, width_px: int, height_px: int) -> Rect:
        """Return the rectangle centred on ``position``.

        The first column is ``col - width_px / 2``, the first row ``row - height_px / 2``, both rounded down, as in
        CLoPy: centre (128, 128) and 8 x 8 px give columns and rows 124 to 131; 7 x 7 px give 124 to 130.
        """
        if not (math.isfinite(position.row) and math.isfinite(position.col)):
            raise ValueError(f"an ROI cannot be centred on {tuple(position)}; give finite px")
        x, y = math.floor(position.col - width_px / 2), math.floor(position.row - height_px / 2)
        return cls(x, y, width_px, height_px)

    def bounds(self) -> tuple[int, int, int, int]:
        """Return (x0, y0, x1, y1): columns x0 to x1 - 1, rows y0 to y1 - 1."""
        return self.x, self.y, self.x + self.w, self.y + self.h

    def mask(self) -> Mask:
        """Return (h, w) bool, all True."""
        return np.ones((self.h, self.w), np.bool_)

    def text(self) -> str:
        """Return ``"x,y,w,h"``; ``parse_roi`` gives this rectangle back."""
        return f"{self.x},{self.y},{self.w},{self.h}"


@dataclass(frozen=True, slots=True)
class Circle(_Region):
    """A disc.

    Attributes
    ----------
    x, y : float
        Centre, px.
    r : float
        Radius, px, above 0.

    Raises
    ------
    ValueError
        If a value is not finite or too large, the radius is not positive, or no pixel has its centre in the disc.
    """

    x: float
    y: float
    r: float

    def __post_init__(self) -> None:
        for name in ("x", "y", "r"):
            object.__setattr__(self, name, _finite(getattr(self, name), f"{name} of a circle"))
        if self.r <= 0:
            raise ValueError(f"a circle of radius {self.r} px is empty; give a radius above 0")
        _check_covers(self)

    def bounds(self) -> tuple[int, int, int, int]:
        """Return (x0, y0, x1, y1): the rows and columns whose pixel centres lie between the disc's extremes."""
        return _box(self.x - self.r, self.y - self.r, self.x + self.r, self.y + self.r)

    def mask(self) -> Mask:
        """Return (y1 - y0, x1 - x0) bool: True where the pixel's centre lies at most ``r`` from (x, y)."""
        x0, y0, x1, y1 = self.bounds()
        dx = np.arange(x0, x1) + 0.5 - self.x
        dy = np.arange(y0, y1) + 0.5 - self.y
        inside: Mask = (dx * dx)[None, :] + (dy * dy)[:, None] <= self.r * self.r
        return inside

    def text(self) -> str:
        """Return ``"circle x,y,r"``; ``parse_roi`` gives this circle back."""
        return f"circle {_number_text(self.x)},{_number_text(self.y)},{_number_text(self.r)}"


@dataclass(frozen=True, slots=True)
class Polygon(_Region):
    """A closed polygon; the last corner is joined to the first.

    Attributes
    ----------
    points : tuple of (x, y) floats
        At least 3 corners, px. Where sides cross each other, the even-odd rule holds.

    Raises
    ------
    ValueError
        If there are fewer than 3 or more than ``MAX_POINTS`` corners, a value is not finite or too large, or no pixel
        has its centre in the polygon.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        corners = []
        for number, point in enumerate(self.points, 1):
            if len(point) != 2:
                raise ValueError(f"corner {number} of a polygon has {len(point)} values: {point!r}; give x,y")
            what = f"corner {number} of a polygon"
            corners.append((_finite(point[0], f"x of {what}"), _finite(point[1], f"y of {what}")))
        if not 3 <= len(corners) <= MAX_POINTS:
            raise ValueError(f"a polygon of {len(corners)} corners is not possible; give 3 to {MAX_POINTS}")
        object.__setattr__(self, "points", tuple(corners))
        _check_covers(self)

    def bounds(self) -> tuple[int, int, int, int]:
        """Return (x0, y0, x1, y1): the rows and columns whose pixel centres lie between the extreme corners."""
        xs, ys = [x for x, _ in self.points], [y for _, y in self.points]
        return _box(min(xs), min(ys), max(xs), max(ys))

    def mask(self) -> Mask:
        """Return (y1 - y0, x1 - x0) bool of the bounding box.

        True where an odd number of sides lie left of the pixel's centre or on it. A centre on a left or upper side is
        thus inside, on a right or lower one outside: polygons that share a side, run either way, share no pixel.
        """
        x0, y0, x1, y1 = self.bounds()
        flips = np.zeros((y1 - y0, x1 - x0 + 1), np.bool_)
        centres = np.arange(y0, y1) + 0.5
        for side in zip(self.points, self.points[1:] + self.points[:1], strict=True):
            # From the upper corner to the lower, whichever comes first: the neighbour must round to the same bits.
            (xa, ya), (xb, yb) = sorted(side, key=lambda corner: corner[::-1])
            rows = np.flatnonzero((ya <= centres) & (centres < yb))
            crossing = xa + (centres[rows] - ya) * (xb - xa) / (yb - ya)
            first = np.ceil(np.clip(crossing, min(xa, xb), max(xa, xb)) - 0.5).astype(np.int64)
            flips[rows, first - x0] ^= True
        inside: Mask = np.logical_xor.accumulate(flips, axis=1)[:, :-1]
        return inside

    def text(self) -> str:
        """Return ``"polygon x,y x,y x,y ..."``; ``parse_roi`` gives this polygon back."""
        return "polygon " + " ".join(f"{_number_text(x)},{_number_text(y)}" for x, y in self.points)


Shape = Rect | Circle | Polygon


def parse_roi(text: str) -> Shape:
    """Read an ROI from its text in config.ini.

    Parameters
    ----------
    text : str
        ``x,y,w,h`` (a rectangle, whole px), ``circle x,y,r`` or ``polygon x,y x,y x,y ...`` (px, fractions allowed).
        Blanks around commas are ignored, as is the case of the words.

    Raises
    ------
    ValueError
        With what is wrong, the value, and what to write instead.
    """
    fields = re.sub(r"\s*,\s*", ",", text.strip()).split()
    word = fields[0].lower() if fields else ""
    if word == "circle" and len(fields) == 2:
        x, y, r = _numbers(fields[1], 3, text)
        return Circle(x, y, r)
    if word == "polygon":
        corners = [_numbers(field, 2, text) for field in fields[1:]]
        return Polygon(tuple((x, y) for x, y in corners))
    if len(fields) == 1:
        parts = fields[0].split(",")
        if len(parts) == 4 and all(_WHOLE.fullmatch(part) for part in parts):
            return Rect(*(int(part) for part in parts))
        if len(parts) == 4 and all(_NUMBER.fullmatch(part) for part in parts):
            raise ValueError(f"ROI {_short(text)}: a rectangle is made of whole pixels; round its four values")
    raise ValueError(f"ROI {_short(text)} cannot be read; {_SYNTAX}")


def _numbers(field: str, count: int, text: str) -> Sequence[float]:
    parts = field.split(",")
    if len(parts) != count or not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValueError(f"ROI {_short(text)}: {_short(field)} is not {count} numbers; {_SYNTAX}")
    return [float(part) for part in parts]


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _number_text(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _whole(value: SupportsIndex, what: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(f"{what} is {value!r}; give whole px") from None


def _finite(value: SupportsFloat, what: str) -> float:
    number = float(value)
    # Also catches NaN, which compares false to everything.
    if not abs(number) <= MAX_COORDINATE_PX:
        raise ValueError(f"{what} is {number}; give px between -{MAX_COORDINATE_PX} and {MAX_COORDINATE_PX}")
    return number


def _box(x_min: float, y_min: float, x_max: float, y_max: float) -> tuple[int, int, int, int]:
    """Return the pixels whose centres lie in a closed box of continuous coordinates; may be empty."""
    return math.ceil(x_min - 0.5), math.ceil(y_min - 0.5), math.floor(x_max - 0.5) + 1, math.floor(y_max - 0.5) + 1


def _check_box(bounds: tuple[int, int, int, int]) -> None:
    x0, y0, x1, y1 = bounds
    if max(abs(edge) for edge in bounds) > 2 * MAX_COORDINATE_PX or (x1 - x0) * (y1 - y0) > MAX_BOX_PX:
        raise ValueError(f"an ROI of columns {x0} to {x1} and rows {y0} to {y1} is too large; give px inside the image")


def _check_covers(shape: Circle | Polygon) -> None:
    x0, y0, x1, y1 = shape.bounds()
    _check_box((x0, y0, x1, y1))
    if x0 >= x1 or y0 >= y1 or not shape.mask().any():
        raise ValueError(f"ROI {_short(shape.text())} covers no pixel centre; make it larger")
