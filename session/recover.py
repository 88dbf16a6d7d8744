"""Finishes the folder of a session that nobody could close: it was killed, or the power failed.

Everything is read before anything is changed. Then: tables and images mended, a second camera's folder, summary row,
CLoPy's files, ``session.json`` as the last, so that a recovery that is killed can be done again; and the figure, which
is drawn of a recovered session, whenever it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.errors import BusyError, InputError, SourceError
from core.ports import Clock
from core.values import as_ns
from recording.at_work import writer_of
from recording.clopy_clmf import movement_stem
from recording.csvrows import shown
from recording.folder import is_unbegun, read_session_json, remove_drafts, write_session_json
from recording.hdf5_mark import has_mark
from recording.index_live import MOUSE_LOCK, is_held
from recording.mend import lacking
from recording.parts import ledger_name, part_number, parts_in
from recording.reader import open_session
from recording.recorded import RecordedSession
from recording.schema import CLOPY_LOG, FIGURE_PNG, FRAMES_CSV, RECOVERABLE, RUNNING, SECOND_FOLDER, SESSION_JSON
from recording.summary import append_summary, check_summary, has_row
from recording.video_read import is_video
from session.finish import end_session_json, summary_row, write_clopy
from session.locks import mouse_lock
from session.recorded_meta import WHO, check_meta, load_recorded
from session.recover_counts import (
    BY_SESSION,
    RECOVERED,
    data_root_of,
    differences,
    facts_of,
    first_frame_ns,
    is_behind,
    result_of,
    second_counts,
)
from session.recover_files import Remains, look_at, mend
from session.result import EXIT_CODES, SessionResult
from session.second_folder import SecondCounts
from session.water_day import water_today

NEEDED: Mapping[str, type] = MappingProxyType({**WHO, "outcome": str, "started_wall_ns": int, "settings": dict})
"""What session.json must tell of a session that is to be finished."""
WRITER_S = 5.0
"""The recorder ends within half a second of its controller, unless the disk lags."""
STEPS = ("reading", "mending", "counting", "CLoPy's files", "figure")
"""What ``tell`` is told, in this order."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was done.

    Attributes
    ----------
    session : Path
        The session's folder.
    outcome : str
        What its session.json says now.
    result : SessionResult or None
        None where there was nothing to recover.
    mended : tuple of str
        What was cut off, marked or set aside, a line each.
    """

    session: Path
    outcome: str
    result: SessionResult | None = None
    mended: tuple[str, ...] = ()


def recover(
    path: Path,
    clock: Clock,
    draw: Callable[[Path], object],
    tell: Callable[[str], None] | None = None,
    *,
    without_images: bool = False,
) -> Recovery:
    """Finish a session's folder as its own end would have done.

    A session with another outcome than ``running`` needs nothing, but for one that failed before its summary row or
    CLoPy's files were written: these are added, and it stays failed.

    Parameters
    ----------
    path : Path
        The session's folder ``S1``, or that of its parts: the last of them is taken.
    clock : Clock
    draw : callable
        Draws the figure of a session's folder.
    tell : callable
        Told each of ``STEPS`` as it begins.
    without_images : bool
        Whether a file of images that is gone is lost for good: rows name no image of it any more.

    Raises
    ------
    InputError
        It is no session, still runs, or is damaged beyond reading; nothing was changed.
    RecordingError
        A file cannot be written; it can be tried again.
    """
    folder = find_session(path)
    meta = read_session_json(folder)
    if not NEEDED.keys() & meta.keys():
        raise SourceError(f"{folder / SESSION_JSON}: no session of this program; give the folder S1 of one")
    check_meta(folder, meta, NEEDED)
    mouse, outcome = meta["mouse"], meta["outcome"]
    if outcome not in (RUNNING, *EXIT_CODES):
        raise SourceError(f"{folder / SESSION_JSON}: 'outcome' is {shown(repr(outcome))}; restore it from a copy")
    if folder.parent.parent.name != mouse:
        # Named by a link, maybe, to where it was recorded.
        folder = folder.resolve()
    if outcome not in RECOVERABLE:
        if outcome == RECOVERED and not (folder / FIGURE_PNG).is_file():
            draw(folder)
        return Recovery(folder, outcome)
    if folder.parent.parent.name != mouse:
        raise InputError(
            f"{folder}: lies in no folder DATA_ROOT/{shown(mouse)}/<time>, so that its summary row has no place; "
            "put it where it was recorded"
        )
    with mouse_lock(data_root_of(folder), mouse):
        # Read again, now that nobody else may finish it.
        meta = read_session_json(folder)
        check_meta(folder, meta, NEEDED)
        _await_writer(folder, clock)
        return _recover(folder, meta, clock, draw, tell or _tell_nobody, without_images)


def find_session(path: Path) -> Path:
    """Return the folder of the session that a person named. Raises SourceError where there is none."""
    path = path.expanduser().absolute()
    if path.is_symlink():
        path = path.resolve()
    if path.name == SECOND_FOLDER and (path.parent / SESSION_JSON).is_file():
        path = path.parent
    if (path / SESSION_JSON).is_file():
        return path
    if parts := parts_in(path):
        return parts[-1]
    if not path.exists():
        raise SourceError(f"{path}: there is no such folder; give the folder S1 of a session")
    _refuse_unbegun(path)
    raise SourceError(f"{path} has no {SESSION_JSON}; give the folder S1 of a session of this program")


def _refuse_unbegun(path: Path) -> None:
    """Raise InputError for the folder of a session, or the one above, in which none came to begin."""
    for folder in (path, path / "S1"):
        if not (part_number(folder) and folder.is_dir() and is_unbegun(folder)):
            continue
        if is_held(folder.parents[1] / MOUSE_LOCK):
            raise BusyError(f"{folder}: its session is about to begin, or another of that mouse runs; wait for its end")
        raise InputError(
            f"{folder}: a session that was killed before it began; there is nothing in it to recover, and the folder "
            "may be deleted"
        )


def _recover(
    folder: Path, meta: dict[str, Any], clock: Clock, draw: Callable[[Path], object], tell: Callable[[str], None],
    without_images: bool,
) -> Recovery:  # fmt: skip
    """Do it, the lock being held."""
    # Its folder is where it lies now.
    settings = load_recorded(folder, meta, {"--data-root": str(data_root_of(folder))})
    summary = data_root_of(folder) / settings.recording.summary_file
    killed = meta["outcome"] == RUNNING
    outcome = RECOVERED if killed else meta["outcome"]
    if not killed and not _lacks_something(folder, meta, summary):
        return Recovery(folder, outcome)
    if problem := check_summary(summary, settings.kind):
        raise InputError(problem)
    tell("reading")
    remains = look_at(folder, settings, without_images=without_images)
    second = _look_at_second(folder, without_images)
    today = None
    if meta.get("outputs") == "real":
        today = water_today(settings, meta["started_wall_ns"], ledger_name(folder))
    tell("mending")
    for each in (remains, second):
        if each is not None:
            remove_drafts(each.folder)
    mended = [*mend(remains), *(mend(second) if second is not None else ())]
    tell("counting")
    with open_session(folder) as session:
        counts = None if second is None else _finish_second(session, second, clock)
        result = result_of(session, settings, remains.images, remains.unwritten, outcome, today, counts)
        facts, began_ns = facts_of(session, clock.wall_ns()), first_frame_ns(session)
        differ = [] if killed else differences(session, result)
    started_ns = meta["started_wall_ns"]
    had_row = has_row(summary, settings.mouse, folder)
    if not had_row:
        append_summary(summary, summary_row(result, settings, started_ns), clock)
    tell("CLoPy's files")
    write_clopy(folder)
    write_session_json(folder, read_session_json(folder) | facts)
    if killed:
        end_session_json(result, started_ns, began_ns)
    elif differ:
        # With what the session itself had counted: drops among them that are in no table.
        write_session_json(folder, {BY_SESSION: meta.get("counts"), **read_session_json(folder)})
        end_session_json(result, started_ns, began_ns)
        stays = f"; its row of {summary.name} stays as it was" if had_row else ""
        mended.append(f"{SESSION_JSON} has the counts of the tables: {', '.join(differ)}{stays}")
    tell("figure")
    draw(folder)
    return Recovery(folder, outcome, result, tuple(mended))


def _await_writer(folder: Path, clock: Clock) -> None:
    """Wait for the recorder of a session whose controller was killed. Raises BusyError where that takes long."""
    until_ns = clock.now_ns() + as_ns(WRITER_S)
    while writer := writer_of(folder):
        if clock.now_ns() >= until_ns:
            raise BusyError(f"{folder}: process {writer} still writes its files; wait for its end")
        clock.sleep_until_ns(clock.now_ns() + as_ns(WRITER_S / 50))


def _tell_nobody(step: str) -> None:
    del step


def _lacks_something(folder: Path, meta: dict[str, Any], summary: Path) -> bool:
    """Return whether the end of a session that failed could not be written whole, or its images are still marked."""
    begun_only = any((folder / name).is_file() for name in lacking(folder))
    if begun_only or not (folder / FRAMES_CSV).is_file():
        return True
    with open_session(folder) as session:
        clopy = f"{movement_stem(session)}.txt" if meta.get("kind") == "clmf" else CLOPY_LOG
        return (
            not (folder / clopy).is_file()
            or not has_row(summary, meta["mouse"], folder)
            or _is_marked(session)
            or is_behind(session)
            or _second_lacks(folder)
        )


def _second_lacks(folder: Path) -> bool:
    meta = _second_meta(folder)
    if meta is None or meta.get("outcome") == RUNNING:
        return meta is not None
    with open_session(folder / SECOND_FOLDER) as session:
        return is_behind(session)


def _is_marked(session: RecordedSession) -> bool:
    return session.has_images and not is_video(session.image_path) and has_mark(session.image_path)


def _second_meta(folder: Path) -> dict[str, Any] | None:
    """Return session.json of the second camera, None where none was begun."""
    return read_session_json(folder / SECOND_FOLDER) if (folder / SECOND_FOLDER / SESSION_JSON).is_file() else None


def _look_at_second(folder: Path, without_images: bool) -> Remains | None:
    if _second_meta(folder) is None:
        return None
    return look_at(folder / SECOND_FOLDER, None, without_images=without_images)


def _finish_second(session: RecordedSession, remains: Remains, clock: Clock) -> SecondCounts:
    """Finish the second camera's folder; return what was recorded of it. Raises RecordingError."""
    with open_session(remains.folder) as second:
        counts = second_counts(session, second, remains.images, remains.unwritten)
        meta = second.meta
        if meta.get("outcome") == RUNNING:
            facts = facts_of(second, clock.wall_ns())
            meta = meta | facts | {"outcome": RECOVERED, "error": "", "first_frame_ns": counts.first_frame_ns}
            write_session_json(remains.folder, meta | {"counts": counts.json()})
        elif is_behind(second):
            more = {BY_SESSION: meta.get("counts"), **meta}
            write_session_json(remains.folder, more | {"counts": counts.json()})
    return counts
