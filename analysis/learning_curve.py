"""The learning curves of mice: success, threshold, water and weight by day."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.session_panels import CUT, FAIL, INK, SUCCESS, TONE, WATER
from recording.folder import replace_bytes
from recording.index_row import DAMAGED
from session.mouse_days import MouseDay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Column = npt.NDArray[np.float64]

MOST_ROWS = 8
"""More mice than this are drawn into one row, each thin, with their median and quartiles."""
LEAST_MICE = 3
"""The median of fewer mice than this is not drawn."""
_MARKERS = ("o", "s", "^", "D", "v", "P")
"""Of a mouse's rigs, in the order of their names; a seventh begins anew."""
_THRESHOLDS = ("dF/F", "mm/s", "mm")
_KEY = "rigloop"
_STYLE = 2
"""Raised when the same days come to look otherwise, so that old pictures are drawn anew."""


class _Panel(NamedTuple):
    """One quantity: name, colour, value on a day (NaN for none), whether its axis has a 0, and whether it is in %."""

    label: str
    colour: str
    value: Callable[[MouseDay], float]
    from_zero: bool = True
    percent: bool = False


class _Mouse(NamedTuple):
    """A mouse's days in order, and how many days after its first one each is, the first being 1."""

    name: str
    first: date
    days: list[MouseDay]
    number: Column


def draw_learning_curves(days: Sequence[MouseDay], path: Path) -> Path:
    """Write the picture of all mice in ``days``; one that shows these days already is left as it is.

    Up to eight mice have a row each, more are laid over one another. A line joins days in succession; across a gap it
    is dotted.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    RecordingError
        It cannot be written.
    """
    key = hashlib.sha256(repr((_STYLE, list(days))).encode("utf-8", "backslashreplace")).hexdigest()
    if not _shows(path, key):
        buffer = io.BytesIO()
        learning_curves(days).savefig(buffer, dpi=100, format="png", metadata={_KEY: key})
        replace_bytes(path, buffer.getvalue(), sync=False, chosen=True)
    return path


def _shows(path: Path, key: str) -> bool:
    try:
        with path.open("rb") as file:
            return key.encode() in file.read(4096)
    except OSError:
        return False


def learning_curves(days: Sequence[MouseDay]) -> Figure:
    """Return the figure, about 330 x 210 px a panel; also of days on which nothing was counted."""
    from matplotlib.figure import Figure

    mice = _mice(days)
    panels = _panels(days)
    overlaid = len(mice) > MOST_ROWS
    rows = 1 if overlaid else max(1, len(mice))
    size = (4.2 * len(panels), 4.2) if overlaid else (3.3 * len(panels), 2.1 * rows + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, len(panels), squeeze=False, sharex="all")
    for column, panel in enumerate(panels):
        if overlaid:
            _overlay(axes[0][column], mice, panel)
        for row, mouse in enumerate(() if overlaid else mice):
            _curve(axes[row][column], mouse, panel, marked=column == 0)
        axes[0][column].set_title(panel.label, loc="left", fontsize=10)
        axes[-1][column].set_xlabel("day, from the first session on", fontsize=9)
        for axis in axes[:, column]:
            _dress(axis, panel)
    # Shared by all panels, once each has its points.
    _one_day_or_more(axes[0][0])
    for row, mouse in enumerate(() if overlaid else mice):
        axes[row][0].set_ylabel(f"{mouse.name}\nday 1: {mouse.first}", fontsize=9)
    if overlaid:
        figure.suptitle(f"{len(mice)} mice; median and quartiles of {LEAST_MICE} or more", x=0.01, ha="left")
    return figure


def _mice(days: Sequence[MouseDay]) -> list[_Mouse]:
    """Return the mice with a session that can be read, on a day that is a date.

    What comes before the day of their first session has numbers below 1.
    """
    found: dict[str, list[tuple[date, MouseDay]]] = {}
    for day in days:
        try:
            found.setdefault(day.mouse, []).append((date.fromisoformat(day.day), day))
        except ValueError:
            continue
    mice = []
    for name, dated in sorted(found.items()):
        trained = [when for when, day in dated if day.sessions]
        if any(row.outcome != DAMAGED for _, day in dated for row in day.sessions):
            first = min(trained)
            dated.sort(key=lambda each: each[0])
            numbers = np.array([(when - first).days + 1 for when, _ in dated], np.float64)
            mice.append(_Mouse(name, first, [day for _, day in dated], numbers))
    return mice


def _panels(days: Sequence[MouseDay]) -> list[_Panel]:
    """Return what any of the days has; success always."""
    units = {day.threshold[1] for day in days if day.threshold is not None}
    volumes = all(day.water_ul is not None for day in days if day.water_s)
    panels = [_Panel("success (% of trials)", SUCCESS, lambda day: _known(day.success_rate, 100), percent=True)]
    panels += [_Panel(f"threshold ({unit})", FAIL, _threshold_in(unit)) for unit in _THRESHOLDS if unit in units]
    if any(day.water_s for day in days):
        if volumes:
            panels.append(_Panel("water (ul)", WATER, lambda day: _known(day.water_ul)))
        else:
            panels.append(_Panel("water (s of open valve)", WATER, lambda day: _known(day.water_s)))
    if any(day.weight_g is not None for day in days):
        panels.append(_Panel("weight (g)", TONE, lambda day: _known(day.weight_g), from_zero=False))
    return panels


def _known(value: float | None, scale: float = 1.0) -> float:
    return math.nan if value is None else scale * value


def _threshold_in(unit: str) -> Callable[[MouseDay], float]:
    """Return the day's threshold where it has that unit: a mouse may change from one experiment to the other."""
    return lambda day: day.threshold[0] if day.threshold is not None and day.threshold[1] == unit else math.nan


def _values(mouse: _Mouse, panel: _Panel) -> tuple[Column, Column, list[MouseDay]]:
    """Return day numbers and values where there is a value, and the days."""
    values = np.array([panel.value(day) for day in mouse.days], np.float64)
    known = np.flatnonzero(np.isfinite(values))
    return mouse.number[known], values[known], [mouse.days[at] for at in known]


def with_gaps(number: Column, values: Column) -> tuple[Column, Column]:
    """Return the curve with a NaN wherever days are missing between two of its points."""
    after = np.flatnonzero(np.diff(number) > 1) + 1
    return np.insert(number, after, np.nan), np.insert(values, after, np.nan)


def _curve(axis: Axes, mouse: _Mouse, panel: _Panel, *, marked: bool) -> None:
    """One mouse's curve; where ``marked``, with a marker for each rig it was on."""
    number, values, days = _values(mouse, panel)
    axis.plot(number, values, ":", color=panel.colour, lw=0.8, alpha=0.7)
    axis.plot(*with_gaps(number, values), "-", color=panel.colour, lw=1.4)
    rigs = [", ".join(day.rigs) for day in days]
    names = sorted(set(rigs)) if marked else []
    if len(names) < 2:
        axis.plot(number, values, "o", color=panel.colour, ms=4)
        return
    for at, name in enumerate(names):
        here = np.array([rig == name for rig in rigs])
        axis.plot(
            number[here], values[here], _MARKERS[at % len(_MARKERS)], color=panel.colour, ms=4.5, mec=INK, mew=0.5,
            label=name or "rig not known",
        )  # fmt: skip
    axis.legend(frameon=False, fontsize=7, loc="best")


def _overlay(axis: Axes, mice: Sequence[_Mouse], panel: _Panel) -> None:
    """All mice thin, and their median and quartiles by day of training."""
    by_number: dict[float, list[float]] = {}
    for mouse in mice:
        number, values, _ = _values(mouse, panel)
        axis.plot(*with_gaps(number, values), "-", color=CUT, lw=0.7, alpha=0.6)
        axis.plot(number, values, ".", color=CUT, ms=2.5, alpha=0.6)
        for day, value in zip(number, values, strict=True):
            by_number.setdefault(float(day), []).append(float(value))
    shared = np.array(sorted(day for day, found in by_number.items() if len(found) >= LEAST_MICE), np.float64)
    if not len(shared):
        return
    quartiles = np.array([np.percentile(by_number[float(day)], (25, 50, 75)) for day in shared])
    days, median = with_gaps(shared, quartiles[:, 1])
    low, high = (with_gaps(shared, quartiles[:, at])[1] for at in (0, 2))
    axis.fill_between(days, low, high, color=panel.colour, alpha=0.25, lw=0)
    axis.plot(days, median, "-", color=panel.colour, lw=2)
    axis.plot(shared, quartiles[:, 1], "o", color=panel.colour, ms=4)


def _one_day_or_more(axis: Axes) -> None:
    """Make room for a whole day where all points are of one, or there are none."""
    low, high = axis.get_xlim()
    if high - low <= 1:
        day = math.floor((low + high) / 2 + 0.5)
        axis.set_xlim(day - 0.6, day + 0.6)


def _dress(axis: Axes, panel: _Panel) -> None:
    from matplotlib.ticker import MaxNLocator

    high = axis.get_ylim()[1]
    if panel.percent:
        # 0 and 100 % are not cut in half.
        axis.set_ylim(-4, max(104.0, high))
    elif panel.from_zero and axis.dataLim.y0 >= 0:
        axis.set_ylim(-0.04 * high, high)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    axis.yaxis.set_major_locator(MaxNLocator(nbins=5))
