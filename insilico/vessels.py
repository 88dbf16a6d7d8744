"""The blood vessels on the surface of a simulated cortex: a sagittal sinus, its veins, and arteries from the sides."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Sizes in mm, chosen because dorsal windows of mice look so: a sinus of a third of a mm along the midline, veins that
# reach it from both sides every mm or so, arteries that come from the sides and branch, all tapering until they vanish.
STEP_MM = 0.04
SINUS_MM = 0.13
VEIN_MM = 0.050
ARTERY_MM = 0.042
THINNEST_MM = 0.009
TAPER = 0.985
"""Of the radius, from step to step."""
BRANCHES_PER_MM = 1.1
BRANCH_RADIUS = 0.72
"""Of the parent's; 0.79 = 2**(-1/3) would be Murray's law for two equal daughters, and here the parent goes on."""
WANDER = 0.13
"""Standard deviation of the change of direction in a step, rad."""
STRAIGHTEN = 0.06
"""Part of the deviation from a vessel's first direction that a step takes back."""
BLUR_MM = 0.018
OPAQUE_MM = 0.055
"""Radius at which a vessel takes 1 - 1/e of the light that the widest takes."""

Float32 = npt.NDArray[np.float32]


class _Tip(NamedTuple):
    """Where a vessel grows: place (mm), direction (rad; 0 is to the right, pi/2 down) and radius (mm)."""

    row: float
    col: float
    heading: float
    radius: float


def draw_vessels(shape: tuple[int, int], ppmm: float, midline_px: float, rng: np.random.Generator) -> Float32:
    """Return how dark vessels make each pixel: 0 for plain tissue, 1 for a vessel that lets no light through.

    Parameters
    ----------
    shape : (height, width)
        Of the image, px.
    ppmm : float
        Pixels per mm.
    midline_px : float
        Column of the sagittal sinus, px.
    rng : numpy.random.Generator
        Gives the same vessels for the same state.
    """
    dark = np.zeros(shape, np.float32)
    height, width, midline = shape[0] / ppmm, shape[1] / ppmm, midline_px / ppmm
    for row, col, radius in _sinus(height, midline, rng):
        _stamp(dark, row * ppmm, col * ppmm, radius, ppmm)
    for tip in _roots(height, width, midline, rng):
        for row, col, radius in _tree(tip, height, width, rng):
            _stamp(dark, row * ppmm, col * ppmm, radius, ppmm)
    return dark


def _sinus(height: float, midline: float, rng: np.random.Generator) -> Iterator[tuple[float, float, float]]:
    phase, bend = rng.uniform(0, 2 * math.pi), rng.uniform(0.03, 0.07)
    for row in np.arange(-SINUS_MM, height + SINUS_MM, STEP_MM).tolist():
        # Wider towards the back, where it meets the transverse sinuses.
        yield row, midline + bend * math.sin(0.7 * row + phase), SINUS_MM * (0.7 + 0.5 * row / height)


def _roots(height: float, width: float, midline: float, rng: np.random.Generator) -> Iterator[_Tip]:
    """Yield where vessels begin: veins at the sinus, arteries at the left and right edge."""
    for side in (-1.0, 1.0):
        outward = 0.0 if side > 0 else math.pi
        edge = 0.0 if side < 0 else width
        row = rng.uniform(0, 1)
        while row < height:
            lean = side * rng.normal(-0.25, 0.25)
            yield _Tip(row, midline, outward + lean, VEIN_MM * rng.uniform(0.6, 1.2))
            row += rng.uniform(0.7, 1.7)
        row = rng.uniform(0, 1.5)
        while row < height:
            lean = side * rng.normal(0.2, 0.25)
            yield _Tip(row, edge, math.pi - outward + lean, ARTERY_MM * rng.uniform(0.6, 1.3))
            row += rng.uniform(1.2, 2.6)


def _tree(root: _Tip, height: float, width: float, rng: np.random.Generator) -> Iterator[tuple[float, float, float]]:
    """Yield place and radius (mm) of a vessel and all its branches, step by step."""
    tips = [root]
    while tips:
        row, col, heading, radius = tips.pop()
        first = heading
        while radius > THINNEST_MM and -0.5 < row < height + 0.5 and -0.5 < col < width + 0.5:
            yield row, col, radius
            heading += rng.normal(0, WANDER) + STRAIGHTEN * (first - heading)
            row += STEP_MM * math.sin(heading)
            col += STEP_MM * math.cos(heading)
            radius *= TAPER
            if rng.random() < BRANCHES_PER_MM * STEP_MM:
                turn = rng.choice((-1.0, 1.0)) * rng.uniform(0.5, 1.1)
                tips.append(_Tip(row, col, heading + turn, radius * BRANCH_RADIUS))


def _stamp(dark: Float32, row: float, col: float, radius: float, ppmm: float) -> None:
    """Darken the surroundings of a point (px) as a vessel of ``radius`` (mm) does; the darkest vessel counts."""
    wide = math.hypot(radius, BLUR_MM)
    spread = max(0.6 * wide * ppmm, 0.5)
    peak = -math.expm1(-radius / OPAQUE_MM) * radius / wide
    reach = 3 * spread
    top, bottom = max(0, math.ceil(row - reach)), min(dark.shape[0], math.floor(row + reach) + 1)
    left, right = max(0, math.ceil(col - reach)), min(dark.shape[1], math.floor(col + reach) + 1)
    if top >= bottom or left >= right:
        return
    down = np.exp(-0.5 * ((np.arange(top, bottom) - row) / spread) ** 2)
    across = np.exp(-0.5 * ((np.arange(left, right) - col) / spread) ** 2)
    box = dark[top:bottom, left:right]
    np.maximum(box, peak * np.outer(down, across), out=box, casting="same_kind")
