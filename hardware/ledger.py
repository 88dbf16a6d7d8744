"""The water of a mouse, day by day: ``water.csv`` in the mouse's folder, a row for every opening of the valve.

It outlives sessions and restarts, so that the water of a day is bounded whatever opened the valve. Rows are appended,
never changed: an opening is written before it begins, and one that was cut gets a second row, with what was not given
as negative seconds. A row that is half written, since the power failed, is taken off by the next writer.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path

from core.clock import local_datetime
from core.errors import OutputError

HEADER = "time,what,seconds,session"


class Purpose(Enum):
    """What an opening of the valve is for."""

    reward = "reward"
    free = "free"
    flush = "flush"
    prime = "prime"


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
    """

    seconds: float
    by_purpose: dict[Purpose, float]


def local_day(wall_ns: int) -> date:
    """Return the local day of a time, ns since 1970."""
    return local_datetime(wall_ns).date()


def read_day(path: Path, day: date) -> DayWater:
    """Return the water of a day; none where there is no file yet. Raises OutputError for a file that is damaged."""
    by_purpose = dict.fromkeys(Purpose, 0.0)
    for when, what, seconds in _rows(path):
        if when == day:
            by_purpose[what] += seconds
    return DayWater(sum(by_purpose.values()), by_purpose)


def check_ledger(path: Path) -> None:
    """Raise OutputError where rows cannot be read or will not be able to be written; makes nothing."""
    for _ in _rows(path):
        pass
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK):
        raise OutputError(f"water of the day: {path} cannot be written (Permission denied); give this user the right")


class Ledger:
    """The file, opened to append. Makes folder and file with the first row.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def add(self, opening: Opening) -> None:
        """Append a row, into the system's memory; ``sync`` puts it on the disk. Raises OutputError."""
        try:
            if self._file < 0:
                self._file = _open_to_append(self._path)
            row = opening.line().encode()
            if os.write(self._file, row) != len(row):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            # Opened anew, the file loses what of this row was written.
            self.close()
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


def _open_to_append(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    whole = path.read_bytes().rfind(b"\n") + 1
    os.ftruncate(file, whole)
    if not whole:
        os.write(file, (HEADER + "\n").encode())
    return file


def _rows(path: Path) -> list[tuple[date, Purpose, float]]:
    """Read the whole rows; what follows the last end of a line was never finished."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(
            f"water of the day: cannot read {path} ({error.strerror}); give this user the right"
        ) from error
    lines = content[: content.rfind(b"\n") + 1].decode("utf-8", errors="replace").split("\n")[:-1]
    rows = []
    for number, line in enumerate(lines, 1):
        if number == 1 and line == HEADER:
            continue
        try:
            when, what, seconds, _ = line.split(",", 3)
            rows.append((datetime.fromisoformat(when).date(), Purpose(what), float(seconds)))
        except ValueError as error:
            raise OutputError(
                f"water of the day: {path}, line {number} is damaged ({line[:60]!r}); mend it as "
                f"{HEADER!r} asks, or remove the line"
            ) from error
    return rows
