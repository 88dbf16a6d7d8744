"""Our sessions given out as CLoPy's session folders, whole or not at all.

The logs are those of ``recording.clopy_clnf`` (neurofeedback) and ``recording.clopy_clmf`` (movement). Rows that have
no place in them are counted. A session that CLoPy recorded is given out with the bytes of its copy of the config.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.clock import local_datetime
from core.errors import InputError, RecordingError, SourceError
from recording.clopy_clmf import is_movement, movement_log, movement_rows, movement_stem, times_table
from recording.clopy_clnf import neurofeedback_log, neurofeedback_rows
from recording.clopy_config import config_text, movement_config_text
from recording.draft_folder import make_draft
from recording.folder import STAMP, replace_bytes, replace_file, sync_folder
from recording.problems import FILE_ERRORS, describe
from recording.recorded import DEFAULT_IMAGE_FILE, RecordedSession, is_clopys
from recording.schema import CLOPY_CONFIG, CLOPY_LOG, FRAMES_CSV, IMAGES, SESSION_JSON, FrameRow
from recording.video_export import Progress, write_mp4

_TIME = "%Y-%m-%d %H:%M:%S.%f"
_BLOCK = 64
_ROWS = 1024
"""A stop is heard after so many rows: some ms."""


@dataclass(frozen=True, slots=True)
class ClopyExport:
    """What was given out.

    Attributes
    ----------
    rows : int
        Rows of the log.
    left_out : int
        Rows of the session that are not in it, as their image was not kept or the frame was not judged.
    missing_images : int
        Rows that name an image while the file of images is gone.
    """

    rows: int
    left_out: int
    missing_images: int = 0


def _unseen(done: int, total: int) -> None:
    del done, total


def write_clopy_files(session: RecordedSession, out_dir: Path, progress: Progress = _unseen) -> ClopyExport:
    """Write log and config as CLoPy does.

    They are ``VideoTimestamp.txt`` and ``config.ini``, in movement sessions ``<mouse>_<YYYYmmddHHMMSS>.txt`` and
    ``..._config.ini``.

    Parameters
    ----------
    session : RecordedSession
    out_dir : Path
        A session folder of ours, whose files of these names are replaced, or an empty folder.
    progress : callable
        ``progress(0, 0)`` now and then; what it raises ends the work, and both files are as they were.

    Raises
    ------
    InputError
        ``out_dir`` is neither: files of these names there may be the only record of a session.
    RecordingError
        A file cannot be written.
    SourceError
        The session's images cannot be read.
    """
    _check_replaceable(out_dir)
    if is_movement(session):
        rows = movement_rows(session, _heard(session.frames.rows(), progress))
        return _write_movement_files(session, out_dir, rows, session.meta, progress, chosen=False)
    return _write_neurofeedback_files(session, out_dir, session.meta, progress, chosen=False)


def _heard(rows: Iterable[FrameRow], progress: Progress) -> Iterator[FrameRow]:
    """Yield rows, and hear a wish to stop between them."""
    for number, row in enumerate(rows):
        if number % _ROWS == 0:
            progress(0, 0)
        yield row


def _write_neurofeedback_files(
    session: RecordedSession, out_dir: Path, meta: dict[str, Any], progress: Progress, *, chosen: bool
) -> ClopyExport:
    rows = neurofeedback_rows(session, _heard(session.frames.rows(), progress))
    log = neurofeedback_log(session, _heard(rows, progress), _clock_of(session))
    config = config_text(meta, session.part_names)
    # The last moment at which a stop leaves both files as they were.
    progress(0, 0)
    replace_file(out_dir / CLOPY_LOG, log, chosen=chosen)
    _write_config(session, out_dir / CLOPY_CONFIG, config, chosen=chosen)
    return _export_of(session, rows)


def export_clopy(session: RecordedSession, out_dir: Path, progress: Progress = _unseen) -> ClopyExport:
    """Make a whole CLoPy session folder: log, config and images, in movement sessions a video and its frames' times.

    The folder appears under its name when it is complete, and not at all otherwise. What a killed process left of an
    earlier try is removed.

    Parameters
    ----------
    session : RecordedSession
    out_dir : Path
        Must not exist, or be empty.
    progress : callable
        ``progress(done, total)`` in images, now and then; what it raises ends the export.

    Raises
    ------
    InputError
        ``out_dir`` has something in it.
    RecordingError
        A file cannot be written.
    SourceError
        The session's images cannot be read.
    """
    out_dir = Path(out_dir).expanduser().absolute()
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise InputError(f"{out_dir} is not empty; give a folder that does not exist yet")
    try:
        draft = make_draft(out_dir)
    except OSError as error:
        raise RecordingError(describe("make a folder in", out_dir.parent, error, chosen=True)) from error
    try:
        export_kind = _export_movement if is_movement(session) else _export_neurofeedback
        export = export_kind(session, draft, progress)
        # A stop counts up to the last moment, also where there are no images.
        progress(0, 0)
        sync_folder(draft)
        os.rename(draft, out_dir)
        sync_folder(out_dir.parent)
    except OSError as error:
        if isinstance(error, (RecordingError, SourceError)):
            raise
        raise RecordingError(describe("write", out_dir, error, chosen=True)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return export


def _export_of(session: RecordedSession, rows: list[FrameRow]) -> ClopyExport:
    missing = 0 if session.has_images else int((session.frames.image >= 0).sum())
    return ClopyExport(len(rows), len(session.frames) - len(rows), missing)


def _export_neurofeedback(session: RecordedSession, out_dir: Path, progress: Progress) -> ClopyExport:
    # CLoPy's config is given out as it is, and may give the file another name.
    name = session.image_path.name if is_clopys(session) else DEFAULT_IMAGE_FILE
    meta = _with_setting(session, "raw_image_file", name)
    export = _write_neurofeedback_files(session, out_dir, meta, progress, chosen=True)
    if session.has_images:
        _copy_images(session, out_dir / name, export.rows, progress)
    return export


def _export_movement(session: RecordedSession, out_dir: Path, progress: Progress) -> ClopyExport:
    rows = movement_rows(session, _heard(session.frames.rows(), progress))
    name = movement_stem(session)
    meta = _with_setting(session, "video_file", f"{name}.mp4")
    export = _write_movement_files(session, out_dir, rows, meta, progress, chosen=True)
    times = times_table(_heard(rows, progress), _clock_of(session))
    replace_file(out_dir / f"{name}_times.csv", times, chosen=True)
    if session.has_images and rows:
        framerate = (session.meta.get("settings") or {}).get("framerate") or 30.0
        times_ns = [row.time_ns for row in rows]
        images = [row.image for row in rows]
        write_mp4(session.image_path, out_dir / f"{name}.mp4", images, times_ns, framerate, progress)
    return export


def _write_movement_files(
    session: RecordedSession,
    out_dir: Path,
    rows: list[FrameRow],
    meta: dict[str, Any],
    progress: Progress,
    *,
    chosen: bool,
) -> ClopyExport:
    stem = movement_stem(session)
    log = movement_log(session, _heard(rows, progress), _clock_of(session))
    config = movement_config_text(meta)
    progress(0, 0)  # as in neurofeedback
    replace_file(out_dir / f"{stem}.txt", log, chosen=chosen)
    _write_config(session, out_dir / f"{stem}_config.ini", config, chosen=chosen)
    return _export_of(session, rows)


def _with_setting(session: RecordedSession, key: str, value: str) -> dict[str, Any]:
    """Return session.json with the file's name in the settings that it has in CLoPy's folder."""
    return {**session.meta, "settings": {**(session.meta.get("settings") or {}), key: value}}


def _write_config(session: RecordedSession, path: Path, ours: str, *, chosen: bool) -> None:
    """Write the copy of the config: CLoPy's own to the byte where there is one, whatever its encoding; else ours."""
    if theirs := _their_config(session, path.name):
        replace_bytes(path, theirs, sync=True, chosen=chosen)
    else:
        replace_file(path, ours, chosen=chosen)


def _their_config(session: RecordedSession, name: str) -> bytes:
    """Return the copy of the config of a session that CLoPy recorded, empty where there is none."""
    path = session.folder / name
    if not is_clopys(session) or not path.is_file():
        return b""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(describe("read", path, error)) from error


def _check_replaceable(out_dir: Path) -> None:
    """Raise InputError where the files in ``out_dir`` may be CLoPy's own."""
    # Ours holds the same facts in frames.csv, so that nothing is lost; CLoPy's log is the session itself.
    if all((out_dir / name).is_file() for name in (FRAMES_CSV, SESSION_JSON)):
        return
    try:
        empty = not any(out_dir.iterdir())
    except OSError as error:
        raise RecordingError(describe("write to", out_dir, error)) from error
    if not empty:
        raise InputError(
            f"{out_dir} has files and is no session folder of this program ({FRAMES_CSV} and {SESSION_JSON}); "
            "its log and config.ini are not overwritten: give a DIR that does not exist yet (--clopy DIR)"
        )


def _clock_of(session: RecordedSession) -> Callable[[int], str]:
    """Return what turns a frame time, ns, into the text of a local time."""
    start_ns, zero_ns = _time_base(session)
    return lambda time_ns: _local_time(start_ns + time_ns - zero_ns)


def _time_base(session: RecordedSession) -> tuple[int, int]:
    """Return a time of day, ns since 1970, and the frame time that corresponds to it, ns."""
    meta = session.meta
    first = int(session.frames.time_ns[0]) if len(session.frames) else 0
    zero_ns = first if meta.get("first_frame_ns") is None else int(meta["first_frame_ns"])
    if meta.get("started_wall_ns") is not None:
        return int(meta["started_wall_ns"]), zero_ns
    for name in (session.folder.name, session.folder.parent.name):
        # Fourteen digits need not be a date.
        with suppress(ValueError, OverflowError):
            if STAMP.fullmatch(name):
                return round(datetime.strptime(name, "%Y%m%d%H%M%S").timestamp()) * 10**9, zero_ns
    return 0, zero_ns


def _local_time(wall_ns: int) -> str:
    seconds, rest = divmod(wall_ns, 10**9)
    return local_datetime(seconds * 10**9).replace(microsecond=rest // 1000).strftime(_TIME)


def _copy_images(session: RecordedSession, path: Path, count: int, progress: Progress) -> None:
    import h5py

    source = session.images()
    try:
        with h5py.File(path, "w", locking=False) as file:
            copy = file.create_dataset(
                IMAGES, (count, *source.shape[1:]), source.dtype, chunks=(1, *source.shape[1:]) if count else None
            )
            for start in range(0, count, _BLOCK):
                stop = min(start + _BLOCK, count)
                copy[start:stop] = source[start:stop]
                progress(stop, count)
        with path.open("rb") as written:
            os.fsync(written.fileno())
    except FILE_ERRORS as error:
        raise RecordingError(describe("write", path, error, chosen=True)) from error
