"""The figure of a session: signal with threshold, tone, trials and rewards over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recording.reader import RecordedSession, open_session
from recording.schema import FIGURE_PNG

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, WATER, TONE, SUCCESS, FAIL = "#222222", "#0072b2", "#e69f00", "#009e73", "#d55e00"
"""Okabe and Ito's colours, which colour-blind people can tell apart."""
MOST_POINTS = 20_000
"""A trace is drawn with at most this many points, each the extreme of its stretch, so that no crossing is lost."""


def draw_session(folder: Path) -> Path:
    """Draw the session in ``folder`` and write ``session.png`` into it.

    Returns
    -------
    Path
        The picture, about 1200 x 700 px.
    """
    path = folder / FIGURE_PNG
    session_figure(open_session(folder)).savefig(path, dpi=100)
    return path


def session_figure(session: RecordedSession) -> Figure:
    """Return the figure of a session, also of one that ended before its first trial, tone or frame."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1.4, 1))
    time_ns = session.frames.time_ns
    seconds = (time_ns - time_ns[:1]) / 1e9
    _signal(axes[0], session, seconds)
    _tone(axes[1], session, seconds)
    _trials(axes[2], session, seconds)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    if len(seconds):
        axes[2].set_xlim(0, max(seconds[-1], 1e-3))
    axes[2].set_xlabel("time since the first frame (s)")
    meta = session.meta
    figure.suptitle(
        f"{meta.get('mouse', '')}  ·  {meta.get('experiment', '')}  ·  {session.folder.parent.name}  ·  "
        f"{meta.get('outcome', '')}",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    return figure


def thin(seconds: npt.NDArray[np.float64], trace: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], ...]:
    """Return at most about ``MOST_POINTS`` points that keep each stretch's lowest and highest value."""
    n = len(trace)
    if n <= MOST_POINTS:
        return seconds, trace
    step = -(-n // (MOST_POINTS // 2))
    keep = []
    filled = np.where(np.isnan(trace), -np.inf, trace)
    for start in range(0, n, step):
        part = filled[start : start + step]
        keep.extend(sorted({start + int(part.argmin()), start + int(part.argmax())}))
    return seconds[keep], trace[keep]


def _signal(axis: Axes, session: RecordedSession, seconds: npt.NDArray[np.float64]) -> None:
    """Signal (grey where it did not count), threshold, crossings and water."""
    frames = session.frames
    valid = np.where(frames.valid, frames.signal, np.nan)
    axis.plot(
        *thin(seconds, np.where(frames.valid, np.nan, frames.signal)), color="#bbbbbb", lw=0.8, label="not counted"
    )
    axis.plot(*thin(seconds, valid), color=INK, lw=0.8, label="signal")
    axis.plot(seconds, frames.threshold, color=FAIL, lw=1, ls="--", label="threshold")
    for start, end in _runs(frames.trial):
        axis.axvspan(seconds[start], seconds[end], color="#000000", alpha=0.05, lw=0)
    crossed = np.flatnonzero(np.isin(frames.time_ns, [e.time_ns for e in session.events if e.kind == "crossing"]))
    axis.plot(seconds[crossed], frames.signal[crossed], "o", color=SUCCESS, ms=5, label=f"crossing ({len(crossed)})")
    wet = frames.water > 0
    (drops,) = axis.plot(
        seconds[wet], frames.threshold[wet], "v", color=WATER, ms=8, label=f"water ({int(wet.sum())})", clip_on=False
    )
    # A line that is not clipped and has no point counts as one in the corner of the picture.
    drops.set_in_layout(False)
    axis.set_ylabel(_formula(session))
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=5, frameon=False, fontsize=9, borderaxespad=0)


def _runs(trial: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the first and last frame of each trial (a pause may lie between), from each frame's trial number."""
    frames = [np.flatnonzero(trial == number) for number in np.unique(trial[trial > 0])]
    return [(int(inside[0]), int(inside[-1])) for inside in frames]


def _formula(session: RecordedSession) -> str:
    settings = session.meta.get("settings", {})
    return f"dF/F of {settings.get('roi') or settings.get('roi_operation') or 'the signal'}"


def _tone(axis: Axes, session: RecordedSession, seconds: npt.NDArray[np.float64]) -> None:
    """Tone in kHz, a gap where there is silence."""
    axis.set_ylabel("tone (kHz)")
    freq = np.where(session.frames.freq_hz > 0, session.frames.freq_hz / 1000, np.nan)
    if np.isnan(freq).all():
        # A logarithmic axis without a value has ticks that mean nothing.
        axis.set_yticks([])
        axis.text(0.5, 0.5, "no tone", ha="center", va="center", color="#999999", transform=axis.transAxes)
        return
    axis.plot(*thin(seconds, freq), color=TONE, lw=1.2, drawstyle="steps-post")
    axis.set_yscale("log", base=2)
    axis.yaxis.set_major_formatter("{x:g}")


def _trials(axis: Axes, session: RecordedSession, seconds: npt.NDArray[np.float64]) -> None:
    """Each trial as a bar in the colour of its outcome; licks as ticks below."""
    frames = session.frames
    for first, last in _runs(frames.trial):
        colour = {1: SUCCESS, -1: FAIL, 0: "#999999"}[int(frames.outcome[last])]
        start, end = seconds[first], seconds[last]
        axis.barh(1, max(end - start, 0.02), left=start, height=0.8, color=colour)
        number = str(frames.trial[first])
        axis.text((start + end) / 2, 1, number, ha="center", va="center", color="white", fontsize=8, clip_on=True)
    licked = frames.licks > 0
    axis.plot(seconds[licked], np.zeros(int(licked.sum())), "|", color=INK, ms=8)
    axis.set_yticks([0, 1], ["licks", "trials"])
    axis.set_ylim(-0.5, 1.6)
    for label, colour, x in (("success", SUCCESS, 0.0), ("fail", FAIL, 0.06), ("cut short", "#999999", 0.1)):
        axis.text(x, 1.02, label, color=colour, transform=axis.transAxes, fontsize=9)
