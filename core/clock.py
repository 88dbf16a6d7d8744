"""Host time: the real clock, and a virtual one for tests. The only file of the project that asks the time or sleeps."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class MonotonicClock:
    """The host's clock."""

    def now_ns(self) -> int:
        """Return CLOCK_MONOTONIC in ns."""
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        """Return ns since 1970 (UTC)."""
        return time.time_ns()

    def sleep_until_ns(self, time_ns: int) -> None:
        """Sleep until ``now_ns() >= time_ns``."""
        while (left := time_ns - time.monotonic_ns()) > 0:
            time.sleep(left / 1e9)


class VirtualClock:
    """A clock that stands still but for ``sleep_until_ns`` and ``advance``. For tests of whole sessions."""

    def __init__(self, start_ns: int = 1_000_000_000, wall_start_ns: int = 1_700_000_000_000_000_000) -> None:
        self._now = start_ns
        self._offset = wall_start_ns - start_ns

    def now_ns(self) -> int:
        """Return the virtual time, ns."""
        return self._now

    def wall_ns(self) -> int:
        """Return the virtual time of day, ns since 1970."""
        return self._now + self._offset

    def sleep_until_ns(self, time_ns: int) -> None:
        """Jump to ``time_ns``; a time in the past changes nothing."""
        self._now = max(self._now, time_ns)

    def advance(self, duration_ns: int) -> None:
        """Let ``duration_ns`` go by."""
        if duration_ns < 0:
            raise ValueError(f"time cannot go back: {duration_ns} ns; give a duration of 0 or more")
        self._now += duration_ns


def local_datetime(wall_ns: int) -> datetime:
    """Turn ns since 1970 into a local datetime with its UTC offset."""
    return datetime.fromtimestamp(wall_ns / 1e9, tz=timezone.utc).astimezone()
