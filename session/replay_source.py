"""What a session is replayed from: a camera that gives its frames again, and what measures them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from behavior.replay_pose import ReplayPose
from brain.settings import DffMode, DffSettings
from core.errors import CameraTimeout, PoseError, SourceError
from core.ports import EndOfSource, Pipeline
from core.values import POSE_LOST, SKIPPED, Frame, Image, Pose, Signal, as_ns
from recording.problems import FILE_ERRORS, describe
from recording.recorded import RecordedSession, check_all_images, count_images
from recording.tables import Bools, FrameTable


class RecordedImages:
    """The images of a session, one at a time; a black one where a frame has none.

    Parameters
    ----------
    session : RecordedSession
        Closes the file.
    shape : (height, width, 3)
        Of the frames, where no image tells.

    Attributes
    ----------
    shape : (height, width, 3)
    dtype : str
        ``"uint8"`` or ``"uint16"``.
    missing : ndarray, (n,) bool
        The frames that have no image.

    Raises
    ------
    SourceError
        The file of images is damaged.
    """

    def __init__(self, session: RecordedSession, shape: tuple[int, int, int]) -> None:
        check_all_images(session)
        self._path = session.image_path
        self._index = session.frames.image
        count = count_images(session) if (self._index >= 0).any() else 0
        self._images = session.images() if count else None
        height, width, channels = shape if self._images is None else self._images.shape[1:]
        self.shape = int(height), int(width), int(channels)
        self.dtype = "uint8" if self._images is None else str(self._images.dtype)
        self.missing: Bools = (self._index < 0) | (self._index >= count)
        self._black = np.zeros(self.shape, self.dtype)

    def read(self, row: int) -> Image:
        """Return the image of a row of the log. Raises SourceError."""
        if self._images is None or self.missing[row]:
            return self._black
        try:
            image: Image = self._images[int(self._index[row])]
        except FILE_ERRORS as error:
            raise SourceError(describe("read", self._path, error)) from error
        return image


class NoImages:
    """Black frames in place of a behaviour video, which nothing looks at: poses come from the log."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        self.dtype = "uint8"
        self._black = np.zeros(shape, np.uint8)

    def read(self, row: int) -> Image:
        """Return the black image, the same for every row."""
        del row
        return self._black


class RecordedFrames:
    """FrameSource: the frames of a log in their order, with their numbers and times. Used by one thread.

    Parameters
    ----------
    table : FrameTable
    images : RecordedImages or NoImages
    stop_after : collection of int
        Numbers after which it times out once, so that what came between two frames can be given; 0: at the beginning.
    rows : int
        So many rows are given.
    seen : callable
        Told with each frame how many were given before.
    """

    def __init__(
        self,
        table: FrameTable,
        images: RecordedImages | NoImages,
        stop_after: Mapping[int, object],
        rows: int,
        seen: Callable[[int], None],
    ) -> None:
        self._table = table
        self._images = images
        self._stop_after = stop_after
        self._rows = rows
        self._seen = seen
        self._row = 0
        self._stopped = False
        judged = np.flatnonzero(table.reason[:rows] != SKIPPED)
        self._judged = table.frame[judged].tolist()
        self._next_judged = 0
        self.last = 0

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame. Raises EndOfSource, and CameraTimeout where something is to be done before it."""
        del timeout_s  # it never waits
        if self.last in self._stop_after and not self._stopped:
            self._stopped = True
            raise CameraTimeout(f"something came after frame {self.last}")
        row, table = self._row, self._table
        self._seen(row)
        if row >= self._rows:
            raise EndOfSource
        self._stopped = False
        self._row = row + 1
        self.last = int(table.frame[row])
        return Frame(
            self._images.read(row), self.last, int(table.time_ns[row]), int(table.dropped[row]),
            int(table.sensor_ns[row]),
        )  # fmt: skip

    @property
    def next_judged(self) -> int:
        """Number of the next frame that is judged, 0 where there is none."""
        while self._next_judged < len(self._judged) and self._judged[self._next_judged] <= self.last:
            self._next_judged += 1
        return self._judged[self._next_judged] if self._next_judged < len(self._judged) else 0


class LoggedPose:
    """PoseEstimator: the poses of a session's own log, lost again where they were lost.

    Parameters
    ----------
    session : RecordedSession
    shape : (int, int, int)
        Of its frames.
    """

    def __init__(self, session: RecordedSession, shape: tuple[int, int, int]) -> None:
        table = session.frames
        self._lost = frozenset(table.frame[table.reason == POSE_LOST].tolist())
        self._log = ReplayPose(str(session.folder), shape, "uint8", lambda _: session)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the body parts in the log; empty before ``open``."""
        return self._log.names

    def open(self, go_on: Callable[[str], bool] = lambda _: True) -> None:
        """Read the poses. Raises InputError where the log has none."""
        self._log.open(go_on)

    def estimate(self, frame: Frame, alive: Callable[[], None]) -> Pose:
        """Return the pose of this frame. Raises PoseError where it was lost, NotJudged where the frame was skipped."""
        if frame.number in self._lost:
            raise PoseError(f"pose: lost in frame {frame.number} when it was recorded")
        return self._log.estimate(frame, alive)

    def close(self) -> None:
        """Forget the poses."""
        self._log.close()


class RecordedSignals:
    """Pipeline: today's one, but for frames whose signal cannot be computed again.

    Parameters
    ----------
    inner : Pipeline
        Sees every frame, a black one where the image is missing, so that its history of times is whole.
    table : FrameTable
    lacking : ndarray, (n,) bool
        Rows whose signal is not that of ``inner``.
    instead : Signal or None
        Their signal; None: what was recorded.
    """

    def __init__(self, inner: Pipeline, table: FrameTable, lacking: Bools, instead: Signal | None = None) -> None:
        self._inner = inner
        self._table = table
        self._lacking = lacking
        self._instead = instead
        self._compute = not lacking.all()
        self._row = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts."""
        return self._inner.names

    def update(self, frame: Frame) -> Signal:
        """Return the signal of the next frame."""
        row, table = self._row, self._table
        self._row += 1
        signal = self._inner.update(frame) if self._compute else None
        if signal is not None and not self._lacking[row]:
            return signal
        if self._instead is not None:
            return self._instead
        parts = tuple(table.parts[row].tolist())
        return Signal(float(table.signal[row]), bool(table.valid[row]), str(table.reason[row]), parts)


def cannot_compute(table: FrameTable, missing: Bools, dff: DffSettings) -> Bools:
    """Return the rows whose dF/F needs an image that is missing: its own, or one in its baseline.

    A slope of green on blue (``blue_regressed``) is taken over dF/F that had a baseline each: it reaches back twice as
    far.
    """
    reach_ns = as_ns(dff.dff_history) * (2 if dff.dff_mode is DffMode.blue_regressed else 1)
    gone = np.flatnonzero(missing)
    if not len(gone):
        return missing
    newest = np.searchsorted(gone, np.arange(len(table)), side="right") - 1
    since = table.time_ns - table.time_ns[gone[np.maximum(newest, 0)]]
    lacking: Bools = (newest >= 0) & (since <= reach_ns)
    return lacking
