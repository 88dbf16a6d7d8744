"""What must hold before a trial begins: the point is still, it is in the start circle, or nothing."""

from __future__ import annotations

import math
from collections import deque

from behavior.kinematics import Movement
from behavior.settings import MovementSettings, TrialStart
from core.values import as_ns, as_seconds

HOLE = 3
"""So many times the shortest time between frames is a hole in the watching; chosen above what jitter makes of one."""


class StartCondition:
    """Says of each frame why no trial may begin on it. Pure but for the track it keeps, ``joint_history_sec`` of it.

    Whatever the condition, the point must have been seen. To be still it must have been watched all the time: a hole
    between two frames, of more than ``max_gap_s`` and of ``HOLE`` times the shortest time between frames, begins the
    span anew.

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
        self._max_gap_ns = as_ns(settings.max_gap_s)
        self._frame_ns: int | None = None
        self._period_ns = 0
        self._last_mm: tuple[float, float] | None = None
        self._ever = False

    def update(self, time_ns: int, movement: Movement) -> str:
        """Return why no trial may begin on this frame, empty where one may."""
        place_mm = movement.place_mm
        if place_mm is None or self._is_hole(time_ns):
            self.lose()
        if place_mm is not None and (movement.trusted or not self._path):
            self._walk(time_ns, place_mm)
        start = self._settings.trial_start
        if place_mm is None:
            return "" if start is TrialStart.immediate and self._ever else movement.reason
        self._ever = True
        if start is TrialStart.still:
            return self._moves()
        return self._elsewhere(place_mm) if start is TrialStart.start_roi else ""

    def lose(self) -> None:
        """Forget the path: the point was not watched."""
        self._path.clear()
        self._last_mm = None

    def _is_hole(self, time_ns: int) -> bool:
        """Whether too much time lies between this frame and the one before."""
        last_ns, self._frame_ns = self._frame_ns, time_ns
        if last_ns is None:
            return False
        since_ns = time_ns - last_ns
        self._period_ns = min(self._period_ns or since_ns, since_ns)
        return since_ns > max(self._max_gap_ns, HOLE * self._period_ns)

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
