"""Which part of a frame a model sees, at which size, and where its points are in the whole frame. Pure.

DeepLabCut-Live can crop, crop dynamically and resize by itself, but not all at once: with static cropping its dynamic
window is taken in the cropped frame at coordinates of the whole one; a window may come out empty, which raises; and
points are scaled by the factor that was asked for, where whole pixels made it another one.
"""

from __future__ import annotations

import math

import numpy as np

from behavior.pose_points import Points
from behavior.pose_text import Window

GRID_PX = 32
"""Dynamic windows begin and end on a grid of this many px of the model's input, the largest stride of DeepLabCut's
networks: what it sees then lies on its strides as in the whole frame, and it meets few sizes, of which each costs it
time when it is new."""


def inside(window: Window | None, height: int, width: int) -> Window:
    """Return the part of a window that lies in a frame; the whole frame for None."""
    if window is None:
        return Window(0, width, 0, height)
    return Window(min(window.x1, width), min(window.x2, width), min(window.y1, height), min(window.y2, height))


def around(points: Points | None, trusted: float, margin: int, bounds: Window, factor: float) -> Window:
    """Return the surroundings of the last pose: the dynamic window.

    Parameters
    ----------
    points : ndarray, (parts, 3), or None
        The last pose in px of the whole frame; None where there is none.
    trusted : float
        Parts of at least this likelihood are followed.
    margin : int
        Least px of the frame on each side of them.
    bounds : Window
        What may be seen at most.
    factor : float
        By which the window will be resized.

    Returns
    -------
    Window
        ``bounds`` where no part is trusted.
    """
    if points is None:
        return bounds
    seen = points[np.isfinite(points).all(axis=1) & (points[:, 2] >= trusted) & (points[:, 2] > 0), :2]
    if not len(seen):
        return bounds
    grid = GRID_PX / factor
    (left, top), (right, bottom) = seen.min(axis=0) - margin, seen.max(axis=0) + margin + 1
    x1, x2 = _snapped(left, right, bounds.x1, bounds.x2, grid)
    y1, y2 = _snapped(top, bottom, bounds.y1, bounds.y2, grid)
    return Window(x1, x2, y1, y2)


def _snapped(low: float, high: float, first: int, last: int, grid: float) -> tuple[int, int]:
    """Return ``low`` and ``high`` moved outwards onto the grid that begins at ``first``, within ``first`` and ``last``.

    Points may lie outside of the frame: at least the cell nearest to them is seen.
    """
    cells = max(1, math.floor((last - first) / grid))
    begin = min(max(math.floor((low - first) / grid), 0), cells - 1)
    end = max(math.ceil((high - first) / grid), begin + 1)
    stop = first + round(end * grid)
    return first + round(begin * grid), (last if end >= cells else min(stop, last))


def resized(window: Window, factor: float) -> tuple[int, int]:
    """Return height and width of a window that was resized, at least 1 px each."""
    height, width = window.y2 - window.y1, window.x2 - window.x1
    return max(1, round(height * factor)), max(1, round(width * factor))


def in_frame(points: Points, window: Window, size: tuple[int, int]) -> Points:
    """Move points from a window resized to ``size`` (height, width) into the whole frame, in place.

    Scaled as DeepLabCut scales the labels it trains with: a column of the input is ``factor`` times that of the frame.
    """
    points[:, 0] = points[:, 0] * ((window.x2 - window.x1) / size[1]) + window.x1
    points[:, 1] = points[:, 1] * ((window.y2 - window.y1) / size[0]) + window.y1
    return points
