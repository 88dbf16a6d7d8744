"""The figure of a session: signal with threshold, tone, trials and rewards over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.movement_figure import movement_figure
from analysis.session_panels import (
    FAIL,
    INK,
    SUCCESS,
    WATER,
    Times,
    crossings,
    dff_label,
    dress,
    runs,
    thin,
    title,
    tone_panel,
    trials_panel,
)
from recording.reader import RecordedSession, open_session
from recording.schema import FIGURE_PNG

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_session(folder: Path) -> Path:
    """Draw the session in ``folder``, of either kind, and write ``session.png`` into it.

    Returns
    -------
    Path
        The picture, about 1200 x 700 px; of a movement session 1400 x 700 px.
    """
    path = folder / FIGURE_PNG
    with open_session(folder) as session:
        figure = movement_figure(session) if session.meta.get("kind") == "clmf" else session_figure(session)
    figure.savefig(path, dpi=100)
    return path


def session_figure(session: RecordedSession) -> Figure:
    """Return the figure of a neurofeedback session, also of one that ended before its first trial, tone or frame."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1.4, 1))
    time_ns = session.frames.time_ns
    seconds = (time_ns - time_ns[:1]) / 1e9
    _signal(axes[0], session, seconds)
    tone_panel(axes[1], session, seconds)
    trials_panel(axes[2], session, seconds)
    dress(axes, seconds)
    title(figure, session)
    return figure


def _signal(axis: Axes, session: RecordedSession, seconds: Times) -> None:
    """Signal (grey where it did not count), threshold, crossings and water."""
    frames = session.frames
    valid = np.where(frames.valid, frames.signal, np.nan)
    axis.plot(
        *thin(seconds, np.where(frames.valid, np.nan, frames.signal)), color="#bbbbbb", lw=0.8, label="not counted"
    )
    axis.plot(*thin(seconds, valid), color=INK, lw=0.8, label="signal")
    axis.plot(seconds, frames.threshold, color=FAIL, lw=1, ls="--", label="threshold")
    for trial in runs(frames):
        axis.axvspan(seconds[trial.first], seconds[trial.last], color="#000000", alpha=0.05, lw=0)
    crossed = crossings(session)
    axis.plot(seconds[crossed], frames.signal[crossed], "o", color=SUCCESS, ms=5, label=f"crossing ({len(crossed)})")
    wet = frames.water > 0
    (drops,) = axis.plot(
        seconds[wet], frames.threshold[wet], "v", color=WATER, ms=8, label=f"water ({int(wet.sum())})", clip_on=False
    )
    # A line that is not clipped and has no point counts as one in the corner of the picture.
    drops.set_in_layout(False)
    axis.set_ylabel(dff_label(session))
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=5, frameon=False, fontsize=9, borderaxespad=0)
