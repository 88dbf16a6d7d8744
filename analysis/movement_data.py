"""What a recorded movement session holds, as the arrays that its figure is drawn from. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.session_panels import settings_of
from core.values import SKIPPED
from recording.reader import RecordedSession

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MINUTES_FROM_S = 600.0
"""A longer session is labelled in minutes."""
HEADROOM = 1.5
"""Peaks that reach so much higher than all else do not set the scale of their axis; chosen by looking."""


@dataclass(frozen=True, eq=False)
class Movement:
    """The frames that were judged, those skipped by the pose estimation being left out. Arrays are (n,).

    Attributes
    ----------
    part : str
        The control point.
    by_speed : bool
        Whether speed earned water, else reaching the target.
    rows : ndarray of int
        Row of each in the log.
    times : ndarray of float
        Since the session's first frame, in s.
    value, threshold : ndarray of float
        Speed in mm/s, or the distance to the target in mm; NaN where it cannot be told.
    valid : ndarray of bool
        Whether the value counted.
    speed : ndarray of float
        mm/s.
    x, y, likelihood : ndarray of float
        Column and row of the control point, px, and how far it is trusted.
    trusted : ndarray of bool
        Whether it is trusted enough.
    trial : ndarray of int
    """

    part: str
    by_speed: bool
    rows: Ints
    times: Floats
    value: Floats
    threshold: Floats
    valid: Bools
    speed: Floats
    x: Floats
    y: Floats
    likelihood: Floats
    trusted: Bools
    trial: Ints

    @property
    def unit(self) -> str:
        """Unit of ``value``."""
        return "mm/s" if self.by_speed else "mm"


def read_movement(session: RecordedSession) -> Movement:
    """Return what the figure is drawn from; a part that the log does not hold was never seen."""
    frames, settings = session.frames, settings_of(session)
    rows = np.flatnonzero(frames.reason != SKIPPED).astype(np.int64)
    part, by_speed = str(settings.get("control_point", "")), settings.get("reward_by", "speed") == "speed"
    x, y, likelihood, speed = (
        _part(session, name)[rows] for name in (f"{part}_x", f"{part}_y", f"{part}_likelihood", "speed_mm_s")
    )
    sign = 1.0 if by_speed else -1.0
    seen = np.isfinite(x) & np.isfinite(y)
    return Movement(
        part=part,
        by_speed=by_speed,
        rows=rows,
        times=((frames.time_ns - frames.time_ns[:1]) / 1e9)[rows],
        value=sign * frames.signal[rows],
        threshold=sign * frames.threshold[rows],
        valid=frames.valid[rows],
        speed=speed,
        x=x,
        y=y,
        likelihood=likelihood,
        trusted=seen & (likelihood >= float(settings.get("min_likelihood", 0.0))),
        trial=frames.trial[rows],
    )


def _part(session: RecordedSession, name: str) -> Floats:
    """Return a column of the pipeline's parts; NaN where there is none."""
    if name not in session.part_names:
        return np.full(len(session.frames), np.nan)
    column: Floats = session.frames.parts[:, session.part_names.index(name)]
    return column


def scale_top(value: Floats, threshold: Floats) -> float:
    """Return the end of an axis that shows the values and the threshold, without being ruled by a few high peaks."""
    known, limits = value[np.isfinite(value)], threshold[np.isfinite(threshold)]
    highest = float(known.max()) if known.size else 0.0
    usual = 1.1 * float(np.percentile(known, 99.5)) if known.size else 0.0
    wanted = max(usual, 1.3 * float(limits.max()) if limits.size else 0.0)
    top = 1.05 * highest if highest <= HEADROOM * wanted else wanted
    return max(top, wanted if limits.size else top, 1e-3)


def spans(flags: Bools) -> list[tuple[int, int]]:
    """Return the first and last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def merged(starts: Floats, ends: Floats, nearest: float) -> list[tuple[float, float]]:
    """Return spans of time as (start, length), those closer than ``nearest`` to each other as one."""
    found: list[tuple[float, float]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if found and start - sum(found[-1]) < nearest:
            found[-1] = (found[-1][0], end - found[-1][0])
        else:
            found.append((start, end - start))
    return found
