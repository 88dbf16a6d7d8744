"""A session's times as NWB has them: seconds from one moment on, whose time of day is known."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np

from core.clock import local_datetime
from core.errors import InputError
from recording.nwb_pack import packed
from recording.recorded import RecordedSession
from recording.schema import SideRow
from recording.tables import Floats, Ints

EXACT_S = 1 << 20
"""Seconds (12 days) up to which ``round(seconds * 1e9)`` gives the ns back, also of a start, a rate and a place."""


def began(session: RecordedSession) -> datetime | None:
    """Return when a session began, local time with its UTC offset; None where it does not say so."""
    wall = session.meta.get("started_wall_ns")
    try:
        # ``true`` is an int in Python.
        return local_datetime(wall) if type(wall) is int and wall > 0 else None
    except (OverflowError, ValueError, OSError):
        return None


class SessionClock:
    """Turns ns of a session's frame clock into seconds of its NWB file.

    Second 0 is the earliest time that the session recorded: mostly its first frame. ``session_start_time`` is the time
    of day of that moment, by the host's clock when the first frame was asked for.

    Parameters
    ----------
    session : RecordedSession
        With a frame at least.
    others : iterable of RecordedSession
        What was recorded beside it on the same clock.

    Attributes
    ----------
    zero_ns : int
        Second 0 on the frames' clock.
    start : datetime
        With its UTC offset.

    Raises
    ------
    InputError
        The session does not say when it began, or is too long for exact times.
    """

    def __init__(self, session: RecordedSession, others: Iterable[RecordedSession] = ()) -> None:
        first = int(session.frames.time_ns[0])
        firsts = [int(other.frames.time_ns[0]) for other in others if len(other.frames)]
        rows: list[SideRow] = [*session.events, *(session.inputs or ()), *(session.missing or ())]
        self.zero_ns = min([first, *firsts, *(row.time_ns for row in rows)])
        begun = began(session)
        if begun is None:
            raise InputError(
                f"{session.folder}: its session.json does not say when the session began (started_wall_ns); restore it"
            )
        span_s = (max([int(session.frames.time_ns.max()), *(row.time_ns for row in rows)]) - self.zero_ns) / 1e9
        if not 0 <= span_s <= EXACT_S:
            raise InputError(f"{session.folder}: its rows span {span_s:.0f} s, which cannot be; the log is damaged")
        self.start: datetime = local_datetime(session.meta["started_wall_ns"] - (first - self.zero_ns))
        self._owner: Any = None
        self._owned: Ints | None = None

    def seconds(self, time_ns: Any) -> Floats:
        """Return times as seconds, (n,) float64; ``round(seconds * 1e9) + zero_ns`` is ``time_ns``."""
        times: Floats = (np.asarray(time_ns, np.int64) - self.zero_ns) / 1e9
        return times

    def timing(self, time_ns: Ints) -> dict[str, Any]:
        """Return what a TimeSeries is given for its times, (n,) ns rising.

        Times that are all the same number of ns apart are a start and a rate, as NWB's checks want them; they come to
        the same ns. Others are timestamps.
        """
        steps = np.diff(time_ns)
        if len(time_ns) > 2 and steps[0] > 0 and np.all(steps == steps[0]):
            return {"starting_time": float(self.seconds(time_ns[0])), "rate": 1e9 / int(steps[0])}
        if self._owned is not None and np.array_equal(self._owned, time_ns):
            return {"timestamps": self._owner}
        return {"timestamps": packed(self.seconds(time_ns))}

    def share(self, series: Any, time_ns: Ints) -> None:
        """Let later series with these very times refer to those of ``series``, in place of a copy."""
        if series.rate is None:
            self._owner, self._owned = series, time_ns
