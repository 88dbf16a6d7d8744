"""Frames that wait while an older one is judged: recorded, and not judged, so that what is judged is new."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from core.errors import CameraError, CameraTimeout
from core.ports import EndOfSource, Pipeline, Queued
from core.values import SKIPPED, Frame, Signal, TrialInput
from recording.schema import FrameRow, SideRow, TimingRow
from session.loop_rows import frame_row, side_rows
from session.status import Status

RECORDING = "recording"
"""Cause of a skip that is that of the session whose poses are replayed."""

ReadNext = Callable[[float], tuple[Frame, int]]
"""Returns the camera's next frame, which is after the one before, and when it was read; raises as ``Loop.turn``."""


class RowSink(Protocol):
    """What takes frames and their rows."""

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Take one frame and all that came of it. Raises RecordingError."""


class Skipping:
    """Records frames that are not judged. Called by the loop, in its thread.

    Parameters
    ----------
    queue : Queued or None
        Where frames wait; None where each is to be judged.
    read_next : callable
    recorder, status, pipeline
        The loop's.
    note : callable
        Logs an event: its kind and detail.
    tells : bool
        Whether the camera tells of its losses itself.
    """

    def __init__(
        self, queue: Queued | None, read_next: ReadNext, recorder: RowSink, status: Status, pipeline: Pipeline,
        note: Callable[[str, str], None], *, tells: bool,
    ) -> None:  # fmt: skip
        self._queue = queue
        self._read_next = read_next
        self._recorder = recorder
        self._status = status
        self._pipeline = pipeline
        self._note = note
        self._tells = tells
        self._waited_for = ""

    def to_newest(self, frame: Frame, read_ns: int, measured_ns: int) -> tuple[Frame, int]:
        """Record all frames that wait but the newest, which is returned, with the time when it was read.

        Parameters
        ----------
        frame : Frame
            The oldest, read at ``read_ns``.
        measured_ns : int
            How long the signal of the last frame that was judged took.
        """
        before_ns, skipped = self._status.now_ns, 0
        try:
            for _ in range(self._waiting()):
                self.record(frame, read_ns)
                skipped += 1
                frame, read_ns = self._read_next(0.0)
        finally:
            if skipped:
                # Of the time for which frames waited the model took most, or something else held the loop up.
                slow = 2 * measured_ns >= frame.time_ns - before_ns
                self._count(skipped, self._waited_for or ("inference" if slow else "late"))
        self._waited_for = ""
        return frame, read_ns

    def waiting(self, name: str) -> None:
        """Record the frames that wait while a device is opened again, so that their queue does not overflow.

        A camera that fails meanwhile is for the next turn to find. Raises RecordingError.
        """
        self._waited_for = f"{name} lost"
        skipped = 0
        try:
            for _ in range(self._waiting()):
                try:
                    frame, read_ns = self._read_next(0.0)
                except CameraTimeout:
                    continue  # it came again, which is logged
                self.record(frame, read_ns)
                skipped += 1
        except (CameraError, EndOfSource):
            pass
        if skipped:
            self._count(skipped, self._waited_for)

    def record(self, frame: Frame, read_ns: int) -> None:
        """Record a frame that is not judged; the trial's state stays what it is."""
        status = self._status
        nothing = Signal(math.nan, False, SKIPPED, (math.nan,) * len(self._pipeline.names))
        row = frame_row(frame, nothing, status.state, 0, 0)._replace(outcome=0)
        dropped = 0 if self._tells else frame.dropped
        side = side_rows(frame, dropped, row.trial, TrialInput(frame.time_ns, nothing), ())
        self._recorder.write(frame, row, TimingRow(frame.number, read_ns, 0, 0, 0), side)
        status.take(frame)

    def _waiting(self) -> int:
        return self._queue.waiting if self._queue is not None else 0

    def _count(self, frames: int, cause: str) -> None:
        self._status.skip(frames, cause)
        self._note("skip", f"{frames} {cause}")
