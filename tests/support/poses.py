"""A pose estimator that a test scripts, in this process: where the points are, and when it is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from core.errors import PoseError, StillOpening
from core.values import Frame, Pose

Point = tuple[float, float, float]


class ScriptedPose:
    """PoseEstimator and Reconnectable.

    Parameters
    ----------
    where : callable
        Frame number to column, row and likelihood of its one body part ``fl_l``.
    lost : mapping of int to str
        Frames in which it fails, and what it says; once each.
    steps : int
        Calls of ``reconnect`` until it is back.
    """

    names = ("fl_l",)

    def __init__(self, where: Callable[[int], Point], lost: Mapping[int, str] | None = None, steps: int = 2) -> None:
        self._where = where
        self._left = dict(lost or {})
        self._steps = steps
        self._to_go = 0
        self.closed = False
        self.opened = 0

    @property
    def facts(self) -> Mapping[str, object]:
        return {"backend": "scripted", "opened": self.opened}

    def open(self, go_on: Callable[[str], bool]) -> None:
        assert go_on("opening")
        self.opened += 1

    def estimate(self, frame: Frame, alive: Callable[[], None]) -> Pose:
        assert not self.closed
        assert not self._to_go, "nobody asks one that is lost"
        alive()
        if frame.number in self._left:
            self._to_go = self._steps
            raise PoseError(f"pose: {self._left.pop(frame.number)}")
        return Pose(np.array([self._where(frame.number)], np.float64))

    def reconnect(self) -> None:
        self._to_go -= 1
        if self._to_go > 0:
            raise StillOpening("pose: is being opened again")
        self._to_go = 0
        self.opened += 1

    def close(self) -> None:
        self.closed = True
