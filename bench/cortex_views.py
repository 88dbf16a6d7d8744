"""Pictures of a mouse's cortex on two days, with a known shift and rotation between them: to try the comparison on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insilico.resting_light import draw_texture
from insilico.vessels import draw_vessels

Grey = npt.NDArray[np.float32]

CORTEX_MM = 10.0
"""Width of the picture: that of a dorsal window."""
MARGIN = 1.6
"""The canvas is so many times wider than the picture, so that no shift or rotation shows its edge."""
BRIGHTNESS = 110.0
VESSEL_DARKNESS, VESSEL_BLOOD, ABSORPTION, TEXTURE, VIGNETTE = 0.45, 2.0, 0.3, 0.04, 0.3
"""Those of ``insilico.optics_settings.OpticsSettings``."""
ELECTRONS_PER_COUNT, READ_NOISE_E = 40.0, 5.0


@dataclass(frozen=True, slots=True)
class Day:
    """What differs from day to day, beside where the camera is.

    Attributes
    ----------
    gain : float
        Brightness, relative to the first day.
    tilt : float
        Light is this much stronger at the right edge, and weaker at the left, a fraction.
    blood : float
        Fractional change of total haemoglobin; more over vessels.
    expression : float
        Part of the expression's pattern that is another one by now, 0 to 1.
    widening : float
        Of the vessels' darkness.
    blur_px : float
        Standard deviation of what is out of focus.
    images : int
        How many images the picture is the mean of.
    """

    gain: float = 1.0
    tilt: float = 0.0
    blood: float = 0.0
    expression: float = 0.0
    widening: float = 1.0
    blur_px: float = 0.0
    images: int = 8


FIRST_DAY = Day(images=30)


class Cortex:
    """The vessels and the expression of one mouse.

    Parameters
    ----------
    seed : int
    side_px : int
        Of the square picture.
    """

    def __init__(self, seed: int, side_px: int = 256) -> None:
        self._side = side_px
        self._big = round(side_px * MARGIN / 2) * 2 + side_px % 2
        ppmm = side_px / CORTEX_MM
        rng = np.random.default_rng(seed)
        self._dark = draw_vessels((self._big, self._big), ppmm, 0.5 * (self._big - 1), rng)
        self._expressed, self._later = (draw_texture((self._big, self._big), ppmm, rng) for _ in range(2))

    def snap(self, shift: tuple[float, float], deg: float, day: Day, rng: np.random.Generator) -> Grey:
        """Return the picture, (side, side) float32 counts, turned clockwise about its centre and then shifted (px)."""
        import cv2

        kept, new = math.sqrt(1 - day.expression), math.sqrt(day.expression)
        dark = np.clip(day.widening * self._dark, 0, 1)
        expressed = kept * self._expressed + new * self._later
        seen = (1 - VESSEL_DARKNESS * dark) * np.maximum(1 + TEXTURE * expressed, 0)
        seen *= 1 - ABSORPTION * day.blood * (1 + VESSEL_BLOOD * dark)
        if day.blur_px:
            seen = cv2.GaussianBlur(seen, (0, 0), day.blur_px)
        matrix = _turn(deg, shift, (self._big - 1) / 2)
        moved = cv2.warpAffine(
            seen.astype(np.float32), matrix, seen.shape, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        edge = (self._big - self._side) // 2
        row, col = np.mgrid[-1 : 1 : self._side * 1j, -1 : 1 : self._side * 1j]
        light = day.gain * BRIGHTNESS * (1 - VIGNETTE * (row**2 + col**2) / 2 + day.tilt * col)
        return _exposed(light * moved[edge : edge + self._side, edge : edge + self._side], day.images, rng)


def _turn(deg: float, shift: tuple[float, float], centre: float) -> npt.NDArray[np.float64]:
    angle = math.radians(deg)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = np.array([centre, centre])
    return np.hstack([turn, (middle + shift - turn @ middle)[:, None]])


def _exposed(counts: npt.NDArray[np.float64], images: int, rng: np.random.Generator) -> Grey:
    """Return the mean of some images of 8 bits, with shot noise and read noise."""
    noise = np.sqrt(np.maximum(counts, 0) / ELECTRONS_PER_COUNT + (READ_NOISE_E / ELECTRONS_PER_COUNT) ** 2)
    mean = np.zeros_like(counts)
    for _ in range(images):
        mean += np.clip(np.round(counts + noise * rng.standard_normal(counts.shape)), 0, 255)
    return (mean / images).astype(np.float32)
