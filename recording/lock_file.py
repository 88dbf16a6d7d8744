"""Files that one program at a time holds: advisory locks, which the kernel drops when a process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

SHARED_FOLDERS: tuple[Path, ...] = (Path("/run/lock"), Path("/tmp"))  # noqa: S108 - fixed names on purpose; see lock_folder


class NoLocksHere(OSError):
    """The file system keeps no locks, as some network shares do."""


def lock_folder() -> Path:
    """Return the folder of this machine's locks: /run/lock where everybody may write there, else /tmp.

    Never TMPDIR: two users, or a service with a folder of its own, must meet in it.
    """
    for folder in SHARED_FOLDERS:
        if folder.is_dir() and folder.stat().st_mode & 0o1777 == 0o1777:
            return folder
    return SHARED_FOLDERS[-1]


def hold_file(path: Path) -> int:
    """Open the file, make it if absent, and lock it; return the descriptor, which holds the lock until it is closed.

    It is left in place: removing it would let two processes hold two files.

    Raises
    ------
    BlockingIOError
        Another process holds it.
    NoLocksHere
        Its file system keeps no locks.
    OSError
        It cannot be opened.
    """
    file = _open(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise
    except OSError as error:
        os.close(file)
        raise NoLocksHere(error.errno, error.strerror) from error
    return file


def _open(path: Path) -> int:
    """Open the file, read-only where another user made it: a lock needs no more."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if os.fstat(file).st_uid == os.geteuid():
        # Whatever the umask: another user must be able to look at it.
        os.fchmod(file, 0o644)
    return file
