"""The figure of a movement session: trajectory, speed with threshold, tone, trials, rewards, likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.movement_data import MINUTES_FROM_S, Movement, merged, read_movement, scale_top, spans
from analysis.movement_text import summary
from analysis.session_panels import (
    FAIL,
    INK,
    OUTCOMES,
    SUCCESS,
    WATER,
    Times,
    crossings,
    dress,
    runs,
    settings_of,
    thin,
    title,
    tone_panel,
    trials_panel,
)
from analysis.trajectory import draw_trajectory, drop
from recording.reader import RecordedSession

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

_PAPER = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1.5}
PIXELS = 900
"""About so many pixels of the picture the time axis takes; what lies closer together is drawn as one."""
TRACE_POINTS = 4 * PIXELS


def movement_figure(session: RecordedSession) -> Figure:
    """Return the figure of a movement session, also of one that ended before its first trial, or never saw the part."""
    from matplotlib.figure import Figure

    movement = read_movement(session)
    time_ns = session.frames.time_ns
    long = len(time_ns) > 0 and (time_ns[-1] - time_ns[0]) / 1e9 > MINUTES_FROM_S
    times = (time_ns - time_ns[:1]) / (60e9 if long else 1e9)
    figure = Figure(figsize=(14, 7), layout="constrained")
    halves = figure.add_gridspec(1, 2, width_ratios=(1, 2))
    axes: Any = halves[1].subgridspec(4, 1, height_ratios=(3, 1.4, 1, 0.5)).subplots(sharex=True)
    _signal(axes[0], session, movement, times)
    tone_panel(axes[1], session, times)
    trials_panel(axes[2], session, times)
    _likelihood(axes[3], session, movement, times)
    dress(axes, times, f"time since the first frame ({'min' if long else 's'})")
    _where(figure, halves[0], session, movement)
    title(figure, session)
    return figure


def _signal(axis: Axes, session: RecordedSession, movement: Movement, times: Times) -> None:
    """Speed, or distance to the target: grey where it did not count, with threshold, crossings and water."""
    at, value = times[movement.rows], movement.value
    name = "speed" if movement.by_speed else "distance"
    top = scale_top(value, movement.threshold)
    for trial in runs(session.frames):
        axis.axvspan(times[trial.first], times[trial.last], color=OUTCOMES[trial.outcome], alpha=0.13, lw=0)
    _missing(axis, movement, times)
    for shown, colour, label in ((~movement.valid, "#999999", "not counted"), (movement.valid, INK, name)):
        trace = np.where(shown, value, np.nan)
        if label == name or np.isfinite(trace).any():
            axis.plot(*thin(at, trace, TRACE_POINTS), color=colour, lw=0.8, label=label)
    axis.plot(*thin(at, movement.threshold, TRACE_POINTS), color=FAIL, lw=1.2, ls="--", label="threshold")
    _peaks(axis, movement, at, top)
    crossed = crossings(session)
    signal = session.frames.signal[crossed] if movement.by_speed else -session.frames.signal[crossed]
    where = np.clip(signal, None, top)
    axis.plot(times[crossed], where, "o", color=SUCCESS, ms=5, label=f"crossing ({len(crossed)})", zorder=3)
    _water(axis, session, times, top)
    axis.set_ylim(0, top)
    axis.set_ylabel(f"speed of {movement.part} (mm/s)" if movement.by_speed else f"{movement.part} to target (mm)")
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=6, frameon=False, fontsize=9, borderaxespad=0)


def _water(axis: Axes, session: RecordedSession, times: Times, top: float) -> None:
    """A drop on the upper edge, where it hides nothing, for each that was given."""
    wet = session.frames.water > 0
    (drops,) = axis.plot(
        times[wet], np.full(int(wet.sum()), top), ls="", marker=drop(), ms=11, mfc=WATER, mec="white", mew=0.6,
        label=f"water ({int(wet.sum())})", clip_on=False, zorder=4,
    )  # fmt: skip
    # A line that is not clipped and has no point counts as one in the corner of the picture.
    drops.set_in_layout(False)


def _missing(axis: Axes, movement: Movement, times: Times) -> None:
    """Shade the time in which the signal was not to be had."""
    at = times[movement.rows]
    found = spans(~movement.valid)
    if not found:
        return
    starts = at[[first for first, _ in found]]
    ends = at[[min(last + 1, len(at) - 1) for _, last in found]]
    nearest = (times[-1] - times[0]) / PIXELS
    axis.broken_barh(
        merged(starts, ends, nearest), (0, 1), transform=axis.get_xaxis_transform(), facecolor="#56b4e9", alpha=0.45,
        lw=0, label="no signal",
    )  # fmt: skip


def _peaks(axis: Axes, movement: Movement, at: Times, top: float) -> None:
    """Mark and count what is higher than the axis."""
    above = np.nan_to_num(movement.value) > top
    if not above.any():
        return
    peaks = spans(above)
    middles = at[[(first + last) // 2 for first, last in peaks]]
    axis.plot(middles, np.full(len(middles), 0.985 * top), "^", color=INK, ms=4, zorder=3)
    words = f"▲ {len(peaks)} higher, up to {np.nanmax(movement.value):.0f} {movement.unit}"
    axis.text(0.005, 0.95, words, transform=axis.transAxes, va="top", fontsize=9, color=INK, bbox=_PAPER)


def _likelihood(axis: Axes, session: RecordedSession, movement: Movement, times: Times) -> None:
    """How far the control point was trusted, as a strip, and from where on it counts."""
    least = settings_of(session).get("min_likelihood")
    at = times[movement.rows]
    axis.plot(*thin(at, movement.likelihood, TRACE_POINTS), color=WATER, lw=0.8)
    if least is not None:
        axis.axhline(float(least), color=FAIL, lw=1, ls="--")
    axis.set(ylim=(-0.05, 1.05), yticks=[0, 1])
    axis.set_ylabel("likelihood", rotation=0, ha="right", va="center")


def _where(figure: Figure, place: SubplotSpec, session: RecordedSession, movement: Movement) -> None:
    """The trajectory with its scale of speeds, and below it the session in figures."""
    places = place.subgridspec(2, 1, height_ratios=(2.2, 1))
    axis, words = figure.add_subplot(places[0]), figure.add_subplot(places[1])
    lines = draw_trajectory(axis, session, movement)
    axis.set_title(f"way of {movement.part or 'the control point'}", loc="left", fontsize=10, color=INK)
    bar = figure.colorbar(lines, ax=axis, location="bottom", shrink=0.8, aspect=40, pad=0.02)
    bar.set_label("speed in trials (mm/s); white: rest", fontsize=9)
    if movement.by_speed and np.isfinite(movement.threshold).any():
        bar.ax.axvline(float(movement.threshold[0]), color="white", lw=2)
    words.set_axis_off()
    text = words.text(0, 1, "\n".join(summary(session, movement)), va="top", fontsize=9, color=INK, linespacing=1.5)
    # So that the trajectory is as large whatever is said below it.
    text.set_in_layout(False)
