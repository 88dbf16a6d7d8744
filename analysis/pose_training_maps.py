"""What a pose model shall answer for a frame: per body part a heatmap, and the way from each cell to it. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LOCREF_STD = 7.2801
"""Offsets are learnt in units of this, px (DeepLabCut's default, locref_std)."""
CORE = 0.8
"""Up to so many strides from the part a cell is 1: one cell at least, since none is much over sqrt(0.5) away."""
SLOPE = 0.5
"""Beyond, it falls as a Gaussian with this standard deviation, in strides."""
REACH = 1.5
"""Up to so many strides from the part a cell learns the way to it."""


class Maps(NamedTuple):
    """Targets of one frame, rows x columns of the model's answer.

    Attributes
    ----------
    heat : ndarray, (parts, rows, columns) float32
        0 to 1; all 0 for a part that is not seen.
    offset : ndarray, (2 parts, rows, columns) float32
        From the cell's place to the part's, x and y in turn, in units of ``LOCREF_STD`` px.
    near : ndarray, (2 parts, rows, columns) float32
        1 where ``offset`` is to be learnt, else 0.
    """

    heat: npt.NDArray[np.float32]
    offset: npt.NDArray[np.float32]
    near: npt.NDArray[np.float32]


def make_maps(points: npt.NDArray[np.float64], rows: int, columns: int, stride: float) -> Maps:
    """Return the targets for (parts, 2) points, px; NaN is a part that is not seen.

    Cell (i, j) stands for x, y = ``((j + 0.5) * stride, (i + 0.5) * stride)``, as in dlclive 1.1.0's HeatmapPredictor.
    """
    cells_x = (np.arange(columns) + 0.5) * stride
    cells_y = (np.arange(rows) + 0.5) * stride
    known = np.isfinite(points).all(1)
    at = np.where(known[:, None], points, 0.0)
    x = np.broadcast_to((at[:, 0, None] - cells_x)[:, None, :], (len(at), rows, columns))
    y = np.broadcast_to((at[:, 1, None] - cells_y)[:, :, None], (len(at), rows, columns))
    distance = np.hypot(x, y) / stride
    seen = known[:, None, None]
    heat = np.exp(-np.square(np.maximum(distance - CORE, 0) / SLOPE) / 2) * seen
    offset = np.stack([x, y], 1).reshape(-1, rows, columns) / LOCREF_STD
    near = np.repeat((distance <= REACH) & seen, 2, axis=0)
    return Maps(heat.astype(np.float32), offset.astype(np.float32), near.astype(np.float32))


def read_maps(heat: npt.NDArray[np.float32], offset: npt.NDArray[np.float32], stride: float) -> npt.NDArray[np.float64]:
    """Return the (parts, 2) points that dlclive 1.1.0's HeatmapPredictor reads out of such maps, px."""
    parts, _, columns = heat.shape
    best = heat.reshape(parts, -1).argmax(1)
    cells = np.stack([best % columns, best // columns], 1)
    there = offset.reshape(parts, 2, -1)[np.arange(parts), :, best]
    return np.asarray((cells + 0.5) * stride + there * LOCREF_STD, np.float64)
