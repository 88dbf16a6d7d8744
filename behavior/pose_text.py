"""Reads the keys ``markers`` and ``dlc_cropping`` of config.ini. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from core.errors import InputError

HUES = 180
"""Hues of OpenCV at 8 bits: 0 to 179, two degrees each."""
COLOURS = {
    "red": (170, 10),
    "orange": (11, 22),
    "yellow": (23, 33),
    "green": (36, 85),
    "cyan": (86, 100),
    "blue": (101, 130),
    "magenta": (140, 169),
}
"""First and last hue of each name; chosen round the hues 0, 15, 30, 60, 90, 120 and 150 of the pure colours, without
overlap. Red goes over the end of the scale."""
_HUES = re.compile(r"(\d{1,3})-(\d{1,3})")
_EXAMPLE = "write each as part and colour: fl_l green, fl_r 170-10"


class Marker(NamedTuple):
    """A body part and the colour of its marker.

    Attributes
    ----------
    name : str
    first, last : int
        First and last hue, 0 to 179; where the first is greater, the range goes over the end of the scale.
    """

    name: str
    first: int
    last: int

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The hues as ranges that do not go over the end of the scale, both ends included."""
        if self.first <= self.last:
            return ((self.first, self.last),)
        return ((self.first, HUES - 1), (0, self.last))

    @property
    def hues(self) -> frozenset[int]:
        """All its hues."""
        return frozenset(hue for first, last in self.ranges for hue in range(first, last + 1))


class Window(NamedTuple):
    """Part of a frame, px: columns ``x1`` to before ``x2``, rows ``y1`` to before ``y2``."""

    x1: int
    x2: int
    y1: int
    y2: int


def parse_markers(text: str) -> tuple[Marker, ...]:
    """Read ``fl_l green, fl_r 170-10``.

    Raises
    ------
    InputError
        What is wrong, without the name of the key.
    """
    markers = tuple(_marker(item.split()) for item in text.split(",") if item.strip())
    if not markers:
        raise InputError(f"there is no marker; {_EXAMPLE}")
    for index, marker in enumerate(markers):
        for other in markers[:index]:
            if marker.name == other.name:
                raise InputError(f"{marker.name} is there twice; leave one out")
            if shared := marker.hues & other.hues:
                raise InputError(
                    f"{other.name} and {marker.name} would be the same marker: both have hue {min(shared)}; give each "
                    "body part hues of its own"
                )
    return markers


def _marker(words: list[str]) -> Marker:
    if len(words) != 2:
        raise InputError(f"{' '.join(words)!r} is no marker; {_EXAMPLE}")
    name, colour = words
    if colour in COLOURS:
        return Marker(name, *COLOURS[colour])
    hues = _HUES.fullmatch(colour)
    if hues is None:
        raise InputError(f"{colour!r} is no colour; use {', '.join(COLOURS)} or hues such as 36-85")
    first, last = int(hues[1]), int(hues[2])
    if max(first, last) >= HUES:
        raise InputError(f"{colour} has a hue above {HUES - 1}; hues of OpenCV are half the degrees, 0 to {HUES - 1}")
    return Marker(name, first, last)


def parse_cropping(text: str) -> Window | None:
    """Read ``x1, x2, y1, y2``; None for an empty text: the whole frame.

    Raises
    ------
    InputError
        What is wrong, without the name of the key.
    """
    if not text.strip():
        return None
    words = [word.strip() for word in text.split(",")]
    if len(words) != 4 or not all(re.fullmatch(r"\d{1,5}", word) for word in words):
        raise InputError(f"{text!r} is not four whole numbers; write x1, x2, y1, y2 in px, such as 0, 320, 100, 240")
    window = Window(*map(int, words))
    if window.x1 >= window.x2 or window.y1 >= window.y2:
        raise InputError(f"{text!r} is empty: x1 must be below x2 and y1 below y2")
    return window
