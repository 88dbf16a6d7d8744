"""The rows that one turn of the loop leaves in a session's tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from core.losses import Losses, losses_of
from core.trial import TrialState
from core.values import Command, Frame, Lick, Mark, Signal, TrialInput
from core.wishes import end_session
from recording.schema import EventRow, FrameRow, InputRow, MissingRow, SideRow


def without_refused(
    before: TrialState, state: TrialState, commands: tuple[Command, ...], water: int
) -> tuple[TrialState, tuple[Command, ...]]:
    """Take out of what was decided the drops that the valve refused: the log and the counts tell what was given.

    Parameters
    ----------
    before, state : TrialState
        Before the decision, and after it.
    commands : tuple of Command
    water : int
        Drops that the valve took.
    """
    kept: list[Command] = []
    rewards = before.rewards
    for command in commands:
        if isinstance(command, Mark) and command.kind in ("reward", "free_water"):
            if not water:
                continue
            water -= 1
            rewards += command.kind == "reward"
        kept.append(command)
    return state._replace(rewards=rewards), tuple(kept)


def frame_row(frame: Frame, signal: Signal, state: TrialState, water: int, licks: int) -> FrameRow:
    """Return the log's row of this frame; ``image`` is filled in by the recorder."""
    verdict = state.verdict
    return FrameRow(
        frame.number,
        frame.time_ns,
        frame.sensor_ns,
        frame.dropped,
        -1,
        signal.value,
        signal.parts,
        signal.valid,
        signal.reason,
        verdict.threshold,
        state.freq_hz,
        verdict.phase.value,
        verdict.trial,
        int(verdict.audio),
        verdict.outcome,
        water,
        licks,
    )


def side_rows(
    frame: Frame, dropped: int, trial: int, given: TrialInput, commands: tuple[Command, ...]
) -> list[SideRow]:
    """Return what a frame leaves in the tables beside its row: events, inputs, and the numbers lost before it.

    Parameters
    ----------
    frame : Frame
    dropped : int
        Frames lost, 0 where the camera tells of them itself.
    trial : int
    given : TrialInput
        What the trial logic was given with the frame.
    commands : tuple of Command
        What it decided.
    """
    side: list[SideRow] = []
    if commands or given.licks or dropped:
        side.extend(event_rows(frame, dropped, trial, given.licks, commands))
    if given.licks or given.operator:
        side.extend(input_rows(frame, given))
    if frame.dropped:
        side.extend(missing_rows(frame))
    return side


def event_rows(
    frame: Frame, dropped: int, trial: int, licks: tuple[Lick, ...], commands: tuple[Command, ...]
) -> list[EventRow]:
    """Return the event log's rows of this frame: drops, licks with their own times, then what was decided."""
    events = [EventRow(frame.time_ns, "drop", trial, str(dropped))] if dropped else []
    events.extend(EventRow(lick.time_ns, "lick", trial, "") for lick in licks)
    events.extend(mark_rows(frame.time_ns, commands))
    return events


def mark_rows(time_ns: int, commands: Iterable[Command]) -> list[EventRow]:
    """Return the event log's rows of what the trial logic decided at a time."""
    return [EventRow(time_ns, c.kind, c.trial, c.detail) for c in commands if isinstance(c, Mark)]


def end_rows(state: TrialState, why: str, time_ns: int) -> list[EventRow]:
    """Return the event log's rows of the end of a session that did not come to its own."""
    commands: list[Command] = []
    end_session(state, why, commands)
    return mark_rows(time_ns, commands)


def input_rows(frame: Frame, given: TrialInput) -> list[InputRow]:
    """Return what the trial logic was given with this frame."""
    rows = [InputRow(frame.number, lick.time_ns, "lick", 0.0, "") for lick in given.licks]
    rows.extend(InputRow(frame.number, frame.time_ns, w.kind.value, w.value, w.who, w.text) for w in given.operator)
    return rows


def missing_rows(frame: Frame) -> list[MissingRow]:
    """Return the numbers that were lost just before this frame, and why."""
    return _rows_of(losses_of(frame.dropped, frame.lost), frame.number - frame.dropped, frame.time_ns)


def rows_after(lost: Losses, number: int, time_ns: int) -> list[MissingRow]:
    """Return the numbers that were lost after a session's last frame, ``number`` at ``time_ns``, and why."""
    return _rows_of(lost, number + 1, time_ns)


def _rows_of(lost: Losses, number: int, time_ns: int) -> list[MissingRow]:
    rows = list[MissingRow]()
    for cause, count in lost:
        rows.append(MissingRow(number, time_ns, cause, count))
        number += count
    return rows
