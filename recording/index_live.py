"""Which of the sessions that are marked as running do run."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from recording.index_row import KILLED, RUNNING, SessionRow

MOUSE_LOCK = ".lock"
"""File in a mouse's folder that its session holds from before its folder is made until after its end."""


def mark_killed(root: Path, rows: Sequence[SessionRow]) -> tuple[SessionRow, ...]:
    """Return the rows, in their order, with ``killed`` in place of ``running`` where nobody runs the session.

    A mouse runs one session at a time, so that of several which are marked only the newest can.
    """
    newest = {
        row.mouse: row for row in sorted(rows, key=lambda row: (row.start_local, row.part)) if row.outcome == RUNNING
    }
    held = {mouse for mouse in newest if is_held(root / mouse / MOUSE_LOCK)}
    return tuple(
        row._replace(outcome=KILLED)
        if row.outcome == RUNNING and not (row.mouse in held and newest[row.mouse] is row)
        else row
        for row in rows
    )


def is_held(path: Path) -> bool:
    """Return whether a process holds the lock; also where that cannot be told, so that nobody's session is mended."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        # Shared: two that look at the same moment do not see each other.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False
