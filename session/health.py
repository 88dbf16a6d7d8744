"""What a person should know of the machine before it stops a session: little disk, heat, a weak power supply."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from hardware.health import power_warnings
from recording.folder import check_space
from recording.settings import RESERVE_BYTES

SYSTEM = Path("/")
LOW_BYTES = 4 * RESERVE_BYTES
"""Below this much free disk a person is warned: four times what the recorder keeps for the log."""

Look = Callable[[], Iterable[str]]
"""Returns what is wrong now, a line each; takes less than a millisecond."""


class HealthWatch:
    """Tells each warning once. Called by the runner's thread, before the first frame and when no trial runs.

    Parameters
    ----------
    looks : tuple of callable
    tell : callable
        Told each new warning.
    """

    def __init__(self, looks: tuple[Look, ...], tell: Callable[[str], None]) -> None:
        self._looks = looks
        self._tell = tell
        self._told: set[str] = set()

    def check(self) -> None:
        """Look, and tell what is new. A warning that comes again after it had gone is told again."""
        # A temperature that changes by a degree is no news.
        now = {re.sub(r"\d+", "", line): line for look in self._looks for line in look()}
        for line in sorted(now[key] for key in now.keys() - self._told):
            self._tell(line)
        self._told = set(now)


def disk_look(data_root: Path, low_bytes: int = LOW_BYTES) -> Look:
    """Return a look at the free space under ``data_root``."""

    def look() -> Iterable[str]:
        if check_space(data_root, low_bytes):
            yield f"less than {low_bytes / 1e6:.0f} MB are free under {data_root}: free space before the next session"

    return look


def machine_looks(data_root: Path, live: bool) -> tuple[Look, ...]:
    """Return what a session looks at: the disk; in a live one power supply and heat as well."""
    disk = disk_look(data_root)
    return (disk, lambda: power_warnings(SYSTEM)) if live else (disk,)
