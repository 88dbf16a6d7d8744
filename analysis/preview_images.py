"""The three images of a preview, as arrays: as seen, limits of the dF/F map, and what is saturated or dark. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from brain.exposure import DARK_COUNTS, Channel
from brain.settings import DffMode
from core.values import Image

Float32 = npt.NDArray[np.float32]
Rgb = npt.NDArray[np.uint8]

SATURATED_RGB, DARK_RGB = (213, 94, 0), (86, 180, 233)
"""Okabe and Ito's vermillion and sky blue, which colour-blind people can tell apart."""
LIMITS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Ends of the dF/F map's scale: few, so that it does not flicker from picture to picture."""


class Clipped(NamedTuple):
    """What part of the image is saturated and dark in one channel, fractions."""

    channel: Channel
    saturated: float
    dark: float


def as_seen(image: Image, top: int, mode: DffMode) -> Rgb:
    """Return the image as a person sees it, (height, width, 3) uint8 RGB; green alone, in grey, where the mode uses no
    other channel. Counts of ``top`` are white.
    """
    return _eight_bits(image[:, :, [1, 1, 1]], top) if mode is DffMode.green else in_colour(image, top)


def in_colour(image: Image, top: int) -> Rgb:
    """Return the image as (height, width, 3) uint8 RGB. Counts of ``top`` are white."""
    return _eight_bits(image[:, :, ::-1], top)


def whole_shares(image: Image, top: int) -> tuple[float, float]:
    """Return what part of an image is saturated, in any channel, and what part is dark in all of them; fractions."""
    dark = image.max(axis=2) < DARK_COUNTS[image.dtype.name]
    return float((image >= top).any(axis=2).mean()), float(dark.mean())


def clipping(image: Image, top: int, channels: Sequence[Channel]) -> tuple[Rgb, list[Clipped]]:
    """Return the image in grey with its saturated and its dark pixels in colour, and their shares by channel.

    A pixel that is saturated in a channel and dark in another is shown as saturated.

    Parameters
    ----------
    image : (height, width, 3) uint8 or uint16
        BGR.
    top : int
        Counts from which on a pixel is saturated.
    channels : sequence of Channel
        Those that are used.
    """
    darkest = DARK_COUNTS[image.dtype.name]
    planes = [image[:, :, channel.value] for channel in channels]
    saturated, dark = [plane >= top for plane in planes], [plane < darkest for plane in planes]
    grey = _eight_bits(np.max(planes, axis=0), top)
    shown = np.repeat(grey[:, :, None], 3, axis=2)
    shown[np.any(dark, axis=0)] = DARK_RGB
    shown[np.any(saturated, axis=0)] = SATURATED_RGB
    shares = zip(channels, saturated, dark, strict=True)
    return shown, [Clipped(channel, float(bright.mean()), float(low.mean())) for channel, bright, low in shares]


def smooth(dff: Float32) -> Float32:
    """Return each pixel's mean over the box of ``box_px`` around it, of the pixels that are known; (height, width).

    A single pixel's noise is several times the dF/F that is looked for. NaN where no pixel of the box is known.
    """
    side = box_px(dff.shape[1])
    known = np.isfinite(dff)
    total = _box_sum(np.where(known, dff, 0), side)
    count = _box_sum(known, side)
    mean = np.divide(total, count, out=np.full(dff.shape, np.nan), where=count > 0.5)
    return mean.astype(np.float32)


def box_px(width: int) -> int:
    """Return the side of the box that a map is smoothed with, px, odd: a fiftieth of the image's width."""
    return width // 50 | 1


def _box_sum(values: npt.NDArray[Any], side: int) -> npt.NDArray[np.float64]:
    """Return the sum over a box of ``side`` px around each pixel, what lies outside the image being 0."""
    before, after = side // 2 + 1, side // 2
    total = np.pad(values, ((before, after), (before, after))).cumsum(0, dtype=np.float64).cumsum(1)
    boxes: npt.NDArray[np.float64] = (
        total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    )
    return boxes


def map_limit(dff: Float32) -> float:
    """Return the end of the map's scale, a fraction: the first of ``LIMITS`` that holds 99 % of its pixels."""
    known = np.abs(dff[np.isfinite(dff)])
    reach = float(np.percentile(known, 99)) if known.size else 0.0
    return next((limit for limit in LIMITS if reach <= limit), LIMITS[-1])


def _eight_bits(counts: Image, top: int) -> Rgb:
    """Return counts with ``top`` at 255."""
    if counts.dtype == np.uint8:
        return np.ascontiguousarray(counts)
    scaled: Rgb = np.minimum(counts.astype(np.float32) * np.float32(255 / top), 255).astype(np.uint8)
    return scaled
