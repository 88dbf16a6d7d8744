"""One session per mouse and one live session per rig: advisory file locks that the kernel drops when a process dies."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from core.errors import BusyError, RecordingError
from recording.index_live import MOUSE_LOCK
from recording.lock_file import NoLocksHere, hold_file, lock_folder

_FULL = (errno.ENOSPC, errno.EDQUOT)
_RIGHTS = "make its folder writable and the file readable (chmod a+r), as its owner or as root"


class FileLock:
    """An exclusive lock on ``path``, held from ``__enter__`` to ``__exit__`` or the end of the process.

    Parameters
    ----------
    path : Path
        Made if absent; its folder must exist.
    what : str
        What is locked, such as ``"mouse M1"``, for the message.
    cure : str
        What to do about a folder that keeps no locks.
    """

    def __init__(self, path: Path, what: str, cure: str = "mount a disk of this computer there") -> None:
        self._path = path
        self._what = what
        self._cure = cure
        self._fd = -1

    def __enter__(self) -> FileLock:
        """Take the lock. Raises BusyError at once if another process holds it, RecordingError where none can be had."""
        try:
            self._fd = hold_file(self._path)
        except BlockingIOError:
            raise BusyError(
                f"{self._what} is in a session or preview that is still running (process {self._holder()} took "
                f"{self._path}); wait for it, or stop it"
            ) from None
        except NoLocksHere as error:
            raise RecordingError(
                f"{self._what}: the lock {self._path} cannot be taken ({error.strerror}), as on a network share that "
                f"keeps no locks; {self._cure}"
            ) from error
        except OSError as error:
            cure = "free space on that disk" if error.errno in _FULL else _RIGHTS
            raise RecordingError(
                f"{self._what}: the lock {self._path} cannot be opened ({error.strerror}); {cure}"
            ) from error
        # For the message of whoever finds it taken, no more: another user's file, or a full disk, cannot be written.
        with suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        return self

    def _holder(self) -> str:
        """Return the process that wrote its number there."""
        try:
            return self._path.read_bytes()[:100].decode(errors="replace").strip() or "unknown"
        except OSError:
            return "unknown"

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def mouse_lock(data_root: Path, mouse: str) -> FileLock:
    """Make the mouse's folder in ``data_root`` and return its lock. Raises RecordingError where it cannot be made."""
    try:
        (data_root / mouse).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cure = "free space on that disk, or choose another" if error.errno in _FULL else "choose a folder you may write"
        raise RecordingError(
            f"data_root {data_root}: the folder of mouse {mouse} cannot be made ({error.strerror}); {cure} with "
            "data_root or --data-root"
        ) from error
    cure = "choose a folder on a disk of this computer with data_root or --data-root"
    return FileLock(data_root / mouse / MOUSE_LOCK, f"mouse {mouse}", cure)


def rig_locks(rig: str, mouse: str) -> tuple[FileLock, FileLock]:
    """Return the locks of a session on a rig: the rig's, and the mouse's, which is on no other rig meanwhile."""
    folder = lock_folder()
    return (
        FileLock(folder / f"rigloop-rig-{rig}.lock", f"rig {rig}"),
        FileLock(folder / f"rigloop-mouse-{mouse}.lock", f"mouse {mouse}"),
    )
