"""The way of the control point over a picture of the session: where it was fast, and where water was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.movement_data import Movement, scale_top
from analysis.session_panels import SUCCESS, WATER, settings_of
from core.errors import SourceError
from recording.reader import RecordedSession

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Colormap
    from matplotlib.path import Path

Floats = npt.NDArray[np.float64]

FINEST = 1000
"""A step of less than this share of the picture's longer side cannot be seen, and is left out of the way."""
MOST_STEPS = 20_000
"""Most steps that are drawn; a longer way is drawn coarser."""
SHADE = 0.6
"""Brightest grey of the picture: lines and circles on it must stand out."""
DARK, REST = "#303030", "#ffffff"
SLOWEST = 0.22
"""Where the scale of speeds begins on the colour map; what is below is too dark to be seen on a picture."""
FINE_FROM = 4000
"""A way of so many steps is drawn with finer lines."""


class Way(NamedTuple):
    """A trajectory, thinned out.

    Attributes
    ----------
    steps : ndarray, (n, 2, 2) float64
        Column and row where each step begins and ends, px.
    speed : ndarray, (n,) float64
        Highest speed in each, mm/s.
    in_trial : ndarray, (n,) bool
    """

    steps: Floats
    speed: Floats
    in_trial: npt.NDArray[np.bool_]


def draw_trajectory(axis: Axes, session: RecordedSession, movement: Movement) -> LineCollection:
    """Draw picture, way, circles and drops; return the coloured lines, for their scale."""
    from matplotlib.collections import LineCollection

    picture = first_picture(session)
    width, height = _size(session, movement, picture)
    axis.set_facecolor(DARK)
    if picture is not None:
        axis.imshow(picture, cmap="gray", vmin=0, vmax=1 / SHADE)
    axis.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal", xticks=[], yticks=[])
    way = find_way(movement, max(width, height) / FINEST)
    axis.add_collection(LineCollection(list(way.steps[~way.in_trial]), colors=REST, linewidths=0.7, alpha=0.45))
    # The fast ones last, on top of the many slow ones.
    order = np.argsort(np.nan_to_num(way.speed[way.in_trial]), kind="stable")
    width_pt = 1.1 if len(order) < FINE_FROM else 0.6
    lines = LineCollection(list(way.steps[way.in_trial][order]), cmap=_speeds(), linewidths=width_pt)
    lines.set_array(way.speed[way.in_trial][order])
    lines.set_clim(0, scale_top(movement.speed, movement.threshold if movement.by_speed else movement.threshold[:0]))
    axis.add_collection(lines)
    _circles(axis, session)
    x, y = drops_at(session, movement)
    axis.plot(x, y, ls="", marker=drop(), ms=13, mfc=WATER, mec="white", mew=0.9)
    return lines


def _speeds() -> Colormap:
    """Return the colour map of speeds."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["plasma"](np.linspace(SLOWEST, 1, 256)))


def first_picture(session: RecordedSession) -> Floats | None:
    """Return the first image that was kept, in grey from 0 to 1, (height, width); None where none can be had."""
    kept = session.frames.image[session.frames.image >= 0]
    if not kept.size or not session.has_images:
        return None
    try:
        image = np.asarray(session.images()[int(kept[0])])
    except (SourceError, OSError, IndexError, ValueError, KeyError):
        # A killed session's file may lack what its log names; the way is worth drawing all the same.
        return None
    grey: Floats = image.mean(axis=2, dtype=np.float64)
    return grey / max(float(np.percentile(grey, 99.9)), 1e-9)


def find_way(movement: Movement, finest_px: float) -> Way:
    """Return the steps of the control point while it was trusted, none shorter than about ``finest_px``."""
    trusted = movement.trusted
    x, y, speed, trial = (each[trusted] for each in (movement.x, movement.y, movement.speed, movement.trial))
    if not len(x):
        return Way(np.empty((0, 2, 2)), np.empty(0), np.empty(0, np.bool_))
    gap = np.cumsum(~trusted)[trusted]
    cell_px = finest_px
    while True:
        cells = np.column_stack([np.floor(x / cell_px), np.floor(y / cell_px), gap, trial > 0])
        first = np.flatnonzero(np.concatenate([[True], np.any(np.diff(cells, axis=0) != 0, axis=1)]))
        if len(first) <= MOST_STEPS:
            break
        cell_px *= 1.5
    points = np.column_stack([x, y])[first]
    fastest = np.fmax.reduceat(speed, first)
    joined = np.diff(gap[first]) == 0
    steps = np.stack([points[:-1], points[1:]], axis=1)[joined]
    return Way(steps, np.fmax(fastest[:-1], fastest[1:])[joined], (trial[first] > 0)[1:][joined])


def drops_at(session: RecordedSession, movement: Movement) -> tuple[Floats, Floats]:
    """Return column and row where the control point was, or had last been seen, when water was given."""
    seen = np.flatnonzero(movement.trusted)
    wet = np.flatnonzero(session.frames.water > 0)
    last = np.searchsorted(movement.rows[seen], wet, side="right") - 1
    at = seen[last[last >= 0]]
    return movement.x[at], movement.y[at]


def drop() -> Path:
    """Return a marker in the shape of a drop of water."""
    from matplotlib.path import Path

    go, bend = Path.MOVETO, Path.CURVE4
    points = [(0, 1), (0.1, 0.5), (0.6, 0.15), (0.6, -0.35), (0.6, -1.15), (-0.6, -1.15), (-0.6, -0.35)]
    return Path([*points, (-0.6, 0.15), (-0.1, 0.5), (0, 1)], [go, *[bend] * 9])


def used_circles(settings: Any) -> dict[str, tuple[float, float, float]]:
    """Return column, row and radius, px, of the circles that play a part in a session: start, target or both."""
    ppmm, circles = float(settings.get("ppmm", 0.0)), {}
    by_target = settings.get("reward_by") == "target"
    for name, used in (("start", settings.get("trial_start") == "start_roi"), ("target", by_target)):
        if used and f"{name}_center" in settings:
            column, row = settings[f"{name}_center"]
            circles[name] = (float(column), float(row), float(settings[f"{name}_radius_mm"]) * ppmm)
    return circles


def _circles(axis: Axes, session: RecordedSession) -> None:
    """Start and target, named."""
    from matplotlib.patches import Circle

    for name, (column, row, radius) in used_circles(settings_of(session)).items():
        style = {"start": ("white", "--"), "target": (SUCCESS, "-")}[name]
        axis.add_patch(Circle((column, row), radius, fill=False, edgecolor=style[0], linestyle=style[1], linewidth=1.8))
        axis.annotate(name, (column, row - radius), (0, 2), textcoords="offset points", color="white", ha="center")


def _size(session: RecordedSession, movement: Movement, picture: Floats | None) -> tuple[float, float]:
    """Return width and height of a frame, px: the picture's, what was asked of the camera, or what the way takes."""
    if picture is not None:
        return float(picture.shape[1]), float(picture.shape[0])
    resolution = settings_of(session).get("resolution")
    if resolution:
        return float(resolution[0]), float(resolution[1])
    x, y = movement.x[movement.trusted], movement.y[movement.trusted]
    return (float(x.max()) + 1, float(y.max()) + 1) if len(x) else (1.0, 1.0)
