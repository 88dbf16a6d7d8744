"""One session per mouse and one live session per rig: advisory file locks that the kernel drops when a process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from core.errors import BusyError, InputError

SHARED_FOLDERS = (Path("/run/lock"), Path("/tmp"))  # noqa: S108 - fixed names on purpose; see lock_folder


class FileLock:
    """An exclusive lock on ``path``, held from ``__enter__`` to ``__exit__`` or the end of the process.

    Parameters
    ----------
    path : Path
        Made if absent; its folder must exist. It is left in place: removing it would let two processes hold two files.
    what : str
        What is locked, such as ``"mouse M1"``, for the message.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._fd = -1
        self._writable = True

    def __enter__(self) -> FileLock:
        """Take the lock. Raises BusyError at once if another process holds it."""
        try:
            self._fd = self._open()
        except OSError as error:
            raise InputError(
                f"{self._what}: the lock {self._path} cannot be opened ({error.strerror}); make its folder "
                "writable and the file readable (chmod a+r), as its owner or as root"
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 100, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            self._fd = -1
            raise BusyError(
                f"{self._what} is in a session or preview that is still running (process {holder} took {self._path}); "
                "wait for it, or stop it"
            ) from None
        if self._writable:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        return self

    def _open(self) -> int:
        """Open the file, read-only where another user made it: a lock needs no more."""
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except PermissionError:
            self._writable = False
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        if os.fstat(fd).st_uid == os.geteuid():
            # Whatever the umask: another user must be able to look at it.
            os.fchmod(fd, 0o644)
        return fd

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def mouse_lock(data_root: Path, mouse: str) -> FileLock:
    """Make the mouse's folder in ``data_root`` and return its lock. Raises InputError where that cannot be written."""
    try:
        (data_root / mouse).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"data_root {data_root}: the folder of mouse {mouse} cannot be made ({error.strerror}); choose a folder "
            "you may write with data_root or --data-root"
        ) from error
    return FileLock(data_root / mouse / ".lock", f"mouse {mouse}")


def rig_locks(rig: str, mouse: str) -> tuple[FileLock, FileLock]:
    """Return the locks of a session on a rig: the rig's, and the mouse's, which is on no other rig meanwhile."""
    folder = lock_folder()
    return (
        FileLock(folder / f"rigloop-rig-{rig}.lock", f"rig {rig}"),
        FileLock(folder / f"rigloop-mouse-{mouse}.lock", f"mouse {mouse}"),
    )


def lock_folder() -> Path:
    """Return the folder of this machine's locks: /run/lock where everybody may write there, else /tmp.

    Never TMPDIR: two users, or a service with a folder of its own, must meet in it.
    """
    for folder in SHARED_FOLDERS:
        if folder.is_dir() and folder.stat().st_mode & 0o1777 == 0o1777:
            return folder
    return SHARED_FOLDERS[-1]
