"""What would have happened with other settings: the log of the changed session, and both in figures side by side."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_type_hints

import numpy as np

from core.trial import Phase, TrialState
from core.values import Frame
from recording.recorded import RecordedSession
from recording.schema import EventRow, FrameRow, SideRow, TimingRow
from recording.tables import FrameTable, no_timing, texts
from session.recover_counts import last_threshold
from session.replay_compare import same
from session.settings import Settings

HEARD = ("phase", "trial", "audio", "freq_hz", "outcome", "water")
"""Columns that a mouse would have noticed: the first difference is looked for in these."""
NO_IMAGE = "no image"
"""Reason of a frame whose signal would need an image that is missing."""
OPEN_LOOP = (
    "the animal is as it was recorded: its brain and body did not answer to the other tones and drops (open loop)"
)


class Facts(NamedTuple):
    """A session in figures.

    Attributes
    ----------
    trials, successes, cut_short : int
        Trials that came to an outcome, those of them that were a success, and those that did not come to one.
    rewards, drops : int
        Drops that trials or chance earned; all of them, free ones included.
    threshold : float
        At the end.
    mean_trial_s : float or None
        Mean duration of the trials that came to an outcome, s.
    duration_s : float
        From the first frame to the last.
    """

    trials: int
    successes: int
    cut_short: int
    rewards: int
    drops: int
    threshold: float
    mean_trial_s: float | None
    duration_s: float

    @property
    def success_rate(self) -> float | None:
        """Share of trials that were a success; None without trials."""
        return self.successes / self.trials if self.trials else None


class Difference(NamedTuple):
    """The first frame that a mouse would have noticed: which, when (s from the first), in which trial, and what."""

    frame: int
    time_s: float
    trial: int
    column: str
    recorded: object
    changed: object


@dataclass(frozen=True, slots=True)
class Change:
    """What would have happened with other settings.

    Attributes
    ----------
    changes : dict
        The keys that were changed, and their values.
    recorded, changed : Facts
    first : Difference or None
        None where the mouse would have noticed nothing.
    ended : str
        ``done``: the changed session came to its end; ``recording``: the recording ended before; ``refused: ...``: a
        drop was too much for the rig's bounds, which ends a session.
    no_signal : int
        Frames without a signal since an image that it needs is missing.
    session : RecordedSession
        What the changed session would have recorded, in memory.
    """

    changes: Mapping[str, str]
    recorded: Facts
    changed: Facts
    first: Difference | None
    ended: str
    no_signal: int
    session: RecordedSession


class ChangedLog:
    """FrameSink: keeps in memory what the changed session would have recorded, 8 bytes a number."""

    def __init__(self, recorded: RecordedSession, settings: Settings) -> None:
        self._recorded = recorded
        self._settings = settings
        codes = {int: "q", float: "d", bool: "b", tuple[float, ...]: "d"}
        hints = get_type_hints(FrameRow)
        self._columns: dict[str, Any] = {
            name: [] if hints[name] is str else array(codes[hints[name]]) for name in FrameRow._fields
        }
        self._events: list[EventRow] = []
        self._parts = 0

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Keep a row. As ``session.loop.FrameSink``."""
        del frame, timing
        for name, value in zip(FrameRow._fields, row, strict=True):
            if name != "parts":
                self._columns[name].append(value)
        self._parts = len(row.parts)
        self._columns["parts"].extend(row.parts)
        self.note(side)

    def note(self, side: Sequence[SideRow]) -> None:
        """Keep events. As ``session.loop.FrameSink``."""
        self._events.extend(each for each in side if isinstance(each, EventRow))

    def end(self, state: TrialState, why: str, changes: Mapping[str, str]) -> Change:
        """Return what it came to."""
        recorded = self._recorded
        table = self._table()
        names = tuple(f"part{number}" for number in range(self._parts))
        meta = {**recorded.meta, "settings": self._settings.flat()}
        session = RecordedSession(
            recorded.folder, meta, names, table, no_timing(), tuple(self._events), recorded.image_path
        )
        return Change(
            changes=dict(changes),
            recorded=facts_of(recorded, last_threshold(recorded, np.nan)),
            changed=facts_of(session, state.threshold.value),
            first=first_difference(recorded.frames, table),
            ended=why or ("done" if state.phase is Phase.DONE else "recording"),
            no_signal=int((table.reason == NO_IMAGE).sum()),
            session=session,
        )

    def _table(self) -> FrameTable:
        rows = len(self._columns["frame"])
        made: dict[str, Any] = {}
        for name, column in self._columns.items():
            if isinstance(column, list):
                made[name] = texts(column)
            elif name == "parts":
                made[name] = np.array(column, np.float64).reshape(rows, self._parts)
            else:
                made[name] = np.array(column, {"q": np.int64, "d": np.float64, "b": np.bool_}[column.typecode])
        return FrameTable(**made)


def facts_of(session: RecordedSession, threshold: float) -> Facts:
    """Return a session in figures; its threshold at the end is given."""
    table = session.frames
    ended = np.flatnonzero(table.outcome != 0)
    lasted = []
    for row in ended.tolist():
        begun = int(np.argmax(table.trial == table.trial[row]))
        lasted.append((int(table.time_ns[row]) - int(table.time_ns[begun])) / 1e9)
    return Facts(
        trials=len(ended),
        successes=int((table.outcome > 0).sum()),
        cut_short=sum(event.kind == "cut_short" for event in session.events),
        rewards=sum(event.kind == "reward" for event in session.events),
        drops=int(table.water.sum()),
        threshold=threshold,
        mean_trial_s=sum(lasted) / len(lasted) if lasted else None,
        duration_s=(int(table.time_ns[-1]) - int(table.time_ns[0])) / 1e9 if len(table) else 0.0,
    )


def first_difference(recorded: FrameTable, changed: FrameTable) -> Difference | None:
    """Return the first frame that the mouse would have noticed, the session's end included."""
    both = min(len(recorded), len(changed))
    first = both
    for name in HEARD:
        unlike = np.flatnonzero(getattr(recorded, name)[:both] != getattr(changed, name)[:both])
        first = min(first, int(unlike[0])) if len(unlike) else first
    if first == both:
        return None
    trial = max(int(recorded.trial[first]), int(changed.trial[first]))
    seconds = (int(recorded.time_ns[first]) - int(recorded.time_ns[0])) / 1e9
    for name in HEARD:
        was, now = (getattr(table, name)[first : first + 1].tolist()[0] for table in (recorded, changed))
        if not same(was, now):
            return Difference(int(recorded.frame[first]), seconds, trial, name, was, now)
    return None
