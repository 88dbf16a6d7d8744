"""Gives an offline source the pace and the failings of a real camera."""

from __future__ import annotations

from collections import deque

from camera.lifecycle import Lifecycle
from camera.tally import after_late
from core.errors import CameraTimeout
from core.ports import Camera, Clock, EndOfSource
from core.values import Frame, as_ns, as_seconds

RING_FRAMES = 8


class Paced:
    """Delivers the frames of an offline camera when they are due on the host's clock.

    The first frame is due when ``start`` returns, at host time t0; frame k at ``t0 + (time_k - time_0)``, which is the
    ``time_ns`` it carries: differences between times are the recorded ones, exactly. A reader that is late finds the
    due frames waiting in a ring of ``ring_frames``; older ones are lost (``late``) and counted in ``dropped`` of the
    next, as with a real camera. Frames are fetched ahead of their time, within ``read`` and before it sleeps, so no
    thread is needed and a slow disk does not delay a frame; hence the source must be one that does not answer to what
    the rig does.

    Parameters
    ----------
    source : Camera
        A replay or synthetic camera that delivers at once, with times of its own; owned and closed by this one.
    clock : Clock
        The host's clock; the only thing that is asked for the time, or slept on.
    ring_frames : int
        Due frames that can wait, at least 1. 8 is a quarter of a second at 30 frames/s, more than any stall seen in
        the loop, and no more than a driver's own queue.
    """

    def __init__(self, source: Camera, clock: Clock, ring_frames: int = RING_FRAMES) -> None:
        if ring_frames < 1:
            raise ValueError(f"ring_frames is {ring_frames}; a ring needs room for at least 1 frame")
        self._source = source
        self._clock = clock
        self._ring: deque[Frame] = deque()
        self._size = ring_frames
        self._coming: Frame | None = None
        self._ended = False
        self._shift_ns = 0
        self._life = Lifecycle("paced camera")

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(height, width, 3), as the source's."""
        return self._source.frame_shape

    @property
    def frame_dtype(self) -> str:
        """As the source's."""
        return self._source.frame_dtype

    @property
    def expected_frames(self) -> int | None:
        """Frames the source holds; as many come, less those that a late reader loses."""
        return self._source.expected_frames

    @property
    def waiting(self) -> int:
        """Frames that are due, which ``read`` would return at once."""
        if self._life.running:
            self._collect(self._clock.now_ns())
        return len(self._ring)

    def start(self) -> None:
        """Start the source, fetch its first frame and start the clock on it. Raises CameraError."""
        self._life.start()
        self._source.start()
        first = self._peek()
        if first is not None:
            self._shift_ns = self._clock.now_ns() - first.time_ns
            self._coming = first._replace(time_ns=first.time_ns + self._shift_ns)

    def read(self, timeout_s: float) -> Frame:
        """Return the oldest frame that waits, or sleep until the next one is due, for at most ``timeout_s`` (s).

        Raises EndOfSource after the last frame; CameraTimeout, having slept for ``timeout_s``, when the next is further
        away; CameraError as the source does.
        """
        self._life.check_readable()
        now = self._clock.now_ns()
        coming = self._collect(now)
        if self._ring:
            return self._ring.popleft()
        if coming is None:
            raise EndOfSource("all frames of the source have been delivered")
        self._sleep_until_due(coming.time_ns, now, timeout_s)
        self._coming = None
        return coming

    def close(self) -> None:
        """Close the source; twice is legal."""
        if self._life.close():
            self._ring.clear()
            self._coming = None
            self._source.close()

    def _sleep_until_due(self, due_ns: int, now_ns: int, timeout_s: float) -> None:
        last = now_ns + as_ns(timeout_s)
        if due_ns > last:
            self._clock.sleep_until_ns(last)
            raise CameraTimeout(
                f"no frame within {timeout_s:g} s: the next one was due {as_seconds(due_ns - now_ns):.3f} s after it "
                "was asked for; allow more with camera_timeout_s"
            )
        self._clock.sleep_until_ns(due_ns)

    def _collect(self, now_ns: int) -> Frame | None:
        """Move every frame that is due into the ring, the oldest being lost on overflow; return the one after them."""
        while (coming := self._peek()) is not None and coming.time_ns <= now_ns:
            self._ring.append(coming)
            self._coming = None
            if len(self._ring) > self._size:
                lost = self._ring.popleft()
                self._ring[0] = after_late(lost, self._ring[0])
        return coming

    def _peek(self) -> Frame | None:
        """Return the source's next frame with its time on the host's clock, fetched ahead; None at the end."""
        if self._coming is None and not self._ended:
            try:
                frame = self._source.read(0.0)
            except EndOfSource:
                self._ended = True
                return None
            # The source may use the image's memory again at its next read, which may come while this frame still waits.
            self._coming = frame._replace(image=frame.image.copy(), time_ns=frame.time_ns + self._shift_ns)
        return self._coming
