"""The rows of ``water.csv`` (``hardware.ledger``): one for every opening of the valve, as a person may edit them."""

from __future__ import annotations

import math
import os
import pwd
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from core.errors import OutputError

HEADER = "time,what,seconds,session"
CURE = "give this user the right to that folder, or choose another (data_root; RIGLOOP_STATE for the day's own ledger)"


def cure(path: Path) -> str:
    """Return what gives this user the right to a ledger: a file that is another's (root's, after sudo) is named."""
    try:
        owner = path.stat().st_uid
    except OSError:
        return CURE
    if owner == os.geteuid():
        return CURE
    return f"it is the file of {_name(owner)}: sudo chown {_name(os.geteuid())} {path}"


def _name(user: int) -> str:
    """Return a user as chown takes it: by name, or by number where it has none."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


class Purpose(Enum):
    """What an opening of the valve is for."""

    reward = "reward"
    free = "free"
    flush = "flush"
    prime = "prime"


class Row(NamedTuple):
    """One row.

    Attributes
    ----------
    when : datetime
        Local time, with its offset unless a person left it out.
    what : Purpose
    seconds : float
        Negative in a row that corrects the one before it.
    session : str
    """

    when: datetime
    what: Purpose
    seconds: float
    session: str


def read_rows(path: Path) -> list[Row]:
    """Return the rows; a last one without an end of line counts if it is whole. Raises OutputError for damage."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(f"water of the day: cannot read {path} ({error.strerror}); {cure(path)}") from error
    # As a spreadsheet saves it: with a mark of its encoding, and other ends of lines.
    text = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    *lines, end = text.split("\n")
    if is_row(end):
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


def _row(line: str) -> Row:
    """Take a line apart. Raises ValueError where it is no row."""
    when, what, seconds, session = line.split(",", 3)
    if not math.isfinite(float(seconds)):
        raise ValueError("not a number of seconds")
    return Row(datetime.fromisoformat(when), Purpose(what), float(seconds), session)


def is_row(line: str) -> bool:
    """Whether a line is a whole row."""
    try:
        _row(line)
    except ValueError:
        return False
    return True
