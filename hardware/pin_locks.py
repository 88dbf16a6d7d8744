"""One program per output pin, where the kernel does not see to it: a file lock that falls when its process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from core.errors import OutputError
from hardware.header import bcm_of
from hardware.pins import connected
from hardware.settings import PinSettings

SHARED_FOLDERS = (Path("/run/lock"), Path("/tmp"))  # noqa: S108 - fixed names on purpose; see lock_folder


def lock_folder() -> Path:
    """Return the folder of this machine's locks: the rule of ``session.locks``, which this layer does not see."""
    for folder in SHARED_FOLDERS:
        if folder.is_dir() and folder.stat().st_mode & 0o1777 == 0o1777:
            return folder
    return SHARED_FOLDERS[-1]


class PinLocks:
    """The locks of a board's pins, by BCM line, however a config counts them.

    Parameters
    ----------
    folder : Path, optional
        Where the files stand; they are left in place.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._held: list[int] = []

    def take(self, pins: PinSettings) -> None:
        """Take the lock of each connected pin. Raises OutputError where another program has one; none is then held."""
        try:
            for line, pin in connected(pins).items():
                self._take(f"pin_{line.value} {pin}", bcm_of(pin, pins.pin_numbering))
        except OutputError:
            self.free()
            raise

    def free(self) -> None:
        """Let go of all. Twice is legal."""
        while self._held:
            os.close(self._held.pop())

    def _take(self, name: str, bcm: int | None) -> None:
        path = (self._folder or lock_folder()) / f"rigloop-pin-gpio{bcm}.lock"
        if bcm is None:
            # The board refuses it, with a cure of its own.
            return
        try:
            file = _open(path)
        except OSError as error:
            raise OutputError(
                f"{name}: its lock {path} cannot be opened ({error.strerror}); make the file readable (chmod a+r)"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise OutputError(
                f"{name}: another Rigloop drives this pin (lock {path}); end that session, or give another pin"
            ) from None
        self._held.append(file)


def _open(path: Path) -> int:
    """Open the file, read-only where another user made it: a lock needs no more."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if os.fstat(file).st_uid == os.geteuid():
        os.fchmod(file, 0o644)
    return file
