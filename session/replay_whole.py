"""How far the tables of a recorded session reach: all of them to its end, or, of one that was killed, to some row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recording.recorded import RecordedSession, check_order
from recording.schema import EventRow
from session.recover_counts import RECOVERED, counts_of
from session.replay_inputs import InputScript
from session.result import EXIT_CODES

_FAILED = "failed"
_ORDERLY = frozenset(EXIT_CODES) - {_FAILED, RECOVERED}
"""Outcomes of sessions that closed their files: what is not there has gone since."""
_OWN_ENDS = ("complete", "stopped", "no_start")
"""What the trial logic's own ``session_end`` says, beside ``stopped by ...``."""


@dataclass(frozen=True, slots=True)
class Whole:
    """How much of a session can be compared.

    Attributes
    ----------
    killed : bool
        Whether its tables may have been cut short.
    rows : int
        So many rows of frames.csv have all their inputs.
    left_out : int
        Rows after those.
    last_ns : int or None
        Of a killed session, the newest time up to which its events are known; else None.
    end : EventRow or None
        The runner's note of an end that was not the trial logic's own; also where it is lost.
    counted : int or None
        Frames by session.json, of a session that closed its files in order; else None.
    """

    killed: bool
    rows: int
    left_out: int
    last_ns: int | None
    end: EventRow | None
    counted: int | None = None

    @property
    def lost_rows(self) -> bool:
        """Whether frames.csv has other rows than the session had frames, and no kill tells why."""
        return self.counted is not None and self.counted != self.rows


def look_whole(session: RecordedSession, script: InputScript) -> Whole:
    """Return how far the tables of a session reach. Raises SourceError where frames.csv is not in order."""
    check_order(session)
    table = session.frames
    rows = len(table)
    end = next((event for event in reversed(session.events) if event.kind == "session_end"), None)
    own = end is not None and (end.detail in _OWN_ENDS or end.detail.startswith("stopped by "))
    counted = _frames_counted(session)
    outcome = session.meta.get("outcome")
    orderly = isinstance(outcome, str) and outcome in _ORDERLY
    if orderly or (end is not None and outcome == _FAILED and counted in (None, rows)):
        return Whole(False, rows, 0, None, None if own else end or _lost_end(session), counted if orderly else None)
    # A lick that a row counts, and that inputs.csv has not, was still to be written.
    times = table.time_ns.tolist()
    given = np.array([len(script.licks.get(time_ns, ())) for time_ns in times], np.int64)
    short = np.flatnonzero(table.licks > given)
    kept = int(short[0]) if len(short) else rows
    newest = max((event.time_ns for event in session.events), default=-1)
    last_ns = min(newest, times[kept - 1]) if kept else -1
    return Whole(True, kept, rows - kept, last_ns, None)


def _lost_end(session: RecordedSession) -> EventRow:
    """Return the end that events.csv of a session that closed its files must have had."""
    times = session.frames.time_ns
    return EventRow(int(times[-1]) if len(times) else 0, "session_end", 0, str(session.meta["outcome"]))


def _frames_counted(session: RecordedSession) -> int | None:
    """Return how many frames session.json says that there were; None where it does not."""
    frames = counts_of(session).get("frames")
    return frames if isinstance(frames, int) else None
