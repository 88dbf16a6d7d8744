"""When a frame arrived, on the monotonic clock, from a stamp of the wall clock, which may be set at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

SLACK_NS = 1000
"""The two clocks are the same one but for a constant, and rounding; a change of more than this is a clock that was set.
Chosen as the step of ``g_get_real_time``."""


class Reading(NamedTuple):
    """The wall clock between two looks at the monotonic clock, ns."""

    before_ns: int
    wall_ns: int
    after_ns: int


def read_clocks() -> Reading:
    """Return this host's clocks as they are now."""
    return Reading(time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_REALTIME), time.monotonic_ns())


class ArrivalClock:
    """Brings stamps of the wall clock to the monotonic clock, whatever is done to the wall clock.

    Both run at one pace, which NTP steers, so that their difference is a constant until the wall clock is set. It is
    measured at each look, between two readings of the monotonic clock. A stamp is believed if it was made while the
    difference was what it is now; one from before, or from around a change, tells no more than that it is not from the
    future. So no time is ever earlier than the arrival, by more than the clocks' own steps, or later than now.

    Parameters
    ----------
    read : callable
        Gives a Reading of now.
    """

    def __init__(self, read: Callable[[], Reading] = read_clocks) -> None:
        self._read = read
        before_ns, wall_ns, self._since_ns = read()
        self._least, self._most = wall_ns - self._since_ns, wall_ns - before_ns

    def look(self) -> int:
        """Measure the difference of the clocks, and return the time on the monotonic one, ns."""
        before_ns, wall_ns, now_ns = self._read()
        least, most = wall_ns - now_ns, wall_ns - before_ns
        if least > self._most + SLACK_NS or most < self._least - SLACK_NS:
            self._least, self._most, self._since_ns = least, most, now_ns
        else:
            self._least, self._most = max(self._least, least), min(self._most, most)
        return now_ns

    def arrival_ns(self, wall_ns: int) -> int:
        """Return when a frame arrived that is in hand now, by its stamp of the wall clock; now where that is unknown.

        Parameters
        ----------
        wall_ns : int
            CLOCK_REALTIME at its arrival, ns.
        """
        now_ns = self.look()
        arrival_ns = wall_ns - self._least
        return arrival_ns if self._since_ns <= arrival_ns <= now_ns else now_ns
