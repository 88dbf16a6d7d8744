"""The history as a span of time: which frames are in it, and whether they are enough for a baseline. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

FEW = 4
"""Below this number of frames the nominal frame rate has a say in what is expected; chosen because the median of one or
two intervals may be the very gap that is to be detected."""


class TimeWindow:
    """Times of the frames in [t - history, t), t being the frame that is about to come.

    Parameters
    ----------
    history_ns : int
        Length of the history, ns.
    nominal_ns : int
        Nominal time between frames, ns.
    """

    def __init__(self, history_ns: int, nominal_ns: int) -> None:
        self._history_ns = history_ns
        self._nominal_ns = nominal_ns
        self._times: deque[int] = deque()
        self._intervals: list[int] = []
        self._first_ns: int | None = None
        self._last_ns: int | None = None

    def __len__(self) -> int:
        return len(self._times)

    def is_later(self, time_ns: int) -> bool:
        """Return whether a time lies after that of the last frame."""
        return self._last_ns is None or time_ns > self._last_ns

    def forget(self, time_ns: int) -> int:
        """Forget the frames before ``time_ns - history_ns``; return how many those are."""
        times = self._times
        start = time_ns - self._history_ns
        forgotten = 0
        while times and times[0] < start:
            oldest = times.popleft()
            if times:
                del self._intervals[bisect_left(self._intervals, times[0] - oldest)]
            forgotten += 1
        return forgotten

    def remember(self, time_ns: int) -> None:
        """Take a frame in; it must be later than the last."""
        if self._times:
            insort(self._intervals, time_ns - self._times[-1])
        if self._first_ns is None:
            self._first_ns = time_ns
        self._last_ns = time_ns
        self._times.append(time_ns)

    def is_warm(self, time_ns: int) -> bool:
        """Return whether the length of a history has gone by since the first frame of all."""
        return self._first_ns is not None and time_ns - self._first_ns >= self._history_ns

    def has_enough(self) -> bool:
        """Return whether at least half of the frames are there that the median interval lets expect.

        The median is that of the intervals between the frames in the history (the lower one of two), so that it follows
        a camera whose rate changes, while a gap makes no difference to it. With fewer than ``FEW`` frames, no longer
        interval than the nominal one is believed.
        """
        count = len(self._times)
        interval = self._intervals[(count - 2) // 2] if count > 1 else self._nominal_ns
        if count < FEW:
            interval = min(interval, self._nominal_ns)
        return 2 * count * interval >= self._history_ns
