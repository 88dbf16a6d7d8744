"""Frame -> Signal: the pose in it, then the movement of the control point, then whether a trial may begin."""

from __future__ import annotations

import math
from collections.abc import Callable

from behavior.kinematics import Kinematics
from behavior.settings import MovementSettings, RewardBy
from behavior.start import StartCondition
from core.errors import PoseError
from core.ports import PoseEstimator
from core.values import Frame, Signal

SPEED, TARGET = "speed_mm_s", "target_mm"


def part_names(body_parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of a movement signal's parts: speed, distance to the target, then each body part's x, y, p."""
    return (SPEED, TARGET, *(f"{part}_{axis}" for part in body_parts for axis in ("x", "y", "likelihood")))


class MovementPipeline:
    """The signal of a movement session; implements ``core.ports.Pipeline``.

    With ``reward_by = speed`` the value is the control point's speed, mm/s; with ``target`` it is minus its distance to
    the target circle's centre, mm, so that it rises as the point comes nearer, up to ``-target_radius_mm`` at the
    circle's edge.

    Parameters
    ----------
    estimator : PoseEstimator
        Open; not owned.
    settings : MovementSettings
    ppmm : float
        Pixels per mm.
    alive : callable
        Called at least every 0.1 s while the pose is waited for.

    Raises
    ------
    ValueError
        If the estimator knows no ``control_point``.
    """

    def __init__(
        self, estimator: PoseEstimator, settings: MovementSettings, ppmm: float, alive: Callable[[], None]
    ) -> None:
        if settings.control_point not in estimator.names:
            raise ValueError(f"no body part is called {settings.control_point}; known are {', '.join(estimator.names)}")
        self._estimator = estimator
        self._alive = alive
        self._names = part_names(estimator.names)
        self._point = estimator.names.index(settings.control_point)
        self._kinematics = Kinematics(settings, ppmm)
        self._start = StartCondition(settings, ppmm)
        self._by_target = settings.reward_by is RewardBy.target

    @property
    def names(self) -> tuple[str, ...]:
        """Names of ``Signal.parts``; see ``part_names``."""
        return self._names

    def update(self, frame: Frame) -> Signal:
        """Take the next frame, return its signal. Raises PoseError, after which the point's track begins anew."""
        try:
            points = self._estimator.estimate(frame, self._alive).points
        except PoseError:
            self._kinematics.lose()
            self._start.lose()
            raise
        x, y, likelihood = points[self._point].tolist()
        movement = self._kinematics.update(frame.time_ns, x, y, likelihood)
        waits = self._start.update(frame.time_ns, movement)
        value = -movement.target_mm if self._by_target else movement.speed_mm_s
        reason = "" if self._by_target and math.isfinite(value) else movement.reason
        parts = (movement.speed_mm_s, movement.target_mm, *points.ravel().tolist())
        return Signal(value, not reason, reason, parts, waits)
