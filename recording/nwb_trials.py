"""The trials of a recorded session, as a table: from its events, and where it has none from its frames."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recording.nwb_clock import SessionClock
from recording.nwb_pack import column, small
from recording.recorded import RecordedSession

ENDS = ("success", "fail", "cut_short")
UNFINISHED = "unfinished"
"""Outcome of a trial whose end was not recorded; it stops with the last frame."""
_CROSSED = ("crossing", "chance")


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial; times in ns on the frames' clock, None for what did not come, or was not recorded."""

    number: int
    start_ns: int
    sounds: bool
    threshold: float
    stop_ns: int | None = None
    outcome: str = UNFINISHED
    crossing_ns: int | None = None
    reward_ns: int | None = None


def trials_of(session: RecordedSession) -> list[TrialRow]:
    """Return the trials in their order, those that were cut short among them."""
    rows = _from_events(session) if session.events else _from_frames(session)
    end = int(session.frames.time_ns[-1])
    return [replace(row, stop_ns=end) if row.stop_ns is None and end > row.start_ns else row for row in rows]


def _from_events(session: RecordedSession) -> list[TrialRow]:
    frames = session.frames
    rows: list[TrialRow] = []
    for event in session.events:
        if event.kind == "trial_start":
            inside = np.flatnonzero((frames.trial == event.trial) & (frames.time_ns >= event.time_ns))
            threshold = float(frames.threshold[inside[0]]) if len(inside) else math.nan
            rows.append(TrialRow(event.trial, event.time_ns, event.detail == "sound", threshold))
        elif rows and rows[-1].number == event.trial:
            rows[-1] = _with_event(rows[-1], event.kind, event.time_ns)
    return rows


def _with_event(row: TrialRow, kind: str, time_ns: int) -> TrialRow:
    if kind in ENDS and row.stop_ns is None:
        return replace(row, outcome=kind, stop_ns=time_ns)
    if kind in _CROSSED and row.crossing_ns is None:
        return replace(row, crossing_ns=time_ns)
    if kind == "reward" and row.reward_ns is None:
        return replace(row, reward_ns=time_ns)
    return row


def _from_frames(session: RecordedSession) -> list[TrialRow]:
    frames = session.frames
    rows = []
    for number in [int(n) for n in np.unique(frames.trial) if n > 0]:
        inside = np.flatnonzero(frames.trial == number)
        first, last = int(inside[0]), int(inside[-1])
        water = inside[frames.water[inside] > 0]
        outcomes = frames.outcome[inside]
        result = int(outcomes[outcomes != 0][-1]) if np.any(outcomes) else 0
        rows.append(
            TrialRow(
                number,
                int(frames.time_ns[first]),
                bool(frames.audio[first]),
                float(frames.threshold[first]),
                # A trial lasts to the frame that ends it; one of a single frame, to the next.
                int(frames.time_ns[max(last, min(first + 1, len(frames) - 1))]) if result else None,
                {1: "success", -1: "fail"}.get(result, UNFINISHED),
                reward_ns=int(frames.time_ns[water[0]]) if len(water) else None,
            )
        )
    return rows


def trials_table(session: RecordedSession, clock: SessionClock, signal_unit: str) -> Any:
    """Return the table ``trials``, None where the session has none."""
    from pynwb.epoch import TimeIntervals

    rows = trials_of(session)
    if not rows:
        return None

    def times(values: list[int | None]) -> Any:
        return np.array([math.nan if value is None else float(clock.seconds(value)) for value in values])

    columns = [
        column("start_time", "When the trial began, s.", times([row.start_ns for row in rows])),
        column("stop_time", "When it was decided, or cut short, s; nan: not known.", times([r.stop_ns for r in rows])),
        column("trial", "Number of the trial, from 1.", small([row.number for row in rows])),
        column(
            "outcome",
            "success: the signal reached the threshold, or chance chose; fail: the time was over; cut_short: the "
            f"session ended or a device was lost; {UNFINISHED}: no end was recorded.",
            [row.outcome for row in rows],
        ),
        column("has_sound", "Whether the tone was heard.", np.array([row.sounds for row in rows])),
        column("threshold", f"Threshold when the trial began, {signal_unit}.", np.array([r.threshold for r in rows])),
    ]
    optional = (
        ("crossing_time", "When the signal reached the threshold, or chance chose, s; nan: never.", "crossing_ns"),
        ("reward_time", "When the water was asked for, s; nan: never.", "reward_ns"),
    )
    for name, text, field in optional:
        values = [getattr(row, field) for row in rows]
        if any(value is not None for value in values):
            columns.append(column(name, text, times(values)))
    return TimeIntervals(name="trials", description="Trials, in their order.", columns=columns)
