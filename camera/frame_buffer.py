"""Where frames wait between the thread that grabs them and the loop that reads them: bounded, the oldest lost first."""

from __future__ import annotations

from collections import deque
from threading import Condition

import numpy as np

from camera.driver import Grabbed, Lost
from camera.tally import Tally, after_late
from core.losses import Losses
from core.values import Frame, Image, Report

_SPARE = 2  # one image in the reader's hand, one that is being written


class FrameBuffer:
    """A ring of images, made once, between one thread that puts and one that takes.

    One lock guards all of it; images are copied outside the lock, into memory that neither waits nor is in hand.

    Parameters
    ----------
    shape : (height, width, 3)
    dtype : {"uint8", "uint16"}
    size : int
        Frames that can wait.
    framerate : float
        Frames per second, for the tally.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: str, size: int, framerate: float) -> None:
        self._free = [np.zeros(shape, dtype) for _ in range(size + _SPARE)]
        self._waiting: deque[Frame] = deque()
        self._size = size
        self._in_hand: Image | None = None
        self._tally = Tally(framerate)
        self._error: Exception | None = None
        self._changed = Condition()

    @property
    def counts(self) -> dict[str, int]:
        """Frames lost or repeated, by cause; see Tally."""
        with self._changed:
            return dict(self._tally.counts)

    @property
    def waiting(self) -> int:
        """Frames that wait to be taken. Any thread."""
        with self._changed:
            return len(self._waiting)

    @property
    def lost_since(self) -> Losses:
        """Frames lost after the newest one, by cause; none while any waits. Any thread."""
        with self._changed:
            return () if self._waiting else self._tally.lost_since

    def put(self, grabbed: Grabbed) -> None:
        """Copy a frame in; the oldest that waits is lost if there is no room. Putter's thread."""
        with self._changed:
            place = self._tally.place(grabbed)
            if place is None:
                return
            image = self._free.pop()
        np.copyto(image, grabbed.image, casting="no")
        with self._changed:
            self._waiting.append(
                Frame(image, place.number, grabbed.time_ns, place.dropped, grabbed.sensor_ns, place.lost)
            )
            if len(self._waiting) > self._size:
                self._lose_oldest()
            self._changed.notify()

    def lose(self, lost: Lost) -> None:
        """Count frames that will not come. Putter's thread."""
        with self._changed:
            self._tally.lose(lost)

    def take(self, timeout_s: float) -> Frame | None:
        """Return the oldest frame, waiting for at most ``timeout_s`` (s); None when none came. Taker's thread.

        Its image stays as it is until the next call. Raises what ``fail`` was given once no frame waits.
        """
        with self._changed:
            if self._in_hand is not None:
                self._free.append(self._in_hand)
                self._in_hand = None
            self._changed.wait_for(lambda: self._waiting or self._error is not None, timeout_s)
            if self._waiting:
                frame = self._waiting.popleft()
                self._in_hand = frame.image
                return frame
            if self._error is not None:
                raise self._error.with_traceback(None)  # it may be raised many times
            return None

    def fail(self, error: Exception, time_ns: int) -> None:
        """Nothing more will be put, for this reason: the camera is lost. Any thread."""
        with self._changed:
            self._error = error
            self._tally.camera_lost(time_ns, str(error))
            self._changed.notify()

    def camera_lost(self, time_ns: int, why: str) -> None:
        """Frames have stopped; the next one tells for how long. Any thread."""
        with self._changed:
            self._tally.camera_lost(time_ns, why)

    def resume(self, time_ns: int, why: str) -> None:
        """Frames will be put again: what ``fail`` was given is past. Any thread."""
        with self._changed:
            self._error = None
            self._tally.camera_lost(time_ns, why)

    def take_reports(self) -> tuple[Report, ...]:
        """Return what has happened since the last look; see Tally. Any thread."""
        with self._changed:
            return self._tally.take_reports()

    def _lose_oldest(self) -> None:
        lost = self._waiting.popleft()
        self._free.append(lost.image)
        self._tally.late(lost.time_ns)
        oldest = self._waiting[0]
        self._waiting[0] = after_late(lost, oldest)
