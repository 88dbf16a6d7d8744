"""What a person should know of the machine before it stops a session: little disk, heat, a weak power supply."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from core.ports import Clock
from hardware.health import power_warnings
from recording.folder import check_space, nearest_free_bytes
from recording.settings import RESERVE_BYTES, RecordingSettings

SYSTEM = Path("/")
LOW_BYTES = 4 * RESERVE_BYTES
"""Below this much free disk a person is warned: four times what the recorder keeps for the log."""
WINDOW_NS = 300_000_000_000
"""The present rate is that of the last five minutes: long beside a trial, short beside a session."""
SPAN_NS = 10_000_000_000
"""No rate is told of less time than this."""
NEAR_MIN = ((2, "images stop very soon"), (10, "images stop soon"), (30, "images will stop"))
"""Minutes ahead at which a person is warned, and warned again, nearest first."""

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


class DiskForecast:
    """Says when images will stop at the rate at which the disk has filled, whoever fills it; called as a look.

    Parameters
    ----------
    data_root : Path
    clock : Clock
        The host's: the disk fills in its time, not in that of frames.
    reserve_bytes : int
        What images leave free.
    """

    def __init__(self, data_root: Path, clock: Clock, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._data_root = data_root.expanduser().absolute()
        self._clock = clock
        self._reserve_bytes = reserve_bytes
        self._seen: deque[tuple[int, int]] = deque()
        self._level = len(NEAR_MIN)

    def __call__(self) -> Iterable[str]:
        """Look at the disk, and say what is to be said."""
        try:
            free = nearest_free_bytes(self._data_root)
        except OSError:
            # Which the look at what is free tells.
            return
        left_min = self._minutes(self._clock.now_ns(), free)
        level = next((n for n, (minutes, _) in enumerate(NEAR_MIN) if left_min <= minutes), len(NEAR_MIN))
        # A rate that sways about one of them is told once: only twice the time takes a warning back.
        if level > self._level and left_min <= 2 * NEAR_MIN[self._level][0]:
            level = self._level
        self._level = level
        if level < len(NEAR_MIN):
            yield (
                f"{NEAR_MIN[level][1]}, in about {left_min:.0f} minutes at the present rate: {free / 1e6:.0f} MB are "
                f"free under {self._data_root}, and {self._reserve_bytes / 1e6:.0f} MB are kept for the log: "
                "make room on this disk"
            )

    def _minutes(self, now_ns: int, free: int) -> float:
        """Return in how many minutes images stop; infinite where they do not, or have stopped."""
        self._seen.append((now_ns, free))
        while len(self._seen) > 2 and now_ns - self._seen[1][0] >= WINDOW_NS:
            self._seen.popleft()
        since_ns, before = self._seen[0]
        room = free - self._reserve_bytes
        if room <= 0 or before <= free or now_ns - since_ns < SPAN_NS:
            return float("inf")
        return room / (before - free) * (now_ns - since_ns) / 60e9


def machine_looks(recording: RecordingSettings, live: bool, clock: Clock) -> tuple[Look, ...]:
    """Return what a session looks at: the disk; in a live one when it will be full, power supply and heat as well.

    One that runs as fast as it can is over long before the disk is: its rate says nothing of the time ahead.
    """
    root = Path(recording.data_root)
    looks: list[Look] = [disk_look(root)]
    if live and recording.record_images:
        looks.append(DiskForecast(root, clock))
    if live:
        looks.append(lambda: power_warnings(SYSTEM))
    return tuple(looks)
