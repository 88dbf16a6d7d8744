"""Filters of a point's track, off unless asked for. Pure: time comes with each point."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import Protocol

from behavior.settings import MovementSettings, PoseFilter

XY = tuple[float, float]


class PointFilter(Protocol):
    """Smooths a track, one point after the other."""

    def update(self, time_ns: int, point: XY) -> XY:
        """Return where the point is taken to be; mm in, mm out."""

    def reset(self) -> None:
        """Forget the track: the next point begins another."""


class NoFilter:
    """Leaves the track as it is."""

    def update(self, time_ns: int, point: XY) -> XY:
        """Return the point."""
        del time_ns
        return point

    def reset(self) -> None:
        """Nothing to forget."""


class OneEuro:
    """The 1 euro filter: a low-pass whose cutoff rises with speed, so that rest is smooth and movement lags little.

    After Casiez, Roussel and Vogel 2012 (CHI, 2527-2530), with one change: the cutoff of both axes follows the speed of
    the point, so that the filter has no preferred direction. Their constant cutoff of 1 Hz for the speed is kept.

    Parameters
    ----------
    cutoff_hz : float
        Cutoff for a point at rest, Hz.
    beta : float
        Hz by which it rises per mm/s.
    """

    SPEED_CUTOFF_HZ = 1.0

    def __init__(self, cutoff_hz: float, beta: float) -> None:
        self._cutoff_hz = cutoff_hz
        self._beta = beta
        self._last: XY | None = None
        self._raw: XY = (0.0, 0.0)
        self._velocity: XY = (0.0, 0.0)
        self._time_ns = 0

    def update(self, time_ns: int, point: XY) -> XY:
        """Return the smoothed point, mm."""
        if self._last is None:
            self._last, self._raw, self._time_ns = point, point, time_ns
            return point
        dt_s = (time_ns - self._time_ns) / 1e9
        share = _share(self.SPEED_CUTOFF_HZ, dt_s)
        velocity = tuple((now - then) / dt_s for now, then in zip(point, self._raw, strict=True))
        vx, vy = (old + share * (new - old) for old, new in zip(self._velocity, velocity, strict=True))
        share = _share(self._cutoff_hz + self._beta * math.hypot(vx, vy), dt_s)
        x, y = (old + share * (new - old) for old, new in zip(self._last, point, strict=True))
        self._last, self._raw, self._time_ns, self._velocity = (x, y), point, time_ns, (vx, vy)
        return x, y

    def reset(self) -> None:
        """Forget the track."""
        self._last = None
        self._velocity = (0.0, 0.0)


def _share(cutoff_hz: float, dt_s: float) -> float:
    """Return how much of a new value a first-order low-pass takes after ``dt_s``."""
    step = 2 * math.pi * cutoff_hz * dt_s
    return step / (step + 1)


class MedianFilter:
    """The median of the last points, column and row each by itself; a single outlier leaves no trace.

    Parameters
    ----------
    points : int
        How many; half of them is the lag of a moving point.
    """

    def __init__(self, points: int) -> None:
        self._track: deque[XY] = deque(maxlen=points)

    def update(self, time_ns: int, point: XY) -> XY:
        """Return the median, mm."""
        del time_ns
        self._track.append(point)
        return median(x for x, _ in self._track), median(y for _, y in self._track)

    def reset(self) -> None:
        """Forget the track."""
        self._track.clear()


def make_filter(settings: MovementSettings) -> PointFilter:
    """Return the filter that the settings ask for."""
    if settings.pose_filter is PoseFilter.one_euro:
        return OneEuro(settings.one_euro_cutoff_hz, settings.one_euro_beta)
    if settings.pose_filter is PoseFilter.median:
        return MedianFilter(settings.median_points)
    return NoFilter()
