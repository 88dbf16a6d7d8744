"""Poses of a recorded log, by the numbers of the frames: a session again without its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from behavior.pose_points import Points, Shape, check_frame, not_found, tidy
from core.errors import InputError, PoseError, SourceError
from core.ports import EndOfSource, Interrupted, NotJudged
from core.values import SKIPPED, Frame, Pose
from recording.reader import open_session
from recording.recorded import RecordedSession

AXES = ("_x", "_y", "_likelihood")


class ReplayPose:
    """PoseEstimator and Described; reads the whole log when it is opened, and works in the loop's own thread.

    A frame that the log does not have, or that was skipped when it was recorded, has no body part.

    Parameters
    ----------
    log : str
        A session folder, or a log of CLoPy's.
    shape : (int, int, int)
        Of the frames that will be shown; their images are not looked at.
    dtype : {"uint8", "uint16"}
    read : callable
        Reads the log; another one for tests. Raises SourceError.
    """

    def __init__(
        self, log: str, shape: Shape, dtype: str, read: Callable[[Path], RecordedSession] = open_session
    ) -> None:
        if not log:
            raise InputError("pose_log is not set; give the folder of a recorded movement session")
        self._log = Path(log).expanduser()
        self._shape = shape
        self._dtype = dtype
        self._read = read
        self._names: tuple[str, ...] = ()
        self._points: Points = not_found(0)
        self._rows: dict[int, int] = {}
        self._missing = 0
        self._skipped: frozenset[int] = frozenset()
        self._last = 0
        self._state = "it is not open; call open() first"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the body parts in the log; empty before ``open``."""
        return self._names

    @property
    def facts(self) -> Mapping[str, object]:
        """The log, its body parts, and how many frames were asked for that it does not have; empty before ``open``."""
        if not self._names:
            return {}
        return {
            "backend": "replay",
            "log": str(self._log),
            "bodyparts": list(self._names),
            "poses": len(self._rows),
            "missing": self._missing,
        }

    def open(self, go_on: Callable[[str], bool]) -> None:
        """Read the log. As PoseEstimator says; InputError, too, for a log without poses."""
        if self._names or self._state.startswith("it is closed"):
            raise PoseError("pose: opened or closed before; make a new one")
        if not go_on("reading the log"):
            raise Interrupted
        try:
            with self._read(self._log) as session:
                self._check_size(session)
                self._names, self._points, self._rows = read_poses(session, self._log)
                numbers = session.frames.frame
                self._skipped = frozenset(numbers[session.frames.reason == SKIPPED].tolist())
                self._last = int(numbers.max()) if len(numbers) else 0
        except SourceError as error:
            raise InputError(f"pose_log = {self._log}: {error}") from error
        self._state = ""

    def estimate(self, frame: Frame, alive: Callable[[], None]) -> Pose:  # noqa: ARG002 - nobody waits for it
        """Return the pose that was recorded for the frame of this number."""
        if self._state:
            raise PoseError(f"pose: {self._state}")
        check_frame(frame, self._shape, self._dtype)
        if frame.number > self._last:
            raise EndOfSource(f"pose_log = {self._log}: it ends with frame {self._last}")
        if frame.number in self._skipped:
            raise NotJudged
        row = self._rows.get(frame.number)
        if row is None:
            self._missing += 1
            return Pose(not_found(len(self._names)))
        return Pose(self._points[row].copy())

    def _check_size(self, session: RecordedSession) -> None:
        """Raise InputError for the log of frames of another size: its pixels are not these."""
        settings = session.meta.get("settings")
        size = settings.get("resolution") if isinstance(settings, dict) else None
        height, width, _ = self._shape
        if isinstance(size, list | tuple) and tuple(size) != (width, height):
            raise InputError(
                f"pose_log = {self._log}: its frames were {' x '.join(f'{side:g}' for side in size)} px, and these are "
                f"{width} x {height} px; give the log of this recording"
            )

    def close(self) -> None:
        """Forget the log; twice is legal."""
        self._state = "it is closed; make a new one"
        self._points, self._rows = not_found(0), {}


def read_poses(session: RecordedSession, log: Path) -> tuple[tuple[str, ...], Points, dict[int, int]]:
    """Return the poses of a session.

    Returns
    -------
    names : tuple of str
    points : ndarray, (rows, parts, 3) float64
    rows : dict
        Frame number to row, without frames that were skipped.

    Raises
    ------
    InputError
        Its log has none.
    """
    columns = session.part_names
    names = tuple(
        name.removesuffix(AXES[0])
        for name in columns
        if name.endswith(AXES[0]) and all(name.removesuffix(AXES[0]) + axis in columns for axis in AXES)
    )
    if not names:
        there = ", ".join(columns) or "none"
        raise InputError(
            f"pose_log = {log}: no poses in this log (its columns: {there}); give that of a movement session, which "
            "has PART_x, PART_y and PART_likelihood"
        )
    index = [columns.index(name + axis) for name in names for axis in AXES]
    flat = session.frames.parts[:, index].reshape(-1, len(AXES))
    points = tidy(flat).reshape(-1, len(names), len(AXES))
    numbers, judged = session.frames.frame.tolist(), session.frames.reason != SKIPPED
    return names, points, {numbers[row]: int(row) for row in np.flatnonzero(judged)}
