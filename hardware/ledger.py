"""The water of a mouse, day by day: ``water.csv`` in the mouse's folder, a row for every opening of the valve.

It outlives sessions and restarts, so that the water of a day is bounded whatever opened the valve. Rows are appended,
never changed: an opening is written before it begins, and one that was cut gets a second row, with what was not given
as negative seconds; it takes from the opening before it (same purpose and session) and from no other. A row that is
half written, since the power failed, is taken off by the next writer. There is one writer at a time: it has the file
locked (flock) until its rows are written, so that who gets the lock reads all that was given.
"""

from __future__ import annotations

import errno
import fcntl
import math
import os
import select
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path

from core.clock import MonotonicClock, local_datetime
from core.errors import OutputError

HEADER = "time,what,seconds,session"
LOCK_WAIT_S = 25.0
"""A session that was killed may write its last rows for this long; longer than ``hardware.guardian_watcher`` takes."""
_LOCK_LOOK_S = 0.02


class LedgerHeld(OutputError):
    """Another process still writes the file."""


class Purpose(Enum):
    """What an opening of the valve is for."""

    reward = "reward"
    free = "free"
    flush = "flush"
    prime = "prime"


_Row = tuple[date, Purpose, float, str]


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


@dataclass(frozen=True, slots=True)
class DayWater:
    """The water of one day.

    Attributes
    ----------
    seconds : float
        Sum of all openings, s.
    by_purpose : dict of Purpose to float
        The same, told apart by what it was for.
    warning : str
        What a person should look at; empty where all is well.
    """

    seconds: float
    by_purpose: dict[Purpose, float]
    warning: str = ""


def local_day(wall_ns: int) -> date:
    """Return the local day of a time, ns since 1970."""
    return local_datetime(wall_ns).date()


def read_day(path: Path, day: date) -> DayWater:
    """Return the water of a day; none where there is no file yet. Raises OutputError for a file that is damaged.

    What is dated later counts, too: the clock was ahead then, or is behind now, and the mouse may have had it today.
    """
    by_purpose = dict.fromkeys(Purpose, 0.0)
    later = 0
    for when, what, seconds in _given(_rows(path)):
        if when >= day:
            by_purpose[what] += seconds
            later += when > day
    warning = f"{later} rows of {path} are dated after {day} and count for it: check the clock, correct their dates"
    return DayWater(sum(by_purpose.values()), by_purpose, warning if later else "")


def check_ledger(path: Path) -> None:
    """Raise OutputError where rows cannot be read or will not be able to be written; makes nothing."""
    for _ in _rows(path):
        pass
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK):
        raise OutputError(f"water of the day: {path} cannot be written (Permission denied); give this user the right")


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
    return f"water of the day: cannot write {path} ({error.strerror}); no water without it: free space, mend the disk"


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
    if content[whole:] and _is_row(content[whole:].decode("utf-8", errors="replace")):
        os.write(file, b"\n")
    else:
        os.ftruncate(file, whole)
        if not whole:
            os.write(file, (HEADER + "\n").encode())


def _given(rows: list[_Row]) -> list[tuple[date, Purpose, float]]:
    """Return what each opening gave, on its own day, whenever it was corrected; never less than none."""
    given: list[tuple[date, Purpose, float]] = []
    last: dict[tuple[Purpose, str], int] = {}
    for when, what, seconds, session in rows:
        if seconds >= 0:
            last[what, session] = len(given)
            given.append((when, what, seconds))
        elif (what, session) in last:
            at = last[what, session]
            given[at] = (*given[at][:2], max(0.0, given[at][2] + seconds))
    return given


def _rows(path: Path) -> list[_Row]:
    """Read the rows; a last one without an end of line counts if it is whole."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(
            f"water of the day: cannot read {path} ({error.strerror}); give this user the right"
        ) from error
    # As a spreadsheet saves it: with a mark of its encoding, and other ends of lines.
    text = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    *lines, end = text.split("\n")
    if _is_row(end):
        lines.append(end)
    rows = []
    for number, line in enumerate(lines, 1):
        if number == 1 and line == HEADER:
            continue
        try:
            rows.append(_row(line))
        except ValueError as error:
            raise OutputError(
                f"water of the day: {path}, line {number} is damaged ({line[:60]!r}); mend it as "
                f"{HEADER!r} asks, or remove the line"
            ) from error
    return rows


def _row(line: str) -> _Row:
    """Take a line apart. Raises ValueError where it is no row."""
    when, what, seconds, session = line.split(",", 3)
    if not math.isfinite(float(seconds)):
        raise ValueError("not a number of seconds")
    return datetime.fromisoformat(when).date(), Purpose(what), float(seconds), session


def _is_row(line: str) -> bool:
    try:
        _row(line)
    except ValueError:
        return False
    return True
