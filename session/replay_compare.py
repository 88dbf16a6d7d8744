"""Judges a replay: each row and each decision beside what was recorded, to the last bit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from core.values import Frame
from recording.recorded import RecordedSession
from recording.schema import EventRow, FrameRow, SideRow, TimingRow

DECISIONS = frozenset(
    {
        "trial_start", "start_waits", "crossing", "chance", "reward", "success", "fail", "cut_short", "threshold",
        "operator", "free_water", "refused", "set", "note", "session_end",
    }
)  # fmt: skip
"""Events that the trial logic makes; all others are told by devices and by the runner."""
EVENTS = "events"
"""Stands for a column where a decision differs."""
ROWS = "rows"
"""Stands for a column where frames.csv has another number of rows than session.json counts frames."""
SHOWN = 10
"""So many mismatches are told one by one."""
_COMPARED = tuple(name for name in FrameRow._fields if name not in ("image", "parts"))


class Mismatch(NamedTuple):
    """One value that differs.

    Attributes
    ----------
    frame : int
        Number of the frame, or of the newest one before a decision.
    column : str
    recorded, now : object
        Values of the column; of ``events`` a text, empty where there is none.
    """

    frame: int
    column: str
    recorded: object
    now: object


@dataclass(slots=True)
class Comparison:
    """What a replay came to so far.

    Attributes
    ----------
    rows, events : int
        Rows and decisions that were compared.
    mismatches : int
    by_column : Counter
        Mismatches by column.
    first : list of Mismatch
        The first ``SHOWN``.
    """

    rows: int = 0
    events: int = 0
    mismatches: int = 0
    by_column: Counter[str] = field(default_factory=Counter)
    first: list[Mismatch] = field(default_factory=list)

    def take(self, found: Mismatch) -> None:
        """Count a mismatch."""
        self.mismatches += 1
        self.by_column[found.column] += 1
        self.first.append(found)
        self.first.sort(key=lambda each: each.frame)
        del self.first[SHOWN:]


class ComparingSink:
    """FrameSink: compares what the loop would record with what was recorded. Writes nothing.

    Parameters
    ----------
    session : RecordedSession
    prefix : str
        What the columns of parts begin with.
    last_ns : int or None
        Of a session that was killed, the newest time up to which its events are known to be whole; None: all are.
    """

    def __init__(self, session: RecordedSession, prefix: str, last_ns: int | None = None) -> None:
        self.found = Comparison()
        self._frames = session.frames
        self._events = session.events
        self._recorded = session.frames.rows()
        self._parts = tuple(f"{prefix}{name}" for name in session.part_names)
        self._last_ns = last_ns
        self._decisions: dict[int, list[EventRow]] = {}

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Compare a row. As ``FrameSink``."""
        del timing
        before = next(self._recorded)
        self.found.rows += 1
        for name in _COMPARED:
            was, now = getattr(before, name), getattr(row, name)
            if was is not now and not same(was, now):
                self.found.take(Mismatch(frame.number, name, was, now))
        self._compare_parts(frame.number, before.parts, row.parts)
        self.note(side)

    def _compare_parts(self, number: int, before: tuple[float, ...], now: tuple[float, ...]) -> None:
        if len(before) != len(now):
            self.found.take(Mismatch(number, "parts", len(before), len(now)))
            return
        for name, one, other in zip(self._parts, before, now, strict=True):
            if not same(one, other):
                self.found.take(Mismatch(number, name, one, other))

    def note(self, side: Sequence[SideRow]) -> None:
        """Keep the decisions, to be compared at the end. As ``FrameSink``."""
        for each in side:
            if isinstance(each, EventRow) and is_decision(each):
                self._decisions.setdefault(each.time_ns, []).append(each)

    def end(self) -> Comparison:
        """Compare the decisions, by their times; return what the replay came to."""
        recorded: dict[int, list[EventRow]] = {}
        for event in self._events:
            if is_decision(event):
                recorded.setdefault(event.time_ns, []).append(event)
        last_ns = math.inf if self._last_ns is None else self._last_ns
        for time_ns in sorted({*recorded, *self._decisions}):
            if time_ns > last_ns:
                break
            were, are = recorded.get(time_ns, []), self._decisions.get(time_ns, [])
            if time_ns == last_ns:
                # Either table may have been cut short among the rows of this very frame.
                shorter = min(len(were), len(are))
                were, are = were[:shorter], are[:shorter]
            self._compare_events(time_ns, were, are)
        return self.found

    def _compare_events(self, time_ns: int, were: list[EventRow], are: list[EventRow]) -> None:
        self.found.events += max(len(were), len(are))
        at = int(np.searchsorted(self._frames.time_ns, time_ns, side="right")) - 1
        number = int(self._frames.frame[at]) if at >= 0 else 0
        for place in range(max(len(were), len(are))):
            was = were[place] if place < len(were) else None
            now = are[place] if place < len(are) else None
            if was != now:
                self.found.take(Mismatch(number, EVENTS, _told(was), _told(now)))


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same to the last bit; any NaN is the same as any other."""
    if isinstance(one, float) and isinstance(other, float):
        if one != one:
            return other != other
        return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)
    return bool(one == other)


def is_decision(event: EventRow) -> bool:
    """Whether the trial logic made this event; a guardian of the outputs, too, tells of what it ``refused``."""
    return event.kind in DECISIONS and (event.kind != "refused" or event.detail.startswith("threshold "))


def _told(event: EventRow | None) -> str:
    """Return an event as a text."""
    if event is None:
        return ""
    trial = f" (trial {event.trial})" if event.trial else ""
    return f"{event.kind} {event.detail}".strip() + f"{trial} at {event.time_ns} ns"
