"""What CLoPy's rows tell of a session beyond themselves: events, drops of water, counts, and how it ended.

CLoPy's scripts count a trial from the row after the one on which it begins: on that row tone and ``audio`` are there
already while ``trial`` is still 0. Such a row stays one of rest here, as it was written; the event ``trial_start`` has
its time, so that trials last as long as they did. Logs that were given out by this program have no such rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from recording.schema import EventRow
from recording.tables import FrameTable, Ints

REWARD_DUR_S = {"clnf": 0.3, "clmf": 0.1}
"""Opening time of the valve for a reward, s, by kind of session; it stands in CLoPy's scripts."""
_MOST_LICKS = 2**24
"""Chosen as what a lick sensor could not come to in a week; so many events still fit into memory."""
NO_WATER = ("no_reward", "behavior_recording")
"""What the session types without water end in."""


def water_of(outcome: Ints, settings: dict[str, Any]) -> Ints:
    """Return the drops of each row, (n,): one with each reward of a session that gives water."""
    dry = str(settings.get("session_type") or "").strip().endswith(NO_WATER)
    return np.zeros_like(outcome) if dry else (outcome == 1).astype(np.int64)


def events_of(frames: FrameTable, reward_dur_s: float, settings: dict[str, Any]) -> tuple[EventRow, ...]:
    """Return the events that the rows hold, in the words and the order of ours.

    They are ``lick``, ``trial_start``, ``reward``, ``success`` and ``fail``, and ``threshold`` where an adaptive one
    has changed; all at the time of their row. A crossing has no trace in a log of CLoPy's.

    Parameters
    ----------
    frames : FrameTable
    reward_dur_s : float
        Opening time of the valve for a reward, s.
    settings : dict
        ``adaptive_threshold`` is used.

    Raises
    ------
    ValueError
        The rows have more licks than there can be.
    """
    if (licks := frames.licks.sum(dtype=float)) > _MOST_LICKS:
        raise ValueError(f"{licks:.0f} licks cannot be")
    starts = _starts(frames)
    adaptive = bool(settings.get("adaptive_threshold"))
    events: list[EventRow] = []
    before = float("nan")
    for index, row in enumerate(frames.rows()):
        events += [EventRow(row.time_ns, "lick", row.trial, "")] * row.licks
        if adaptive and row.threshold != before and not (math.isnan(before) or math.isnan(row.threshold)):
            events.append(EventRow(row.time_ns, "threshold", row.trial, repr(row.threshold)))
        before = row.threshold
        if index in starts:
            trial, audio = starts[index]
            events.append(EventRow(row.time_ns, "trial_start", trial, "sound" if audio else "silent"))
        if row.water:
            events.append(EventRow(row.time_ns, "reward", row.trial, repr(reward_dur_s)))
        if row.outcome:
            events.append(EventRow(row.time_ns, "success" if row.outcome > 0 else "fail", row.trial, ""))
    return tuple(events)


def _starts(frames: FrameTable) -> dict[int, tuple[int, bool]]:
    """Return the row on which each trial begins: its number, and whether it sounds."""
    trial = frames.trial
    numbers, first = np.unique(trial, return_index=True)
    early = int(bool(np.any((frames.audio > 0) & (trial == 0))))
    return {
        max(0, int(at) - early): (int(number), bool(frames.audio[at]))
        for number, at in zip(numbers, first, strict=True)
        if number > 0
    }


def facts_of(frames: FrameTable, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what session.json of ours holds at the end, as far as the rows tell it.

    ``outcome`` is ``complete`` where as many trials have an outcome as ``total_trials`` says, and ``aborted`` where
    they have not, as CLoPy's own files do not tell the two apart; it is absent where there were no trials at all, or
    the number is not known.
    """
    outcomes = frames.outcome[frames.outcome != 0]
    trials = int(np.count_nonzero(np.unique(frames.trial)))
    times = frames.time_ns
    counts = {
        "trials": trials,
        "successes": int((outcomes > 0).sum()),
        "rewards": int(frames.water.sum()),
        "water": int(frames.water.sum()),
        "frames": len(frames),
        "dropped": 0,
        "duration_s": float(times[-1] - times[0]) / 1e9 if len(times) else 0.0,
    }
    total = settings.get("total_trials")
    if not trials or not total:
        return {"counts": counts}
    return {"counts": counts, "outcome": "complete" if len(outcomes) >= total else "aborted"}
