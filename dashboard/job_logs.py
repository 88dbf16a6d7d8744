"""The files that hold what a page's programs say: named after the server's process, read from their end, removed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

SAID_BYTES = 8192
SAID_LINES = 12


def log_path(folder: Path, number: int) -> Path:
    """Return the file of this server's program ``number``."""
    return folder / f"job-{os.getpid()}-{number}.log"


def said(log: Path) -> str:
    """Return the last lines that a terminal would show; empty where there is no file any more."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - SAID_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join([line for line in map(_shown, text.split("\n")) if line][-SAID_LINES:])


def _shown(line: str) -> str:
    """Return what a terminal shows of a line: a bar of progress comes back to its beginning, and is written over."""
    return next((part.rstrip() for part in reversed(line.split("\r")) if part.strip()), "")


def remove_left(folder: Path) -> None:
    """Remove what was said to servers that are gone; a program that still runs goes on saying it to nobody."""
    for log in folder.glob("job-*-*.log"):
        server = log.name.split("-")[1]
        if server != str(os.getpid()) and not Path("/proc", server).exists():
            remove(log)


def remove(log: Path) -> None:
    """Remove a file, if it is there."""
    with suppress(OSError):
        log.unlink()
