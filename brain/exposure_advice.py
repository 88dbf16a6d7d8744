"""How to expose better: a shutter time and a sensitivity that bring an image's bright ROIs into the range. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from brain.exposure import DARK_COUNTS, Channel, saturation_counts
from core.values import Image
from roi_manager import Shape

AIM = 0.7
"""Where the brightest pixels of the ROIs should lie, as a share of the range: dF/F of 40 % is then not clipped."""
LOW = 0.35
"""Brightest pixels below this share of the range waste half of it."""
BRIGHT_PERCENTILE = 98.0
"""Of an ROI's pixels; one hot pixel is not what is exposed for."""
MAX_STEP = 4.0
"""Most that is advised at once: what the camera takes away from its counts is not known, and so the next look tells."""
CLIPPED_STEP = 0.5
"""What saturated ROIs are lowered to: by how much the light is above the range cannot be seen."""
FRAME_SHARE = 0.9
"""Longest shutter time, as a share of the time between frames: a sensor needs the rest to be read."""
LOWEST_ISO, HIGHEST_ISO = 100, 800
"""Gain 1, and the highest that is advised; above it noise grows more than the signal."""


ENOUGH = 1.1
"""A factor nearer to 1 is not worth another key."""


class Advice(NamedTuple):
    """What to set; None leaves a key as it is.

    Attributes
    ----------
    factor : float
        By which the image should become brighter; 1 where it is right.
    shutter_speed : int or None
        us.
    iso : int or None
    """

    factor: float
    shutter_speed: int | None = None
    iso: int | None = None


class Clipped(NamedTuple):
    """Which pixels of an image tell nothing; (height, width) bool."""

    saturated: npt.NDArray[np.bool_]
    dark: npt.NDArray[np.bool_]


def clipped_pixels(image: Image, channels: Sequence[Channel]) -> Clipped:
    """Return the pixels that are saturated, and those that are dark, in any of these channels.

    Parameters
    ----------
    image : (height, width, 3) uint8 or uint16
    channels : sequence of Channel
    """
    planes = image[:, :, [channel.value for channel in channels]]
    top, darkest = saturation_counts(image), DARK_COUNTS[image.dtype.name]
    return Clipped((planes >= top).any(axis=2), (planes < darkest).any(axis=2))


def brightness(image: Image, rois: Mapping[str, Shape], channels: Sequence[Channel]) -> float:
    """Return where the brightest pixels of the brightest ROI lie, as a share of the range; NaN without ROIs.

    Parameters
    ----------
    image : (height, width, 3) uint8 or uint16
    rois : mapping of str to Rect, Circle or Polygon
        Must lie in the image.
    channels : sequence of Channel
    """
    top = saturation_counts(image)
    shares = [math.nan]
    for shape in rois.values():
        x0, y0, x1, y1 = shape.bounds()
        pixels = image[y0:y1, x0:x1][shape.mask()]
        shares += [float(np.percentile(pixels[:, channel.value], BRIGHT_PERCENTILE)) / top for channel in channels]
    return float(np.nanmax(shares)) if len(shares) > 1 else math.nan


def advise(share: float, saturated: bool, shutter_speed: int, iso: int, framerate: float) -> Advice:
    """Return what to set so that the ROIs use the range.

    Brighter is made by the shutter first, which costs nothing but time, then by iso; darker by iso first, down to gain
    1. A key that is 0 is left to the camera, and not advised.

    Parameters
    ----------
    share : float
        As ``brightness`` gives it; NaN advises nothing.
    saturated : bool
        Whether an ROI is.
    shutter_speed : int
        us.
    iso : int
    framerate : float
        Frames/s.
    """
    if saturated:
        factor = CLIPPED_STEP
    elif share < LOW:
        factor = min(MAX_STEP, AIM / max(share, 1e-6))
    else:
        return Advice(1.0)
    return _lower(factor, shutter_speed, iso) if factor < 1 else _raise(factor, shutter_speed, iso, framerate)


def _raise(factor: float, shutter_speed: int, iso: int, framerate: float) -> Advice:
    longest = FRAME_SHARE * 1e6 / framerate
    left = factor
    shutter = gain = None
    if 0 < shutter_speed < longest and (wanted := _neat(min(longest, shutter_speed * left))) > shutter_speed:
        shutter = wanted
        left /= shutter / shutter_speed
    if left > ENOUGH and 0 < iso < HIGHEST_ISO and (wanted := _neat(min(HIGHEST_ISO, iso * left))) > iso:
        gain = wanted
    return Advice(factor, shutter, gain)


def _lower(factor: float, shutter_speed: int, iso: int) -> Advice:
    left = factor
    shutter = gain = None
    if iso > LOWEST_ISO:
        gain = max(LOWEST_ISO, _neat(iso * left))
        left /= gain / iso
    if left < 1 / ENOUGH and shutter_speed > 1:
        shutter = max(1, _neat(shutter_speed * left))
    return Advice(factor, shutter, gain)


def _neat(value: float) -> int:
    """Return a number above 0 cut to two digits, as a person would set it."""
    step: int = 10 ** max(0, math.floor(math.log10(max(value, 1.0))) - 1)
    return int(value // step) * step
