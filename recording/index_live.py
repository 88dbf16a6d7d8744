"""Which of the sessions that are marked as running do run."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from recording.index_find import Place
from recording.index_row import KILLED, UNBEGUN, SessionRow
from recording.schema import RUNNING

MOUSE_LOCK = ".lock"
"""File in a mouse's folder that its session holds from before its folder is made until after its end."""
_ENDS = {RUNNING: KILLED, UNBEGUN: UNBEGUN}
"""What a session that may still run is where nobody runs it."""


def mark_killed(root: Path, rows: Sequence[SessionRow]) -> tuple[SessionRow, ...]:
    """Return the rows, in their order, with ``killed`` in place of ``running`` where nobody runs the session.

    A mouse runs one session at a time, so that of several which are marked only the newest can.
    """
    begun = [row for row in rows if row.outcome in _ENDS]
    newest = {row.mouse: row for row in sorted(begun, key=lambda row: (row.start_local, row.part))}
    held = {mouse for mouse in newest if is_held(root / mouse / MOUSE_LOCK)}
    return tuple(
        row
        if row.outcome not in _ENDS
        else row._replace(outcome=RUNNING if row.mouse in held and newest[row.mouse] is row else _ENDS[row.outcome])
        for row in rows
    )


def running_now(root: Path, places: Sequence[Place]) -> list[Place]:
    """Return the places of sessions that may run now: of each mouse whose lock is held the newest."""
    newest: dict[str, Place] = {}
    for place in places:
        mouse = place.path.partition("/")[0]
        if mouse not in newest or _age(place) > _age(newest[mouse]):
            newest[mouse] = place
    return [place for mouse, place in newest.items() if is_held(root / mouse / MOUSE_LOCK)]


def _age(place: Place) -> tuple[str, int]:
    """Return what is greater for a later session of one mouse."""
    _, date, *part = place.path.split("/")
    return date, int(part[0][1:]) if part else 1


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
