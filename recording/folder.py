"""Session folders and their ``session.json``."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import shutil
from pathlib import Path
from typing import Any

from core.clock import local_datetime
from core.errors import InputError, RecordingError, SourceError
from recording.draft_folder import lives
from recording.problems import describe
from recording.schema import NETWORK_PY, SESSION_INI, SESSION_JSON

STAMP = re.compile(r"[0-9]{14}")
"""What ``folder_name`` gives, and CLoPy names its folders and files after: a local date and time."""
_TRIES = 60
_DRAFT = re.compile(r"\..+\.([0-9]+)\.tmp")
_FIRST_FILES = frozenset({SESSION_INI, NETWORK_PY})
"""What a session's folder has before session.json stands."""
_OBJECTS = ("settings", "counts", "devices", "software", "seeds", "simulation", "calibration", "resumes")
_TIMES = ("started_wall_ns", "first_frame_ns", "last_frame_ns", "recovered_wall_ns")
_LAST_NS = 2**63


def folder_name(wall_ns: int) -> str:
    """Return the name of the folder of a session that begins at ``wall_ns`` (ns since 1970), in local time."""
    return f"{local_datetime(wall_ns):%Y%m%d%H%M%S}"


def create_session_folder(data_root: Path, mouse: str, started_wall_ns: int) -> Path:
    """Make ``<data_root>/<mouse>/<YYYYmmddHHMMSS>/S1``, the layout of CLoPy, in local time.

    A folder that exists is never used again: on a clash the next second is taken.

    Parameters
    ----------
    data_root : Path
        Made, with its parents, where it does not exist.
    mouse : str
        Name of the mouse; becomes one folder name.
    started_wall_ns : int
        Start of the session, ns since 1970 (UTC).

    Returns
    -------
    Path
        The absolute path of ``S1``, which is empty.

    Raises
    ------
    InputError
        The name cannot be a folder's, or this host's clock stands still.
    RecordingError
        The folder cannot be made (read-only, full, a file in the way).
    """
    if not mouse or mouse in (".", "..") or "/" in mouse or not mouse.isprintable() or mouse != mouse.strip():
        raise InputError(f"mouse {mouse!r} cannot name a folder; use letters, digits, '-' and '_'")
    home = data_root.expanduser().absolute() / mouse
    started = local_datetime(started_wall_ns)
    try:
        home.mkdir(parents=True, exist_ok=True)
        for second in range(_TRIES):
            folder = home / folder_name(started_wall_ns + second * 1_000_000_000)
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            session = folder / "S1"
            session.mkdir()
            for changed in (folder, home):
                sync_folder(changed)
            return session
    except OSError as error:
        kind = InputError if error.errno == errno.ENAMETOOLONG else RecordingError
        raise kind(describe("make a session folder in", home, error)) from error
    raise InputError(f"{home} has {_TRIES} sessions from {started:%Y-%m-%d %H:%M:%S} on; check the clock of this host")


def write_session_json(folder: Path, meta: dict[str, Any]) -> None:
    """Write ``session.json`` so that it is the old or the new one at any moment, also after a power failure.

    Parameters
    ----------
    folder : Path
        The session folder.
    meta : dict
        JSON values; a float that is NaN or infinite becomes null, as JSON has no word for it.

    Raises
    ------
    RecordingError
        The file cannot be written.
    """
    text = json.dumps(_finite(meta), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    replace_file(folder / SESSION_JSON, text)


def read_session_json(folder: Path) -> dict[str, Any]:
    """Return ``session.json`` of ``folder``.

    Raises
    ------
    SourceError
        It is missing or is not a JSON object, or one of its parts is none, or a time no whole number of ns.
    """
    path = folder / SESSION_JSON
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(describe("read", path, error)) from error
    except ValueError as error:
        raise SourceError(f"{path} is damaged: {error}; restore it, or delete it to read the rest") from error
    if not isinstance(meta, dict):
        raise SourceError(f"{path} holds a {type(meta).__name__}, not an object; restore it, or delete it")
    _check_shapes(meta, path)
    return meta


def _check_shapes(meta: dict[str, Any], path: Path) -> None:
    """Raise SourceError where a value is of a kind that nobody who reads it could use; null is as if it was absent."""
    for keys, fits, wanted in ((_OBJECTS, _is_object, "an object"), (_TIMES, _is_ns, "a whole number of ns")):
        for key in keys:
            value = meta.get(key)
            if value is not None and not fits(value):
                shown = json.dumps(value)[:60]
                cure = "restore it from a copy, or correct it by hand"
                raise SourceError(f'{path}: "{key}" is {shown}, not {wanted}; {cure}')


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_ns(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_LAST_NS <= value < _LAST_NS


def replace_file(path: Path, text: str, *, chosen: bool = False) -> None:
    """Write ``text`` to ``path`` as ``replace_bytes`` does, synced."""
    replace_bytes(path, text.encode("utf-8", errors="backslashreplace"), sync=True, chosen=chosen)


def replace_bytes(path: Path, content: bytes, *, sync: bool, chosen: bool = False) -> None:
    """Write ``content`` to ``path`` through a temporary file beside it: a reader finds the old file or the new, whole.

    Parameters
    ----------
    path : Path
    content : bytes
    sync : bool
        Whether the new file must be on the disk before it takes the name, and survive a power failure.
    chosen : bool
        As of ``describe``: whether another place is the cure.

    Raises
    ------
    RecordingError
        The file cannot be written; the old one, if any, is as it was.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # as _DRAFT has it
    try:
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        if sync:
            sync_folder(path.parent)
    except OSError as error:
        raise RecordingError(describe("write", path, error, chosen=chosen)) from error


def is_unbegun(folder: Path) -> bool:
    """Return whether a folder is that of a session of which no more than the settings were written. Raises OSError."""
    return all(name in _FIRST_FILES or _DRAFT.fullmatch(name) for name in os.listdir(folder))


def remove_drafts(folder: Path) -> list[str]:
    """Remove the temporary files of processes that have ended; return their names. Raises RecordingError."""
    removed = []
    for path in sorted(folder.iterdir()):
        found = _DRAFT.fullmatch(path.name)
        if found is None or lives(int(found[1])):
            continue
        try:
            path.unlink()
        except OSError as error:
            raise RecordingError(describe("remove", path, error)) from error
        removed.append(path.name)
    return removed


def free_bytes(path: Path) -> int:
    """Return what this user may still write to the disk that holds ``path``, bytes. Raises OSError."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def nearest_free_bytes(path: Path) -> int:
    """Return ``free_bytes`` of the disk that ``path`` lies on, or will lie on once it is made. Raises OSError."""
    return free_bytes(next(each for each in (path, *path.parents) if each.exists()))


def check_space(data_root: Path, reserve_bytes: int, images_bytes: int = 0) -> str:
    """Return why a session cannot be recorded under ``data_root``; an empty text where there is room.

    Makes nothing: where ``data_root`` does not exist yet, its nearest parent is looked at.

    Parameters
    ----------
    data_root : Path
    reserve_bytes : int
        At least as much must be free, else the recorder would not start.
    images_bytes : int
        Most that the images of this session can take, beside that.
    """
    root = data_root.expanduser().absolute()
    try:
        free = nearest_free_bytes(root)
    except OSError as error:
        return describe("look for free space in", root, error)
    if free >= reserve_bytes + images_bytes:
        return ""
    images = f", and the images of this session take up to {images_bytes / 1e6:.0f} MB" if images_bytes else ""
    shorter = "; record_images = 0 or fewer trials need less" if images_bytes else ""
    return (
        f"data_root {root}: {free / 1e6:.0f} MB are free on that disk; {reserve_bytes / 1e6:.0f} MB are kept "
        f"for the log{images}: free space, or set data_root to another disk{shorter}"
    )


def discard_session_folder(folder: Path) -> None:
    """Remove a session folder in which no session came to begin, with the few files that stand in it.

    What cannot be removed stays: the error that brought us here is the one to tell.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` survive a power failure. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
