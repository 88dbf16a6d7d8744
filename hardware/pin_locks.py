"""One program per output pin, where the kernel does not see to it: a file lock that falls when its process dies."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import OutputError
from hardware.header import bcm_of
from hardware.pins import connected
from hardware.settings import PinSettings
from recording.lock_file import NoLocksHere, hold_file, lock_folder


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
            self._held.append(hold_file(path))
        except BlockingIOError:
            raise OutputError(
                f"{name}: another Rigloop drives this pin (lock {path}); end that session, or give another pin"
            ) from None
        except NoLocksHere as error:
            raise OutputError(
                f"{name}: its lock {path} cannot be taken ({error.strerror}), as on a network share that keeps no "
                "locks; mount a disk of this computer there"
            ) from error
        except OSError as error:
            raise OutputError(
                f"{name}: its lock {path} cannot be opened ({error.strerror}); make the file readable (chmod a+r)"
            ) from error
