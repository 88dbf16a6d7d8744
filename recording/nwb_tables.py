"""A session's tables in NWB: events, inputs, missing numbers, and what frames.csv and timing.csv hold of each frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from recording.nwb_clock import SessionClock
from recording.nwb_pack import column, ids, packed, small
from recording.recorded import RecordedSession
from recording.schema import EventRow

WATER = ("reward", "free_water")
LICK = "lick"
_ID = "The id of a row is its place in events.csv, from 0."
_TRIAL = "Trial it fell in, from 1; 0: in none."


def events_tables(session: RecordedSession, clock: SessionClock) -> list[Any]:
    """Return a table each of licks, of water and of the other events; those that are empty are left out."""
    rows = list(enumerate(session.events))
    licks = [(place, row) for place, row in rows if row.kind == LICK]
    water = [(place, row) for place, row in rows if row.kind in WATER]
    others = [(place, row) for place, row in rows if row.kind not in (LICK, *WATER)]
    made = [
        _events("licks", f"Licks of the spout. {_ID}", licks, clock, "The lick sensor."),
        _events("rewards", f"Drops of water. {_ID}", water, clock, "The trial logic.", with_duration=True),
        _events(
            "session_events",
            "What else happened: trials, crossings, the operator, lost devices. Braces in a text are written as "
            f"parentheses. {_ID}",
            others,
            clock,
            "The program.",
        ),
    ]
    return [table for table in made if table is not None]


def _events(
    name: str,
    description: str,
    rows: Sequence[tuple[int, EventRow]],
    clock: SessionClock,
    source: str,
    *,
    with_duration: bool = False,
) -> Any:
    from pynwb.event import DurationVectorData, EventsTable

    if not rows:
        return None
    columns = [_timestamp([row.time_ns for _, row in rows], clock)]
    if with_duration:
        opened = np.array([_seconds_in(row.detail) for _, row in rows])
        text = "How long the valve was to be open, s."
        columns.append(DurationVectorData(name="duration", description=text, data=opened))
    if name != "licks":
        columns.append(column("kind", "What it was, as in events.csv.", [row.kind for _, row in rows]))
    columns.append(column("trial", _TRIAL, small([row.trial for _, row in rows])))
    if any(row.detail for _, row in rows):
        columns.append(column("annotation", "What is said of it.", [without_braces(row.detail) for _, row in rows]))
    return EventsTable(
        name=name,
        description=description,
        source_description=source,
        columns=columns,
        id=ids([place for place, _ in rows]),
    )


def inputs_table(session: RecordedSession, clock: SessionClock) -> Any:
    """Return the table of all that the trial logic was given beside the frames; None where there was nothing."""
    from pynwb.event import EventsTable

    if not session.inputs:
        return None
    rows = session.inputs
    columns = [
        _timestamp([row.time_ns for row in rows], clock),
        column("frame", "Number of the frame it was given with.", small([row.frame for row in rows])),
        column("kind", "lick, a wish of the operator, or a lost device.", [row.kind for row in rows]),
        column("value", "Of a wish, such as a new threshold; else 0.", np.array([row.value for row in rows])),
        column("who", "Who wished it, or which device it was.", [without_braces(row.who) for row in rows]),
    ]
    if any(row.text for row in rows):
        said = "Of a note its words, of a change (set) the key and its new value; else empty."
        columns.append(column("text", said, [without_braces(row.text) for row in rows]))
    text = "All that could influence a decision beside the frames, in its order (inputs.csv)."
    return EventsTable(name="inputs", description=text, source_description="The program.", columns=columns)


def missing_table(session: RecordedSession, clock: SessionClock) -> Any:
    """Return the table of numbers that no frame came of; None where none is known."""
    from pynwb.event import EventsTable

    if not session.missing:
        return None
    rows = session.missing
    columns = [
        _timestamp([row.time_ns for row in rows], clock),
        column("frame", "The number.", small([row.frame for row in rows])),
        column("cause", "What it was lost to.", [row.cause for row in rows]),
    ]
    text = (
        "Numbers that the camera counted and no frame came of (missing.csv); the time is that of the next frame, or of "
        "the last one where none came."
    )
    return EventsTable(name="missing_frames", description=text, source_description="The camera.", columns=columns)


def frames_table(session: RecordedSession, clock: SessionClock, name: str = "frames") -> Any:
    """Return what frames.csv says of each frame, but for what is a TimeSeries of its own."""
    from pynwb.core import DynamicTable

    frames = session.frames
    columns = [
        column("frame", "The camera's number; gaps are lost frames.", small(frames.frame)),
        column("time_ns", "Capture time on the frames' clock, ns.", frames.time_ns),
        column("sensor_ns", "The sensor's own stamp, ns; 0: none.", frames.sensor_ns),
        column("dropped", "Frames lost just before this one.", small(frames.dropped)),
        column("image", "Its place in the recorded images, from 0; -1: its image was not kept.", small(frames.image)),
        column("is_valid", "Whether the signal may be used.", frames.valid),
        column("reason", "Why not; empty where it may.", frames.reason.tolist()),
        column("phase", "rest, trial, paused or done: what this frame was judged in.", frames.phase.tolist()),
        column("trial", _TRIAL, small(frames.trial)),
        column("has_sound", "Whether the trial sounds.", frames.audio.astype(np.bool_)),
        column("outcome", "On the last frame of a trial 1 (success) or -1 (fail), else 0.", small(frames.outcome)),
        column("water", "Drops that this frame asked for.", small(frames.water)),
        column("licks", "Licks since the frame before.", small(frames.licks)),
    ]
    text = f"A row per frame (frames.csv). Second 0 of this file is {clock.zero_ns} ns on the frames' clock."
    return DynamicTable(name=name, description=text, columns=columns)


def timing_table(session: RecordedSession, name: str = "host_times") -> Any:
    """Return timing.csv; None where it has no rows."""
    from pynwb.core import DynamicTable

    timing = session.timing
    if not len(timing):
        return None
    columns = [
        column("frame", "The camera's number.", small(timing.frame)),
        column("read_ns", "The frame was had.", timing.read_ns),
        column("signal_ns", "The signal was computed; 0: the frame was skipped.", timing.signal_ns),
        column("decision_ns", "The trial logic was done.", timing.decision_ns),
        column("command_ns", "The last command was issued.", timing.command_ns),
    ]
    text = "When the host did each step of each frame, ns on its monotonic clock (timing.csv)."
    return DynamicTable(name=name, description=text, columns=columns)


def without_braces(text: str) -> str:
    """Return a text that no check takes for a Python dictionary."""
    return text.replace("{", "(").replace("}", ")")


def _timestamp(time_ns: list[int], clock: SessionClock) -> Any:
    from pynwb.event import TimestampVectorData

    text = "When it happened, s."
    return TimestampVectorData(name="timestamp", description=text, data=packed(clock.seconds(time_ns)))


def _seconds_in(detail: str) -> float:
    """Return the number that a detail begins with, nan where it is none."""
    try:
        return float(detail.split()[0])
    except (IndexError, ValueError):
        return math.nan
