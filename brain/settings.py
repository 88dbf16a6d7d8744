"""Keys of config.ini that the brain pipeline reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Gt, Le

from core.keys import Key

Px = Annotated[float, Ge(-16_384), Le(16_384)]
Size = Annotated[float, Gt(0), Le(100)]
MAX_HISTORY_S = 600
"""Longest history of dF/F; chosen because fluorescence bleaches within minutes."""


class DffMode(Enum):
    """Which dF/F of an ROI is its signal."""

    green_minus_blue = "green_minus_blue"
    green = "green"
    blue_regressed = "blue_regressed"


@dataclass(frozen=True, slots=True)
class DffSettings:
    """How fluorescence becomes dF/F."""

    dff_history: Annotated[
        float,
        Ge(0.1),
        Le(MAX_HISTORY_S),
        Key("s", "Span of frames, two at least, before the current one that make its baseline F0."),
    ] = 6.0
    dff_mode: Annotated[
        DffMode,
        Key("", "green_minus_blue (dF/F of fluorescence less that of reflectance), green, or blue_regressed."),
    ] = DffMode.green_minus_blue


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Which ROIs make the signal. One of the two keys is given."""

    roi: Annotated[str, Key("", "The one ROI whose dF/F is the signal: a seed with _L or _R, or a roi.NAME key.")] = ""
    roi_operation: Annotated[
        str, Key("", "The signal as a formula of ROIs: + - * / ( ) and numbers, such as BC_L-BC_R.")
    ] = ""


@dataclass(frozen=True, slots=True)
class GeometrySettings:
    """Where the cortex lies in the image."""

    ppmm: Annotated[float, Gt(0), Le(10_000), Key("px/mm", "Pixels per mm of cortex.")] = 25.6
    bregma: Annotated[tuple[Px, Px], Key("px", "Row, column of bregma.")] = (135.0, 128.0)
    roi_size: Annotated[tuple[Size, Size], Key("mm", "Width, height of an ROI that is given as a seed.")] = (0.3, 0.3)
