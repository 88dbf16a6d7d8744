"""Reads a session folder: ours, also one whose session was killed, and CLoPy's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from core.errors import SourceError
from recording import schema
from recording.clopy_clmf_read import find_movement_log, read_clopy_movement
from recording.clopy_read import read_clopy
from recording.csvrows import numbers, part_names, read_table, shown
from recording.folder import read_session_json
from recording.mend import TABLES, is_begun
from recording.recorded import DEFAULT_IMAGE_FILE, DEFAULT_VIDEO_FILE, RecordedSession, count_images, open_images
from recording.schema import EventRow, FrameRow, InputRow, MissingRow, TimingRow
from recording.tables import FrameTable, TimingTable, floats, integers, no_frames, no_timing, texts
from recording.video_file import VIDEO_SUFFIX

__all__ = [
    "DEFAULT_IMAGE_FILE",
    "DEFAULT_VIDEO_FILE",
    "RecordedSession",
    "count_images",
    "open_images",
    "open_session",
    "read_beside",
]

_HDF5_SUFFIXES = (".hdf5", ".h5")


def open_session(path: Path) -> RecordedSession:
    """Read the log of a session; images stay on disk until asked for.

    Parameters
    ----------
    path : Path
        The session folder (``.../S1``), the folder above it, or its file of images; of CLoPy's movement sessions the
        folder or its log (``<mouse>_<YYYYmmddHHMMSS>.txt``).

    Raises
    ------
    SourceError
        There is no session, or it is damaged. What a kill leaves behind is not damage: a last line that was cut short
        is left out.
    """
    path = Path(path).expanduser()
    if (log := find_movement_log(path)) is not None:
        if not path.is_file() and (path / schema.SESSION_JSON).is_file():
            _refuse_copy(path)
        return read_clopy_movement(log)
    folder, images = _locate(path)
    if (folder / schema.FRAMES_CSV).is_file():
        return _read_ours(folder, images)
    if (folder / schema.SESSION_JSON).is_file():
        _refuse_copy(folder)
    return read_clopy(folder, images)


def _refuse_copy(folder: Path) -> None:
    """Raise SourceError for a session of ours without its log: CLoPy's files beside it hold but a part of it."""
    raise SourceError(
        f"{folder / schema.FRAMES_CSV} is not there; restore it from a copy, or move session.json away to read "
        "what CLoPy's files there have of the session"
    )


def _locate(path: Path) -> tuple[Path, Path | None]:
    if path.is_file() and path.suffix.lower() in (*_HDF5_SUFFIXES, VIDEO_SUFFIX):
        return path.parent, path
    if not path.is_dir():
        raise SourceError(f"{path} is no session folder and no .hdf5 or .mkv file; give the folder S1 of a session")
    logs = (schema.FRAMES_CSV, schema.CLOPY_LOG)
    for folder in (path, path / "S1"):
        if any((folder / log).is_file() for log in logs):
            return folder, None
    for folder in (path, path / "S1"):
        if (folder / schema.SESSION_JSON).is_file():
            raise SourceError(
                f"{folder} holds a session that was killed before its first frame, or whose {schema.FRAMES_CSV} was "
                "removed; give another session"
            )
    raise SourceError(f"{path} has no {' and no '.join(logs)}; give the folder S1 of a session")


def _read_ours(folder: Path, images: Path | None) -> RecordedSession:
    meta = read_session_json(folder) if (folder / schema.SESSION_JSON).is_file() else {}
    for name in TABLES:
        if (folder / name).is_file() and not is_begun(folder / name):
            recover = ", or try `rigloop recover`" if meta.get("outcome") in schema.RECOVERABLE else ""
            raise SourceError(f"{folder / name} has no header; restore it from a copy{recover}")
    return read_begun(folder, meta, images)


def read_begun(folder: Path, meta: dict[str, Any], images: Path | None = None) -> RecordedSession:
    """Read the log of a session by its tables that have a header; the others count as not there.

    Parameters
    ----------
    folder : Path
    meta : dict
        Its session.json.
    images : Path or None
        Its file of images; None for the one that session.json names.

    Raises
    ------
    SourceError
        A table is damaged.
    """
    begun = frozenset(name for name in TABLES if is_begun(folder / name))
    names: tuple[str, ...] = ()
    frames = no_frames()
    if schema.FRAMES_CSV in begun:
        names, frames = _read_frames(folder / schema.FRAMES_CSV)
    return RecordedSession(
        folder,
        meta,
        names,
        frames,
        _read_timing(folder / schema.TIMING_CSV) if schema.TIMING_CSV in begun else no_timing(),
        _read_events(folder / schema.EVENTS_CSV) if schema.EVENTS_CSV in begun else (),
        images or image_path(folder, meta),
        _read_inputs(folder / schema.INPUTS_CSV) if schema.INPUTS_CSV in begun else None,
        _read_missing(folder / schema.MISSING_CSV) if schema.MISSING_CSV in begun else None,
    )


def read_beside(folder: Path) -> tuple[tuple[EventRow, ...], tuple[InputRow, ...], tuple[MissingRow, ...]]:
    """Read what a session of ours has beside its frames: events, inputs, and the numbers of which no frame came.

    In a fraction of the time that its frames take. A table that is not there, or not begun, is empty.

    Raises
    ------
    SourceError
        A table is damaged.
    """
    return (
        _read_events(folder / schema.EVENTS_CSV) if is_begun(folder / schema.EVENTS_CSV) else (),
        _read_inputs(folder / schema.INPUTS_CSV) if is_begun(folder / schema.INPUTS_CSV) else (),
        _read_missing(folder / schema.MISSING_CSV) if is_begun(folder / schema.MISSING_CSV) else (),
    )


def image_path(folder: Path, meta: dict[str, Any]) -> Path:
    """Return the file of images that the settings name, a video in movement sessions; else the one that is there."""
    settings = meta.get("settings")
    movement = meta.get("kind") == "clmf"
    key, default = ("video_file", DEFAULT_VIDEO_FILE) if movement else ("raw_image_file", DEFAULT_IMAGE_FILE)
    name = settings.get(key) if isinstance(settings, dict) else None
    if isinstance(name, str) and name:
        return folder / name
    if not meta and (folder / DEFAULT_VIDEO_FILE).is_file():
        return folder / DEFAULT_VIDEO_FILE
    return folder / default


def _read_frames(path: Path) -> tuple[tuple[str, ...], FrameTable]:
    header, rows = read_table(path)
    names = part_names(header, path)
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    hints = get_type_hints(FrameRow)
    columns: dict[str, Any] = {}
    position = 0
    for field in FrameRow._fields:
        if field == "parts":
            parts = [numbers(cells[position + i], float, path, name) for i, name in enumerate(names)]
            columns[field] = np.array(parts, np.float64).reshape(len(names), len(rows)).T
            position += len(names)
            continue
        columns[field] = _column(hints[field], list(cells[position]), path, field)
        position += 1
    return names, FrameTable(**columns)


def _column(kind: Any, cells: list[str], path: Path, name: str) -> Any:
    if kind is str:
        return texts(cells)
    if kind is float:
        return floats(numbers(cells, float, path, name))
    column = integers(numbers(cells, int, path, name))
    return column.astype(np.bool_) if kind is bool else column


def _read_timing(path: Path) -> TimingTable:
    rows = _rows_of(path, schema.TIMING_COLUMNS)
    cells = zip(*rows, strict=True) if rows else [()] * len(TimingRow._fields)
    columns = zip(TimingRow._fields, cells, strict=True)
    return TimingTable(**{name: integers(numbers(column, int, path, name)) for name, column in columns})


def _read_events(path: Path) -> tuple[EventRow, ...]:
    rows = _rows_of(path, schema.EVENT_COLUMNS)
    times = numbers([row[0] for row in rows], int, path, "time_ns")
    trials = numbers([row[2] for row in rows], int, path, "trial")
    return tuple(EventRow(t, row[1], n, row[3]) for t, row, n in zip(times, rows, trials, strict=True))


def _read_inputs(path: Path) -> tuple[InputRow, ...]:
    # Before schema 3 a wish had no text.
    rows = _rows_of(path, schema.INPUT_COLUMNS, schema.INPUT_COLUMNS[:-1])
    numbered = (numbers([row[at] for row in rows], int, path, name) for at, name in ((0, "frame"), (1, "time_ns")))
    values = numbers([row[3] for row in rows], float, path, "value")
    return tuple(
        InputRow(frame, time_ns, row[2], value, *row[4:])
        for frame, time_ns, value, row in zip(*numbered, values, rows, strict=True)
    )


def _read_missing(path: Path) -> tuple[MissingRow, ...]:
    rows = _rows_of(path, schema.MISSING_COLUMNS)
    numbered = (numbers([row[at] for row in rows], int, path, name) for at, name in ((0, "frame"), (1, "time_ns")))
    return tuple(MissingRow(frame, time_ns, row[2]) for frame, time_ns, row in zip(*numbered, rows, strict=True))


def _rows_of(path: Path, columns: tuple[str, ...], *older: tuple[str, ...]) -> list[list[str]]:
    header, rows = read_table(path)
    if header not in (columns, *older):
        raise SourceError(
            f"{path} has the columns {shown(', '.join(header))}; expected {', '.join(columns)}: restore it from a copy"
        )
    return rows
