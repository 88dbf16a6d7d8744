"""Finds the process that still writes a session's files: a recorder goes on for seconds when its controller was killed.

Source: proc_pid_fd(5) and proc_pid_fdinfo(5) of Linux.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def writer_of(folder: Path) -> int:
    """Return the id of another process that has a file in ``folder``, or below, open for writing; 0 where none has.

    Processes of other users are seen by root alone. Takes some milliseconds.
    """
    inside = f"{folder.resolve()}{os.sep}"
    for process in _PROC.iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid() and _writes(process, inside):
            return int(process.name)
    return 0


def _writes(process: Path, inside: str) -> bool:
    try:
        return any(_is_written(process, file, inside) for file in os.listdir(process / "fd"))
    except OSError:
        # It has ended meanwhile, or is another user's.
        return False


def _is_written(process: Path, file: str, inside: str) -> bool:
    try:
        return os.readlink(process / "fd" / file).startswith(inside) and _for_writing(process / "fdinfo" / file)
    except OSError:
        # It was closed meanwhile, which says nothing of the others.
        return False


def _for_writing(info: Path) -> bool:
    flags = next(line for line in info.read_text(encoding="ascii").splitlines() if line.startswith("flags:"))
    return bool(int(flags.split()[1], 8) & os.O_ACCMODE)
