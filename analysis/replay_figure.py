"""The figure of a changed replay: signal with both thresholds, both tones, trials and rewards of both."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.session_panels import (
    INK,
    OUTCOME_NAMES,
    WATER,
    Times,
    dff_label,
    dress,
    kilohertz,
    name_colours,
    settings_of,
    thin,
    title,
    tone_axis,
    trial_bars,
)
from recording.folder import replace_bytes
from recording.recorded import RecordedSession
from recording.tables import FrameTable
from session.replay import Replayed
from session.replay_change import Change

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RECORDED, CHANGED = "#999999", "#cc79a7"
"""Colours of the two sessions: grey for what was, reddish purple (Okabe and Ito) for what would have been."""

MOST_CHARACTERS = 45
"""So many characters of settings have room beside the session's name; the table of the replay has them all."""


def draw_replay(replayed: Replayed, path: Path) -> None:
    """Draw a changed session beside the recorded one, about 1200 x 800 px.

    Raises
    ------
    RecordingError
        The picture cannot be written; what stood there before is as it was.
    ValueError
        The replay has no change.
    """
    from recording.reader import open_session

    if replayed.change is None:
        raise ValueError("nothing was changed; there is no difference to draw")
    with open_session(replayed.session) as recorded:
        figure = replay_figure(recorded, replayed.change)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100, format="png")
    replace_bytes(path, buffer.getvalue(), sync=False, chosen=True)


def replay_figure(recorded: RecordedSession, change: Change) -> Figure:
    """Return the figure of a recorded session and of what would have happened with other settings."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 8), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1.6, 1.2))
    was, now = recorded.frames, change.session.frames
    first_ns = was.time_ns[:1]
    then, instead = ((table.time_ns - first_ns) / 1e9 for table in (was, now))
    _signal(axes[0], recorded, change, then, instead)
    _tones(axes[1], (was, now), (then, instead))
    _trials(axes[2], (was, now), (then, instead))
    if change.first is not None:
        for axis in axes:
            axis.axvline(change.first.time_s, color=INK, lw=0.8, ls=":")
    dress(axes, then)
    title(figure, recorded)
    given = ", ".join(f"{key} = {value}" for key, value in change.changes.items())
    if len(given) > MOST_CHARACTERS:
        given = f"{len(change.changes)} changed settings" if len(change.changes) > 1 else f"another {given.split()[0]}"
    figure.text(0.99, 0.985, f"with {given} (open loop)", ha="right", va="top", color=CHANGED, fontsize=11)
    return figure


def _signal(axis: Axes, recorded: RecordedSession, change: Change, then: Times, instead: Times) -> None:
    """The signal, a second one where it is another, and both thresholds."""
    was, now = recorded.frames, change.session.frames
    both = min(len(was), len(now))
    valid, valid_now = (np.where(table.valid, table.signal, np.nan) for table in (was, now))
    axis.plot(*thin(then, valid), color=INK, lw=0.8, label="signal")
    if not np.array_equal(valid[:both], valid_now[:both], equal_nan=True):
        axis.plot(*thin(instead, valid_now), color=CHANGED, lw=0.8, alpha=0.8, label="signal with the change")
    axis.plot(then, was.threshold, color=RECORDED, lw=1.4, ls="--", label="threshold recorded")
    axis.plot(instead, now.threshold, color=CHANGED, lw=1.4, ls="--", label="threshold with the change")
    movement = recorded.meta.get("kind") == "clmf"
    by_target = settings_of(recorded).get("reward_by") == "target"
    axis.set_ylabel(("-distance (mm)" if by_target else "speed (mm/s)") if movement else dff_label(recorded))
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False, fontsize=9, borderaxespad=0)


def _tones(axis: Axes, tables: tuple[FrameTable, FrameTable], times: tuple[Times, Times]) -> None:
    """Both tones, the recorded one broad, so that it is seen below the other."""
    traces = [kilohertz(table) for table in tables]
    if not tone_axis(axis, *traces):
        return
    styles = ((RECORDED, 3.0, "recorded"), (CHANGED, 1.0, "with the change"))
    for seconds, trace, (colour, width, label) in zip(times, traces, styles, strict=True):
        axis.plot(*thin(seconds, trace), color=colour, lw=width, drawstyle="steps-post", label=label)
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=9, borderaxespad=0)


def _trials(axis: Axes, tables: tuple[FrameTable, FrameTable], times: tuple[Times, Times]) -> None:
    """The trials of both as bars in the colours of their outcomes, with their drops."""
    whole = float(times[0][-1]) if len(times[0]) else 0.0
    for at, table, seconds in zip((1, 0), tables, times, strict=True):
        trial_bars(axis, table, seconds, whole, at=at, height=0.6)
        wet = seconds[table.water > 0]
        axis.plot(wet, np.full(len(wet), at + 0.42), "v", color=WATER, ms=6)
    axis.set_yticks([0, 1], ["with the change", "recorded"])
    axis.set_ylim(-0.5, 1.7)
    name_colours(axis, (*OUTCOME_NAMES, ("water", WATER, 127)))
