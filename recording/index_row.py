"""What the index holds of a session: one row, whoever recorded it."""

from __future__ import annotations

from typing import Any, NamedTuple, get_type_hints

KILLED = "killed"
"""Outcome shown of a session that is marked as running while nobody runs it."""
UNBEGUN = "killed before it began"
"""Outcome of a session that left no session.json, nor anything else but its settings; nobody is at it."""
DAMAGED = "damaged"
"""Outcome of a session that cannot be read; its row says why."""

CLOPY = "clopy"
"""Format of CLoPy's folders, whose outcome nobody recorded."""


class SessionRow(NamedTuple):
    """A session in the index; None is what its folder does not tell.

    Attributes
    ----------
    path : str
        Its folder below the data root, such as ``M1/20261120093015/S1``; of CLoPy's movement sessions ``M1/<date>``.
    mouse, day, start_local : str
        By the folder's name, so that it is the rig's local time wherever this is read: ``2026-11-20``,
        ``2026-11-20T09:30:15``; empty where that is no date. A further part of a session has its own start, in local
        time where this was read.
    part : int
        1, or which part of that day's session it is.
    rig, host, experiment, session_type : str
        As its session.json says; empty where it does not.
    kind : {"clnf", "clmf", ""}
        Neurofeedback or movement.
    format : {"rigloop", "clopy"}
        Whose folder it is.
    outputs : str
        ``real`` or ``fake``: whether water flowed.
    outcome : str
        As recorded (``running`` until the end); ``killed before it began``; ``damaged``; empty where it is not
        recorded. CLoPy's files record none: there it is inferred from the number of trials, or empty.
    problem : str
        Why it, or a part of it, cannot be read; empty where all is well.
    duration_s : float or None
        From the first frame to the last, on the frames' clock.
    trials, successes, rewards, drops : int or None
        Trials that came to an outcome, those that were a success, earned drops, and openings of the valve, free ones
        included.
    threshold_start, threshold_end : float or None
        Of the first decision and of the last.
    threshold_unit : str
        ``dF/F``, ``mm/s`` or ``mm``.
    water_s, water_ul : float or None
        Time the valve was open for those drops, and their volume where the session knew a calibration.
    valve_ul_per_ms, valve_offset_ul : float or None
        That calibration: a drop of t ms has ``offset + ul_per_ms * t`` ul.
    frames, dropped : int or None
        Frames recorded, and frames lost before the loop.
    """

    path: str
    mouse: str
    day: str
    start_local: str
    part: int
    rig: str = ""
    host: str = ""
    experiment: str = ""
    session_type: str = ""
    kind: str = ""
    format: str = "rigloop"
    outputs: str = ""
    outcome: str = ""
    problem: str = ""
    duration_s: float | None = None
    trials: int | None = None
    successes: int | None = None
    rewards: int | None = None
    drops: int | None = None
    threshold_start: float | None = None
    threshold_end: float | None = None
    threshold_unit: str = ""
    water_s: float | None = None
    water_ul: float | None = None
    valve_ul_per_ms: float | None = None
    valve_offset_ul: float | None = None
    frames: int | None = None
    dropped: int | None = None

    @property
    def success_rate(self) -> float | None:
        """Return successes as a share of the trials, None without trials."""
        return self.successes / self.trials if self.trials and self.successes is not None else None


_SQL = {str: "TEXT NOT NULL", int: "INTEGER NOT NULL", int | None: "INTEGER", float | None: "REAL"}


def sql_columns() -> dict[str, str]:
    """Return the fields with their SQLite types."""
    hints: dict[str, Any] = get_type_hints(SessionRow)
    return {name: _SQL[hints[name]] for name in SessionRow._fields}
