"""Turns a camera's own stamps into times of the host's clock. Pure."""

from __future__ import annotations

WINDOW_NS = 5_000_000_000
"""Span over which the smallest delay is looked for: two of these, ns. Long enough to hold frames that nothing held up;
clocks that differ by 50 parts in a million part by 0.5 ms in two."""


class StampClock:
    """Capture times without the jitter of transport and scheduling.

    A frame is seen on the host when it has been exposed, read out and sent: ``seen - stamp`` is the difference of the
    two clocks plus a delay, and the delay has a floor that it often touches. The smallest difference of the last 5 to
    10 s therefore ties the clocks, and ``stamp + smallest`` is when the frame would have been seen had nothing held it
    up. It is never later than it was seen, and follows the drift of the two clocks.
    """

    def __init__(self) -> None:
        self._stamp = 0
        self._time = 0
        self._window_began = 0
        self._floor: int | None = None
        self._floor_before: int | None = None

    def time_ns(self, stamp_ns: int, seen_ns: int) -> int:
        """Return the time of a frame on the host's clock, ns.

        Strictly later than that of the frame before as long as ``seen_ns`` is, unless the stamp stands still: then it
        is the same frame, and has the same time. A camera without stamps (0) gets ``seen_ns``; one whose clock was
        set back is tied anew.
        """
        if stamp_ns <= 0:
            return self._later(seen_ns, seen_ns)
        if stamp_ns == self._stamp:
            return self._time
        if stamp_ns < self._stamp:
            self._floor = self._floor_before = None
        self._stamp = stamp_ns
        floor = self._update(seen_ns - stamp_ns, seen_ns)
        return self._later(stamp_ns + floor, seen_ns)

    def _later(self, time_ns: int, seen_ns: int) -> int:
        """Keep order where the floor has just sunk by more than the time between two frames."""
        self._time = min(max(time_ns, self._time + 1), seen_ns)
        return self._time

    def _update(self, difference_ns: int, seen_ns: int) -> int:
        if self._floor is None:
            self._floor, self._window_began = difference_ns, seen_ns
        elif seen_ns - self._window_began > WINDOW_NS:
            self._floor_before, self._floor, self._window_began = self._floor, difference_ns, seen_ns
        self._floor = min(self._floor, difference_ns)
        return self._floor if self._floor_before is None else min(self._floor, self._floor_before)
