"""The movement of one body part: its speed from capture times, gaps bridged for a while, its distance to the target.

Speed is distance over time between the last two points that were trusted: neither the frame rate nor frames that were
dropped or skipped change the speed of a point that moves uniformly, and a point that was lost and found again has moved
no faster than from the one place to the other in the time between.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from behavior.settings import MovementSettings
from behavior.smoothing import make_filter
from core.values import WARM_UP, as_ns

NOT_SEEN = "not seen"


class Movement(NamedTuple):
    """What one frame tells of the control point.

    Attributes
    ----------
    speed_mm_s : float
        mm/s; within a gap that of the last two points; NaN where it is not known.
    target_mm : float
        Distance to the target's centre, mm, in the same way.
    place_mm : (float, float) or None
        Column and row, mm, of the last point that was trusted; None where it is not known.
    trusted : bool
        Whether the point was seen in this very frame.
    reason : str
        Why nothing may be made of it, empty when something may.
    """

    speed_mm_s: float
    target_mm: float
    place_mm: tuple[float, float] | None
    trusted: bool
    reason: str


class Kinematics:
    """Follows one point. Pure but for the track it keeps: two points.

    A point under ``min_likelihood`` is missing. For at most ``max_gap_s`` after the last trusted one speed and place
    are held; they cannot cross a threshold, as they do not change. Then they are invalid, and the point, when it is
    back, begins a track anew: what it did meanwhile is nobody's movement. Frames that never came are no gap: the point
    was not looked for in them.

    Parameters
    ----------
    settings : MovementSettings
    ppmm : float
        Pixels per mm.
    """

    def __init__(self, settings: MovementSettings, ppmm: float) -> None:
        self._likely = settings.min_likelihood
        self._max_gap_ns = as_ns(settings.max_gap_s)
        self._ppmm = ppmm
        self._target_mm = (settings.target_center[0] / ppmm, settings.target_center[1] / ppmm)
        self._filter = make_filter(settings)
        self._name = settings.control_point
        self._seen_ns: int | None = None
        self._place_mm = (math.nan, math.nan)
        self._speed = math.nan
        self._missing = False

    def update(self, time_ns: int, x: float, y: float, likelihood: float) -> Movement:
        """Take the point of the next frame.

        Parameters
        ----------
        time_ns : int
            Capture time of the frame, ns, later than that of the frame before.
        x, y : float
            Column and row, px; NaN where the point was not found.
        likelihood : float
            0 to 1.
        """
        trusted = likelihood >= self._likely and math.isfinite(x) and math.isfinite(y)
        self._missing = self._missing or not trusted
        if self._missing and self._seen_ns is not None and time_ns - self._seen_ns > self._max_gap_ns:
            self.lose()
        if not trusted:
            return self._movement(trusted)
        self._missing = False
        place_mm = self._filter.update(time_ns, (x / self._ppmm, y / self._ppmm))
        if self._seen_ns is not None:
            self._speed = math.dist(place_mm, self._place_mm) * 1e9 / (time_ns - self._seen_ns)
        self._seen_ns, self._place_mm = time_ns, place_mm
        return self._movement(trusted)

    def lose(self) -> None:
        """Forget the track: the next point that is trusted begins another."""
        self._seen_ns = None
        self._speed = math.nan
        self._filter.reset()

    def _movement(self, trusted: bool) -> Movement:
        if self._seen_ns is None:
            return Movement(math.nan, math.nan, None, trusted, f"{self._name}: {NOT_SEEN}")
        target_mm = math.dist(self._place_mm, self._target_mm)
        return Movement(self._speed, target_mm, self._place_mm, trusted, "" if math.isfinite(self._speed) else WARM_UP)
