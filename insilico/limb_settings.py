"""What a behaving mouse looks like, and where it sits in the frame: settings and geometry of its picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import InputError

NAMES = ("fl_l", "fl_r", "snout")
"""Body parts, in the order of the rows of ``LimbGeometry.points``: CLoPy's names."""
MIN_WIDTH, MIN_HEIGHT = 120, 90

Point = tuple[float, float]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LimbSceneSettings:
    """A head-fixed mouse seen from the side, whose left paw rests in the start circle and can reach the target.

    Attributes
    ----------
    start_center, target_center : (float, float)
        Column and row, px, of the left paw's place of rest, and of what it reaches for.
    ppmm : float
        Pixels per mm of movement. The mouse is drawn at this scale too, or at a smaller one where it would not fit.
    hues : (float or None, float or None)
        Colour of the marker on the left and on the right paw, as a hue of OpenCV (0 to 179); None for a bare paw.
        Green and red, far apart on the hue circle and from fur and skin.
    noise_sd : float
        Sensor noise of each pixel and channel, counts; chosen as for an 8-bit camera at low gain.
    """

    start_center: Point = (128.0, 128.0)
    target_center: Point = (128.0, 96.0)
    ppmm: float = 3.5
    hues: tuple[float | None, float | None] = (60.0, 0.0)
    noise_sd: float = 2.5

    def __post_init__(self) -> None:
        same = math.dist(self.start_center, self.target_center) < 1
        wrong = [
            (not 0.1 <= self.ppmm <= 1000, f"ppmm is {self.ppmm}; give 0.1 to 1000"),
            (not 0 <= self.noise_sd <= 50, f"noise_sd is {self.noise_sd}; give 0 to 50"),
            (same, "start_center and target_center are one place; move target_center"),
            *(
                (hue is not None and not 0 <= hue < 180, f"the hue {hue} of a marker is none; give 0 to 179")
                for hue in self.hues
            ),
        ]
        problems = [text for bad, text in wrong if bad]
        if problems:
            raise InputError("the mouse's picture: " + "; ".join(problems))


class Paws(NamedTuple):
    """How far the paws are from their places of rest: x to the right and y down in the image, mm."""

    left: Point = (0.0, 0.0)
    right: Point = (0.0, 0.0)


def leaning(left: Point) -> Paws:
    """Return where the paws are when the left one reaches: the mouse leans a little on the other."""
    return Paws(left, (LEAN * left[0], LEAN * left[1]))


LEAN = -0.08
"""Movement of the right paw over that of the left; chosen to be small."""

SNOUT = (16.6, -15.6)
_SHOULDERS = ((-4.5, -14.5), (-9.5, -13.5))
_RIGHT_PAW = (-9.0, 1.0)
_ARM = (11.0, 13.5)
"""Upper arm and forearm with hand, mm of the drawing; the mouse of ``insilico.limb_layers`` has its axes."""
_MARGIN_MM = 3.0


class LimbGeometry:
    """Where everything is, px. The drawing has axes of its own: mm from the resting left paw, forward and down.

    Parameters
    ----------
    settings : LimbSceneSettings
    height, width : int
        Of the frame, px; 90 and 120 at least.

    Attributes
    ----------
    scale : float
        px per mm of the drawing: ``ppmm``, or less where head and snout would leave the frame.
    face : int
        1 if the mouse looks to the right, else -1: towards the target, or where that lies above or below, away from
        the middle of the frame, where its body has room.
    axis, across : (float, float)
        Unit vectors in the image: from start to target, and across, upwards.
    reach_mm : float
        From start to target, mm.
    arm_px : (float, float)
        Lengths of upper arm and forearm, px; longer than the drawing's where a reach beyond the target asks for it.

    Raises
    ------
    InputError
        For a frame that is too small, and a start or target that is not in it.
    """

    def __init__(self, settings: LimbSceneSettings, height: int, width: int) -> None:
        _check(settings, height, width)
        self.settings = settings
        self.height, self.width = height, width
        start, target = np.asarray(settings.start_center), np.asarray(settings.target_center)
        step = target - start
        length = float(np.hypot(*step))
        away = 1 if start[0] >= width / 2 else -1
        self.face = int(np.sign(step[0])) if abs(step[0]) > 0.35 * length else away
        room = start[0] if self.face < 0 else width - 1 - start[0]
        fits = min(room / (SNOUT[0] + 2), start[1] / (6 - SNOUT[1]), height / 30)
        self.scale = max(min(settings.ppmm, fits), height / 160)
        self.reach_mm = length / settings.ppmm
        self.axis = (float(step[0]) / length, float(step[1]) / length)
        up = (self.axis[1], -self.axis[0])
        flip = up[1] > 1e-9 or (abs(up[1]) <= 1e-9 and up[0] * self.face < 0)
        self.across = (-up[0], -up[1]) if flip else up
        self.shoulders = (self.at(*_SHOULDERS[0]), self.at(*_SHOULDERS[1]))
        self.rests = (settings.start_center, self._inside(self.at(*_RIGHT_PAW)))
        self.snout = self.at(*SNOUT)
        ways = [start + 1.2 * step + side * length * np.asarray(self.across) for side in (-0.25, 0.25)]
        needed = 1.02 * max(math.dist(self.shoulders[0], way) for way in ways)
        longer = max(1.0, needed / (sum(_ARM) * self.scale))
        self.arm_px = (_ARM[0] * self.scale * longer, _ARM[1] * self.scale * longer)

    def at(self, forward_mm: float, down_mm: float) -> Point:
        """Return column and row of a place of the drawing."""
        col, row = self.settings.start_center
        return col + self.face * forward_mm * self.scale, row + down_mm * self.scale

    def points(self, paws: Paws) -> Floats:
        """Return column and row of each of ``NAMES``; (3, 2) float64 px, (0, 0) the centre of the top left pixel."""
        moved = [
            (rest[0] + by[0] * self.settings.ppmm, rest[1] + by[1] * self.settings.ppmm)
            for rest, by in zip(self.rests, paws, strict=True)
        ]
        return np.array([*moved, self.snout])

    def along(self, axis_mm: float, across_mm: float) -> Point:
        """Return a displacement, mm in the image, from its parts along ``axis`` and ``across``, kept within reach."""
        x = axis_mm * self.axis[0] + across_mm * self.across[0]
        y = axis_mm * self.axis[1] + across_mm * self.across[1]
        col, row = self.points(Paws((x, y)))[0]
        shoulder, longest = self.shoulders[0], 0.99 * sum(self.arm_px)
        far = math.dist(shoulder, (col, row))
        if far > longest:
            col = shoulder[0] + (col - shoulder[0]) * longest / far
            row = shoulder[1] + (row - shoulder[1]) * longest / far
        # Last: a bone may stretch, but a paw that is not in the frame has no place.
        col, row = self._inside((float(col), float(row)))
        start, ppmm = self.settings.start_center, self.settings.ppmm
        return (col - start[0]) / ppmm, (row - start[1]) / ppmm

    def _inside(self, point: Point | Floats) -> Point:
        """Return the nearest place at which a paw is in the frame; start and target may be nearer to its edge."""
        (col, row), margin = point, _MARGIN_MM * self.scale
        places = (self.settings.start_center, self.settings.target_center)
        low_col, low_row = (min(margin, *(place[i] for place in places)) for i in (0, 1))
        sizes = (self.width, self.height)
        high_col, high_row = (max(sizes[i] - 1 - margin, *(place[i] for place in places)) for i in (0, 1))
        return min(max(float(col), low_col), high_col), min(max(float(row), low_row), high_row)


def _check(settings: LimbSceneSettings, height: int, width: int) -> None:
    if height < MIN_HEIGHT or width < MIN_WIDTH:
        raise InputError(
            f"the mouse's picture: a frame of {width}x{height} px is too small for it; raise resolution to "
            f"{MIN_WIDTH}x{MIN_HEIGHT} at least"
        )
    for name in ("start_center", "target_center"):
        col, row = getattr(settings, name)
        if not (0 <= col <= width - 1 and 0 <= row <= height - 1):
            raise InputError(
                f"the mouse's picture: {name} {col:g}, {row:g} lies outside the {width}x{height} px frame; move it, or "
                "raise resolution"
            )
