"""The water of a mouse, day by day: a file with a row for every opening of the valve.

It outlives sessions and restarts, so that the water of a day is bounded whatever opened the valve. Rows are appended,
never changed: an opening is written before it begins, and one that was cut gets a second row, with what was not given
as negative seconds; it takes from the opening before it (same purpose and session) and from no other. A row that is
half written, since the power failed, is taken off by the next writer. There is one writer at a time: it has the file
locked (flock) until its rows are written, so that who gets the lock reads all that was given.

A mouse has two of them (``GuardSpec.ledgers``): the one that its day is counted by, which all data folders share, and
a copy beside its sessions.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
from dataclasses import dataclass
from pathlib import Path

from core.clock import MonotonicClock, local_datetime
from core.errors import OutputError
from hardware.ledger_rows import CURE, HEADER, Purpose, cure, is_row, read_rows

LOCK_WAIT_S = 25.0
"""A session that was killed may write its last rows for this long; longer than ``hardware.guardian_watcher`` takes."""
_LOCK_LOOK_S = 0.02


class LedgerHeld(OutputError):
    """Another process still writes the file."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One row.

    Attributes
    ----------
    wall_ns : int
        Time of day, ns since 1970 (UTC); written as local time.
    what : Purpose
    seconds : float
        How long the valve is open; negative in a row that corrects the one before.
    session : str
        Name of the session's folder; empty outside a session.
    """

    wall_ns: int
    what: Purpose
    seconds: float
    session: str = ""

    def line(self) -> str:
        """Return it as a line of the file."""
        when = local_datetime(self.wall_ns).isoformat(timespec="milliseconds")
        return f"{when},{self.what.value},{self.seconds:.6f},{self.session}\n"


def check_ledger(path: Path) -> None:
    """Raise OutputError where rows cannot be read or will not be able to be written; makes nothing."""
    read_rows(path)
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK):
        raise OutputError(f"water of the day: {path} cannot be written; {cure(path)}")


def hold_ledger(path: Path, wait_s: float = LOCK_WAIT_S) -> int:
    """Return the file, opened to append, locked and whole; makes folder and file where there are none.

    The lock is held by whoever has the descriptor or inherited it, until the last of them closes it. Raises OutputError
    where the file cannot be had, LedgerHeld where another one writes it for longer than ``wait_s``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise OutputError(_failed(path, error)) from error
    try:
        _lock(path, file, wait_s)
        _mend_end(path, file)
    except OSError as error:
        os.close(file)
        raise OutputError(_failed(path, error)) from error
    except OutputError:
        os.close(file)
        raise
    return file


class Ledger:
    """The file, opened to append. Locks it, and makes it where there is none, with the first row.

    Parameters
    ----------
    path : Path
    file : int
        What ``hold_ledger`` returned, where it is held already; it is closed with this.
    """

    def __init__(self, path: Path, file: int = -1) -> None:
        self._path = path
        self._file = file

    def add(self, opening: Opening) -> None:
        """Append a row, into the system's memory; ``sync`` puts it on the disk. Raises OutputError."""
        if self._file < 0:
            self._file = hold_ledger(self._path)
        row = opening.line().encode()
        try:
            before = os.fstat(self._file)
            if not before.st_nlink:
                # Somebody removed or replaced it: the next row goes where the path leads now.
                self.close()
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            if os.write(self._file, row) != len(row):
                os.ftruncate(self._file, before.st_size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise OutputError(_failed(self._path, error)) from error

    def sync(self) -> None:
        """Put on the disk what was appended. Raises OutputError."""
        try:
            if self._file >= 0:
                os.fdatasync(self._file)
        except OSError as error:
            raise OutputError(_failed(self._path, error)) from error

    def close(self) -> None:
        """Close the file; rows that were added stay."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _failed(path: Path, error: OSError) -> str:
    why = f"water of the day: cannot write {path} ({error.strerror}); no water without it"
    if isinstance(error, PermissionError):
        return f"{why}: {cure(path)}"
    return f"{why}: free space, mend the disk, or {CURE}"


def _lock(path: Path, file: int, wait_s: float) -> None:
    until_ns = MonotonicClock().now_ns() + round(wait_s * 1e9)
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if MonotonicClock().now_ns() > until_ns:
                raise LedgerHeld(
                    f"water of the day: {path} is still written by another session; end it, or wait for its end"
                ) from None
            select.select([], [], [], _LOCK_LOOK_S)
        else:
            return


def _mend_end(path: Path, file: int) -> None:
    """Give a last row its end of line, take a half row off, give an empty file its header. Needs the lock."""
    content = path.read_bytes()
    whole = max(content.rfind(b"\n"), content.rfind(b"\r")) + 1
    if content[whole:] and is_row(content[whole:].decode("utf-8", errors="replace")):
        os.write(file, b"\n")
    else:
        os.ftruncate(file, whole)
        if not whole:
            os.write(file, (HEADER + "\n").encode())
