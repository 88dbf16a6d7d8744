"""Exposure of one image: is an ROI saturated or dark in a channel that its dF/F comes from? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np

from brain.settings import DffMode
from core.values import Image
from roi_manager import Shape

MAX_SATURATED = 0.02
"""Largest fraction of an ROI's pixels that may be saturated. A saturated pixel does not change, so they lower the ROI's
dF/F by their share: 2 % of it is less than its noise. One hot pixel in an ROI of 8 x 8 px (1.6 %) is thus let pass."""
DARK_COUNTS: Mapping[str, float] = {"uint8": 8.0, "uint16": 32.0}
"""An ROI whose mean is below this, counts, is dark. Below 8 of 255 one count is more than 12 % of F0, twice a usual
threshold, and the camera's offset is a good part of the rest. 32 is the same share of a 10-bit camera's range; a deeper
one measures finer, and may use less of its range."""
SATURATED_UINT8 = 254
"""Counts from which on a pixel of 8 bits is saturated; one below the top, since a camera's or a codec's averaging takes
a clipped 255 down by one."""
SATURATED_16_BIT = 65_472
"""The same of 16 bits: the top of 10 bits that a camera has shifted up (1023 * 64); that of 12 and of 14 is above."""
DEPTHS = (10, 12, 14)
"""Bits of cameras that store their counts in uint16 without shifting them up."""


class Channel(Enum):
    """A channel that dF/F comes from; its value is its place in a BGR image."""

    green = 1
    blue = 0


class Verdict(Enum):
    """What is said of an ROI in one channel."""

    good = "good"
    saturated = "saturated"
    dark = "dark"


class Exposure(NamedTuple):
    """How one ROI is exposed in one channel.

    Attributes
    ----------
    roi : str
        Its name.
    channel : Channel
    mean : float
        Mean over the ROI's pixels, counts.
    saturated : float
        Fraction of the ROI's pixels that are saturated, 0 to 1.
    verdict : Verdict
        ``saturated`` before ``dark``, where an ROI is both.
    limit : float
        The bound that was broken: ``MAX_SATURATED``, or counts of ``DARK_COUNTS``; 0 where none was.
    """

    roi: str
    channel: Channel
    mean: float
    saturated: float
    verdict: Verdict
    limit: float = 0.0

    def facts(self) -> dict[str, str | float]:
        """Return this as JSON has it."""
        return {
            "roi": self.roi,
            "channel": self.channel.name,
            "mean": round(self.mean, 2),
            "saturated": round(self.saturated, 4),
            "verdict": self.verdict.value,
            "limit": self.limit,
        }


def used_channels(mode: DffMode) -> tuple[Channel, ...]:
    """Return the channels that a dF/F of this mode looks at: green, and blue where it takes part."""
    return (Channel.green,) if mode is DffMode.green else (Channel.green, Channel.blue)


def saturation_counts(image: Image) -> int:
    """Return the counts from which on a pixel of this image is saturated.

    uint8: ``SATURATED_UINT8``. uint16 does not tell how many bits the camera has, so it is taken to have the fewest of
    10, 12 and 14 that hold the image's brightest value (of any channel), and to saturate at exactly the top of these:
    clipped pixels heap up there. An image brighter than 14 bits has 16, or fewer that were shifted up to 16. A dim
    image of a deeper camera is misjudged only if its brightest pixels, and many of them, have exactly 1023, 4095 or
    16383 counts. A camera that takes its offset off after clipping, or that stores 8 bits, never reaches a top, and its
    saturation is not found.

    Parameters
    ----------
    image : (height, width, 3) uint8 or uint16
    """
    if image.dtype == np.uint8:
        return SATURATED_UINT8
    brightest = int(image.max())
    return next((2**bits - 1 for bits in DEPTHS if brightest <= 2**bits - 1), SATURATED_16_BIT)


def judge_exposure(image: Image, rois: Mapping[str, Shape], mode: DffMode) -> tuple[Exposure, ...]:
    """Judge each ROI in each channel that the mode uses, ROI by ROI.

    Parameters
    ----------
    image : (height, width, 3) uint8 or uint16
        BGR.
    rois : mapping of str to Rect, Circle or Polygon
        Must lie in the image.
    mode : DffMode

    Raises
    ------
    ValueError
        If the image is of another kind.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype.name not in DARK_COUNTS:
        raise ValueError(f"an image of {image.shape} {image.dtype} is not judged; give BGR in uint8 or uint16")
    top = saturation_counts(image)
    return tuple(
        _judge(name, shape, channel, image, top) for name, shape in rois.items() for channel in used_channels(mode)
    )


def _judge(name: str, shape: Shape, channel: Channel, image: Image, top: int) -> Exposure:
    """Judge one ROI in one channel."""
    x0, y0, x1, y1 = shape.bounds()
    pixels = image[y0:y1, x0:x1, channel.value][shape.mask()]
    mean = float(pixels.mean(dtype=np.float64))
    saturated = float(np.count_nonzero(pixels >= top)) / len(pixels)
    if saturated > MAX_SATURATED:
        return Exposure(name, channel, mean, saturated, Verdict.saturated, MAX_SATURATED)
    darkest = DARK_COUNTS[image.dtype.name]
    if mean < darkest:
        return Exposure(name, channel, mean, saturated, Verdict.dark, darkest)
    return Exposure(name, channel, mean, saturated, Verdict.good)


def exposure_facts(exposures: Sequence[Exposure]) -> list[str]:
    """Return a line for each ROI and channel that is not good: what is wrong with it, and how much."""
    return [
        f"ROI {found.roi} is {found.verdict.value} in {found.channel.name}: {_measured(found)}"
        for found in exposures
        if found.verdict is not Verdict.good
    ]


def exposure_problems(exposures: Sequence[Exposure], mouse: str) -> list[str]:
    """Return the same lines, each with what to do about it."""
    bad = [found for found in exposures if found.verdict is not Verdict.good]
    cures = {Verdict.saturated: "lower", Verdict.dark: "raise"}
    return [
        f"{fact}; {cures[found.verdict]} shutter_speed, iso or the light (`rigloop preview --mouse {mouse}` shows it), "
        "or run anyway with --accept-exposure"
        for found, fact in zip(bad, exposure_facts(bad), strict=True)
    ]


def _measured(found: Exposure) -> str:
    """Return what was measured, with its bound."""
    if found.verdict is Verdict.saturated:
        share = f"{100 * found.saturated:.1f} % of its pixels"
        return f"{share} are at the top of the range, more than {100 * found.limit:g} %"
    return f"its mean is {found.mean:.1f} counts, less than {found.limit:g}"
