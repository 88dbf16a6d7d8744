"""What the figures of a session of either kind share: palette, thinning, the panels of tone and of trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recording.reader import RecordedSession
from recording.tables import FrameTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Times = npt.NDArray[np.float64]

INK, WATER, TONE, SUCCESS, FAIL, CUT = "#222222", "#0072b2", "#e69f00", "#009e73", "#d55e00", "#999999"
"""Okabe and Ito's colours, which colour-blind people can tell apart."""
OUTCOMES = {1: SUCCESS, -1: FAIL, 0: CUT}
"""Colour of a trial, by its outcome."""
MOST_POINTS = 20_000
"""A trace is drawn with at most this many points, each the extreme of its stretch, so that no crossing is lost."""
NARROWEST = 0.01
"""Share of the time axis that a digit takes; a number that does not fit into its trial's bar is left out."""
OUTCOME_NAMES = (("success", SUCCESS, 0), ("fail", FAIL, 48), ("cut short", CUT, 73))
"""What is written above a panel of trials: words, colours, and where they begin, pt."""


def thin(seconds: Times, trace: Times, most: int = MOST_POINTS) -> tuple[Times, Times]:
    """Return at most about ``most`` points that keep each stretch's lowest and highest known value.

    A stretch without a known value keeps its gap.
    """
    n = len(trace)
    if n <= most:
        return seconds, trace
    step = -(-n // max(1, most // 2))
    starts = np.arange(0, n, step)
    padded = np.full(len(starts) * step, np.nan)
    padded[:n] = trace
    stretches = padded.reshape(len(starts), step)
    missing = np.isnan(stretches)
    lowest = starts + np.where(missing, np.inf, stretches).argmin(axis=1)
    highest = starts + np.where(missing, -np.inf, stretches).argmax(axis=1)
    keep = np.unique(np.concatenate([lowest, highest]))
    return seconds[keep], trace[keep]


class Run(NamedTuple):
    """One trial: its first and last row (a pause may lie between), and its outcome: 1, -1, or 0 if it was cut short."""

    first: int
    last: int
    outcome: int


def runs(frames: FrameTable) -> list[Run]:
    """Return the trials."""
    found = []
    for number in np.unique(frames.trial[frames.trial > 0]):
        inside = np.flatnonzero(frames.trial == number)
        # Frames that were skipped behind the one that ended it may bear the trial's number, too, but no outcome.
        found.append(Run(int(inside[0]), int(inside[-1]), int(frames.outcome[inside].sum())))
    return found


def crossings(session: RecordedSession) -> npt.NDArray[np.intp]:
    """Return the rows whose frame crossed the threshold."""
    times = [event.time_ns for event in session.events if event.kind == "crossing"]
    return np.flatnonzero(np.isin(session.frames.time_ns, times))


def title(figure: Figure, session: RecordedSession) -> None:
    """Write mouse, experiment, date and outcome above the figure."""
    meta = session.meta
    figure.suptitle(
        f"{meta.get('mouse', '')}  ·  {meta.get('experiment', '')}  ·  {session.folder.parent.name}  ·  "
        f"{meta.get('outcome', '')}",
        fontsize=11,
        x=0.01,
        ha="left",
    )


def dress(axes: Any, times: Times, words: str = "time since the first frame (s)") -> None:
    """Take the frames off panels that share their time axis, the last of which is labelled."""
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    if len(times):
        axes[-1].set_xlim(0, max(times[-1], 1e-3))
    axes[-1].set_xlabel(words)


def settings_of(session: RecordedSession) -> Mapping[str, Any]:
    """Return the session's settings; empty where the log was all that was left."""
    settings = session.meta.get("settings")
    return settings if isinstance(settings, dict) else {}


def dff_label(session: RecordedSession) -> str:
    """Return what a neurofeedback session's signal is, as an axis has it."""
    settings = settings_of(session)
    return f"dF/F of {settings.get('roi') or settings.get('roi_operation') or 'the signal'}"


def tone_panel(axis: Axes, session: RecordedSession, times: Times) -> None:
    """Tone in kHz, a gap where there is silence."""
    freq = kilohertz(session.frames)
    if tone_axis(axis, freq):
        axis.plot(*thin(times, freq), color=TONE, lw=1.2, drawstyle="steps-post")


def kilohertz(frames: FrameTable) -> Times:
    """Return each row's tone, kHz; NaN where there is silence."""
    return np.where(frames.freq_hz > 0, frames.freq_hz / 1000, np.nan)


def tone_axis(axis: Axes, *traces: Times) -> bool:
    """Make an axis one of tones, in octaves; return whether any of the traces (kHz) has one."""
    from matplotlib.ticker import LogLocator

    axis.set_ylabel("tone (kHz)")
    if all(np.isnan(each).all() for each in traces):
        # A logarithmic axis without a value has ticks that mean nothing.
        axis.set_yticks([])
        axis.text(0.5, 0.5, "no tone", ha="center", va="center", color=CUT, transform=axis.transAxes)
        return False
    axis.set_yscale("log", base=2)
    axis.yaxis.set_major_locator(LogLocator(base=2, numticks=12))
    axis.yaxis.set_major_formatter("{x:g}")
    return True


def trials_panel(axis: Axes, session: RecordedSession, times: Times) -> None:
    """Each trial as a bar in the colour of its outcome; licks as ticks below."""
    frames = session.frames
    trial_bars(axis, frames, times, float(times[-1]) if len(times) else 0.0, at=1, height=0.8)
    licked = frames.licks > 0
    axis.plot(times[licked], np.zeros(int(licked.sum())), "|", color=INK, ms=8)
    axis.set_yticks([0, 1], ["licks", "trials"])
    axis.set_ylim(-0.5, 1.6)
    name_colours(axis, OUTCOME_NAMES)


def trial_bars(axis: Axes, frames: FrameTable, times: Times, whole: float, *, at: float, height: float) -> None:
    """Draw trials as bars in the colours of their outcomes, with their numbers where they fit.

    Parameters
    ----------
    axis : Axes
    frames : FrameTable
    times : ndarray, (rows,)
    whole : float
        Length of the axis, in the unit of ``times``.
    at, height : float
        Middle and height of the bars.
    """
    for first, last, outcome in runs(frames):
        start, end = times[first], times[last]
        axis.barh(at, max(end - start, whole / 2000, 1e-3), left=start, height=height, color=OUTCOMES[outcome])
        number = str(frames.trial[first])
        if end - start >= len(number) * NARROWEST * whole:
            axis.text((start + end) / 2, at, number, ha="center", va="center", color="white", fontsize=8, clip_on=True)


def name_colours(axis: Axes, names: Sequence[tuple[str, str, int]]) -> None:
    """Write above a panel what its colours mean: each word, its colour, and where it begins (pt from the left)."""
    for label, colour, right_pt in names:
        axis.annotate(
            label, (0, 1.02), (right_pt, 0), xycoords="axes fraction", textcoords="offset points", color=colour,
            fontsize=9,
        )  # fmt: skip
