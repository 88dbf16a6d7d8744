"""What a recorded session was given beside its frames, in the order in which the loop is to be given it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from core.errors import SourceError
from core.values import Lick, Operator, OperatorKind
from recording.recorded import RecordedSession
from recording.schema import INPUTS_CSV, EventRow, InputRow

CUT, REST_FROM, LICK, REFUSED = "cut", "rest_from", "lick", "refused"
_Value = TypeVar("_Value")
_WISHES = {kind.value: kind for kind in OperatorKind}


class Between(NamedTuple):
    """What came between two frames: ``cut`` by a lost device (``who``), ``rest_from`` its return, at ``time_ns``."""

    kind: str
    time_ns: int
    who: str


@dataclass(frozen=True, slots=True)
class InputScript:
    """The inputs of a session, by what they belong to.

    Attributes
    ----------
    wishes : dict
        By the number of the frame they were given with.
    licks : dict
        By the time of the frame they were given with, ns.
    refused : dict
        By the time of the frame, ns: from which of its drops on (counted from 0) the valve refused.
    between : dict
        By the number of the frame before, 0 before the first; in their order.
    """

    wishes: Mapping[int, tuple[Operator, ...]]
    licks: Mapping[int, tuple[Lick, ...]]
    refused: Mapping[int, int]
    between: Mapping[int, tuple[Between, ...]]


def read_script(session: RecordedSession) -> InputScript:
    """Return the inputs of a session; those of frames that its log does not reach are left out.

    Raises
    ------
    SourceError
        An input of a kind that this version does not know.
    """
    wishes: dict[int, list[Operator]] = {}
    licks: dict[int, list[Lick]] = {}
    refused: dict[int, int] = {}
    between: dict[int, list[Between]] = {}
    times = _times_of(session)
    for row in session.inputs or ():
        if row.kind in (CUT, REST_FROM):
            between.setdefault(row.frame, []).append(Between(row.kind, row.time_ns, row.who))
        elif row.frame not in times:
            continue
        elif row.kind == LICK:
            licks.setdefault(times[row.frame], []).append(Lick(row.time_ns))
        elif row.kind == REFUSED:
            if not row.value.is_integer():
                raise SourceError(
                    f"{session.folder / INPUTS_CSV}: frame {row.frame} has the value {row.value!r}, not the number "
                    "of a drop; restore it from a copy"
                )
            refused[times[row.frame]] = int(row.value)
        else:
            wishes.setdefault(row.frame, []).append(_wish(row, session))
    return InputScript(_frozen(wishes), _frozen(licks), refused, _frozen(between))


def with_returns(script: InputScript, events: Iterable[EventRow]) -> InputScript:
    """Return the script with the return of every lost device in it, whether or not a trial was cut when it was lost.

    For a session that differs from the recorded one: each ``cut`` is followed by a ``rest_from`` at the time when the
    device was back, which counts if this session's trial was cut.
    """
    # A second camera is lost and comes back, too, which cuts nothing.
    devices = {step.who for steps in script.between.values() for step in steps if step.kind == CUT}
    back_ns: list[int | None] = []
    for event in events:
        if event.kind == "lost" and event.detail.partition(":")[0] in devices:
            back_ns.append(None)
        elif event.kind == "back" and event.detail.partition(" ")[0] in devices and back_ns:
            back_ns[-1] = event.time_ns
    returns = iter(back_ns)
    between: dict[int, list[Between]] = {}
    for number, steps in script.between.items():
        for step in steps:
            if step.kind != CUT:
                continue
            back = next(returns, None)
            between.setdefault(number, []).append(step)
            if back is not None:
                between[number].append(Between(REST_FROM, back, ""))
    return InputScript(script.wishes, script.licks, script.refused, _frozen(between))


def _times_of(session: RecordedSession) -> dict[int, int]:
    """Return the times of the frames that have inputs, by their numbers."""
    numbers = session.frames.frame
    wanted = np.array(sorted({row.frame for row in session.inputs or ()}), np.int64)
    rows = np.searchsorted(numbers, wanted)
    there = rows < len(numbers)
    there[there] = numbers[rows[there]] == wanted[there]
    return dict(zip(wanted[there].tolist(), session.frames.time_ns[rows[there]].tolist(), strict=True))


def _wish(row: InputRow, session: RecordedSession) -> Operator:
    kind = _WISHES.get(row.kind)
    if kind is None:
        raise SourceError(
            f"{session.folder / INPUTS_CSV}: frame {row.frame} was given {row.kind!r}, which this version does not "
            "know; replay it with the version that recorded it (session.json names it)"
        )
    return Operator(kind, row.value, row.who, row.text)


def _frozen(lists: Mapping[int, list[_Value]]) -> dict[int, tuple[_Value, ...]]:
    return {key: tuple(values) for key, values in lists.items()}
