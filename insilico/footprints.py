"""Where each neuron of a simulated cortex shows in the image, and how strongly: its footprint."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from helper import Position, mm_to_px

REACH_SD = 4.0
"""Footprints end this many standard deviations from the neuron, at 3e-4 of their peak."""

FAINTEST = 0.01
"""A region must show at its centre with at least this fraction of one neuron that lies there."""

_SD_PER_FWHM = 1 / math.sqrt(8 * math.log(2))
_FAR_PX = 1e6
"""Where neurons are put that lie farther away, so that no sum overflows; no image reaches there."""

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]


class Square(NamedTuple):
    """The ROI by which a region is normalised; ``size`` px wide and high, from ``row`` and ``col``, maybe outside."""

    row: int
    col: int
    size: int

    def mask(self, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
        """Return its pixels that lie in an image of ``shape`` (height, width); (height, width) bool."""
        row, col = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
        return (row >= self.row) & (row < self.row + self.size) & (col >= self.col) & (col < self.col + self.size)


class Footprints(NamedTuple):
    """The footprints of n neurons: Gaussians, kept as the product of a row and a column.

    Attributes
    ----------
    boxes : (n, 4) int32
        First row, number of rows, first column, number of columns; within the image, (0, 0, 0, 0) for one that the
        image does not show.
    rows, cols : (n, taps) float32
        The Gaussian along rows and along columns of the box, peak 1; 0 beyond it.
    gain : (n,) float32
        What the peak adds to dF/F, per dF/F of the neuron and per ``contrast``.
    squares : dict of int to Square
        The ROI of each region.
    """

    boxes: Int32
    rows: Float32
    cols: Float32
    gain: Float32
    squares: dict[int, Square]


def fwhm_px(parts_um: tuple[float, ...], ppmm: float) -> float:
    """Return the full width at half maximum of several Gaussian blurs in a row, in px: their squares add up."""
    return math.hypot(*parts_um) / 1000 * ppmm


def make_footprints(
    shape: tuple[int, int], neurons_px: Float64, region: Int32, fwhm: float, roi_mm: float, ppmm: float
) -> Footprints:
    """Return the footprints of all neurons, normalised region by region.

    When all neurons of a region have dF/F 1, their part of the mean over the region's square is 1, whatever their
    number: one simulated neuron stands for the many that a patch of cortex really has.

    Parameters
    ----------
    shape : (height, width)
    neurons_px : (n, 2) float64
        Row and column; the centre of the first pixel is (0, 0). They may lie outside the image.
    region : (n,) int32
    fwhm : float
        Full width of a footprint at half maximum, px.
    roi_mm : float
        Side of the square at the centre of each region, mm.
    ppmm : float
        Pixels per mm.

    Raises
    ------
    InputError
        If the neurons of a region lie so far apart that there is nothing of them at their common centre.
    """
    spread = fwhm * _SD_PER_FWHM
    neurons_px = np.clip(neurons_px, -_FAR_PX, _FAR_PX)
    first_row, n_rows, rows = _taps(neurons_px[:, 0], spread, shape[0])
    first_col, n_cols, cols = _taps(neurons_px[:, 1], spread, shape[1])
    boxes = np.stack([first_row, n_rows, first_col, n_cols], axis=1)
    boxes[(n_rows == 0) | (n_cols == 0)] = 0
    gain = np.zeros(len(neurons_px))
    squares = {}
    for label in np.unique(region).tolist():
        own = region == label
        square = _square(neurons_px[own], mm_to_px(roi_mm, ppmm))
        gain[own] = 1 / _brightness(neurons_px[own], square, spread, label)
        squares[label] = square
    return Footprints(boxes.astype(np.int32), rows, cols, gain.astype(np.float32), squares)


def _taps(centre: Float64, spread: float, size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Float32]:
    """Return first pixel, number of pixels and values of Gaussians along one axis of ``size`` px."""
    first = np.maximum(np.ceil(centre - REACH_SD * spread), 0).astype(np.int64)
    last = np.minimum(np.floor(centre + REACH_SD * spread), size - 1).astype(np.int64)
    count = np.maximum(last - first + 1, 0)
    at = np.arange(max(1, int(count.max(initial=0))))[None, :]
    taps = np.exp(-0.5 * ((first[:, None] + at - centre[:, None]) / spread) ** 2)
    taps[at >= count[:, None]] = 0
    return np.where(count > 0, first, 0), count, np.ascontiguousarray(taps, np.float32)


def _square(places: Float64, size: int) -> Square:
    """Return the square at the mean of the places, with the pixels that ``roi_manager.Rect.around`` takes."""
    centre = Position(*places.mean(axis=0).tolist())
    return Square(math.floor(centre.row - size / 2), math.floor(centre.col - size / 2), size)


def _brightness(places: Float64, square: Square, spread: float, label: int) -> float:
    """Return the mean over the square of the sum of all footprints; it counts pixels beyond the image, too."""
    at = np.arange(square.size)
    along = [
        np.exp(-0.5 * ((first + at[None, :] - places[:, axis, None]) / spread) ** 2).mean(axis=1)
        for axis, first in ((0, square.row), (1, square.col))
    ]
    total = float(along[0] @ along[1])
    alone = float(np.exp(-0.5 * ((at - (square.size - 1) / 2) / spread) ** 2).mean()) ** 2
    if not total >= FAINTEST * alone:
        raise InputError(
            f"region {label}: its {len(places)} neurons are too far from their common centre (row {square.row}, column "
            f"{square.col}) to be seen there; raise ppmm, give each cluster a region of its own, or widen arbor_um"
        )
    return total
