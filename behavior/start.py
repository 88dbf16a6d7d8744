"""What must hold before a trial begins: the point is still, it is in the start circle, or nothing."""

from __future__ import annotations

import math
from collections import deque

from behavior.kinematics import Movement
from behavior.settings import MovementSettings, TrialStart
from core.values import as_ns, as_seconds


class StartCondition:
    """Says of each frame why no trial may begin on it. Pure but for the track it keeps, ``joint_history_sec`` of it.

    Whatever the condition, the point must have been seen.

    Parameters
    ----------
    settings : MovementSettings
    ppmm : float
        Pixels per mm.
    """

    def __init__(self, settings: MovementSettings, ppmm: float) -> None:
        self._settings = settings
        self._center_mm = (settings.start_center[0] / ppmm, settings.start_center[1] / ppmm)
        self._history_ns = as_ns(settings.joint_history_sec)
        self._path: deque[tuple[int, float]] = deque()
        self._last_mm: tuple[float, float] | None = None
        self._ever = False

    def update(self, time_ns: int, movement: Movement) -> str:
        """Return why no trial may begin on this frame, empty where one may."""
        place_mm = movement.place_mm
        if place_mm is None:
            self._path.clear()
            self._last_mm = None
        elif movement.trusted:
            self._walk(time_ns, place_mm)
        start = self._settings.trial_start
        if place_mm is None:
            return "" if start is TrialStart.immediate and self._ever else movement.reason
        self._ever = True
        if start is TrialStart.still:
            return self._moves()
        return self._elsewhere(place_mm) if start is TrialStart.start_roi else ""

    def _walk(self, time_ns: int, place_mm: tuple[float, float]) -> None:
        """Add a point to the path, and drop those that lie before the span."""
        walked = self._path[-1][1] + math.dist(place_mm, self._last_mm) if self._last_mm is not None else 0.0
        self._last_mm = place_mm
        self._path.append((time_ns, walked))
        while len(self._path) > 1 and self._path[1][0] <= time_ns - self._history_ns:
            self._path.popleft()

    def _moves(self) -> str:
        """Judge the mean speed over the span: the length of the path by the time it took."""
        (first_ns, before), (last_ns, walked) = self._path[0], self._path[-1]
        name, span_s = self._settings.control_point, self._settings.joint_history_sec
        if last_ns - first_ns < self._history_ns:
            return f"{name} has been followed for {as_seconds(last_ns - first_ns):.1f} of {span_s:g} s"
        mean = (walked - before) * 1e9 / (last_ns - first_ns)
        if mean < self._settings.still_speed:
            return ""
        return f"{name} moves: {mean:.3g} mm/s over {span_s:g} s, still is below {self._settings.still_speed:g}"

    def _elsewhere(self, place_mm: tuple[float, float]) -> str:
        """Judge the distance to the start circle's centre."""
        away_mm, radius_mm = math.dist(place_mm, self._center_mm), self._settings.start_radius_mm
        if away_mm <= radius_mm:
            return ""
        name = self._settings.control_point
        return f"{name} is {away_mm:.3g} mm from the start circle's centre, its radius is {radius_mm:g} mm"
