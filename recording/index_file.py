"""The index on disk: one SQLite file, always replaced as a whole.

Whoever changes it writes a new file and renames it, so that nobody locks, waits, or finds half of it, on any file
system; of two that do so at once the later one stands, and what it lacks is read again from the folders on the next
call. Every row is covered by a checksum: a file that is not what was written is none.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
import zlib
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from core.errors import RigError
from recording.index_row import SessionRow, sql_columns
from recording.problems import describe

INDEX_FILE = ".rigloop-index.sqlite"
APPLICATION_ID = 0x52694C70
"""Stands in the file's header and says whose it is ("RiLp")."""
_MEANING = 3
"""Raised when rows come to mean something else with the same columns."""
_COLUMNS = {"stamp": "TEXT NOT NULL", **sql_columns()}
VERSION = zlib.crc32(repr((_MEANING, _COLUMNS)).encode()) & 0x7FFFFFFF
"""Stands in the header, too; another version's file is built anew."""
_DRAFT = f"{INDEX_FILE}.draft-"
_OLD_DRAFT_S = 3600


class Entry(NamedTuple):
    """A row, and the stamp of the folder that it was read from (``index_find.Place``)."""

    stamp: str
    row: SessionRow


class NoIndexError(RigError):
    """The file is damaged, another program's or another version's. Its text says which, for the middle of a line."""


def load_index(root: Path) -> dict[str, Entry]:
    """Return the entries by path, none where there is no file yet. Raises NoIndexError."""
    path = root / INDEX_FILE
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise NoIndexError("is no plain file")
        # Immutable: no lock is taken, and no journal looked for; the file is never written in place.
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)) as base:
            return _read(base)
    except FileNotFoundError:
        return {}
    except (sqlite3.Error, OSError, ValueError, OverflowError) as error:
        raise NoIndexError(f"cannot be read ({' '.join(str(error).split())})") from error


def _read(base: sqlite3.Connection) -> dict[str, Entry]:
    [(application,)] = base.execute("PRAGMA application_id")
    [(version,)] = base.execute("PRAGMA user_version")
    if application != APPLICATION_ID:
        raise NoIndexError("is another program's file, or damaged")
    if version != VERSION:
        raise NoIndexError("is that of another version of Rigloop")
    rows = _rows(base)
    if base.execute("SELECT sum FROM checksum").fetchall() != [(_checksum(rows),)]:
        raise NoIndexError("is damaged")
    return {row[1]: Entry(row[0], SessionRow(*row[1:])) for row in rows}


def _rows(base: sqlite3.Connection) -> list[tuple[Any, ...]]:
    # In the order of ``_COLUMNS``, whose names and types the version stands for.
    return base.execute("SELECT * FROM sessions ORDER BY path").fetchall()


def _checksum(rows: list[tuple[Any, ...]]) -> int:
    return zlib.crc32(repr(rows).encode("utf-8", "backslashreplace"))


def save_index(root: Path, entries: dict[str, Entry]) -> str:
    """Replace the file. Returns why that cannot be done; empty where it was."""
    path = root / INDEX_FILE
    draft = ""
    try:
        try:
            handle, draft = tempfile.mkstemp(prefix=_DRAFT, dir=root)
            os.fchmod(handle, 0o644)
            os.close(handle)
            _write(draft, entries)
            os.replace(draft, path)
            _sweep(root, path.stat().st_mtime)
        except BaseException:
            if draft:
                with suppress(OSError):
                    os.unlink(draft)
            raise
    except OSError as error:
        return describe("write", path, error)
    except sqlite3.Error as error:
        return f"cannot write {path}: {error}; free space on that disk"
    return ""


def _write(draft: str, entries: dict[str, Entry]) -> None:
    rows = [(entry.stamp, *entry.row) for entry in entries.values()]
    columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    marks = ", ".join("?" * len(_COLUMNS))
    with closing(sqlite3.connect(draft, isolation_level=None)) as base:
        # What a crash makes of the draft does not matter.
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        base.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        base.execute(f"PRAGMA user_version = {VERSION}")
        base.execute("BEGIN")
        base.execute(f"CREATE TABLE sessions ({columns}, PRIMARY KEY (path)) WITHOUT ROWID")
        base.execute("CREATE TABLE checksum (sum INTEGER NOT NULL)")
        base.executemany(f"INSERT INTO sessions VALUES ({marks})", rows)  # noqa: S608 - our own names
        # Of what comes back: SQLite stores -0.0 as 0.0.
        base.execute("INSERT INTO checksum VALUES (?)", (_checksum(_rows(base)),))
        base.execute("COMMIT")


def _sweep(root: Path, now_s: float) -> None:
    """Remove drafts that a killed process left behind. ``now_s`` is the time of that disk, s since 1970."""
    for old in root.glob(f"{_DRAFT}*"):
        with suppress(OSError):
            if now_s - old.stat().st_mtime > _OLD_DRAFT_S:
                old.unlink()
