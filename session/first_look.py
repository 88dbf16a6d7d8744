"""A session's first look at its camera: are the ROIs neither saturated nor dark, before anything is played or paid?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from brain.exposure import Exposure, judge_exposure
from camera.settings import OFFLINE
from core.losses import Losses
from core.ports import Camera, Clock, Counting, EndOfSource, Losing, Queued, Reporter
from core.values import Frame, as_ns
from session.settings import Settings
from session.silence import next_frame
from session.stop import StopRequest

SETTLE_S = 0.5
"""How long a real camera is looked at before its image is judged, s: the light has just come on, and a driver may have
frames waiting from before. Chosen as several times the longest that LEDs, shutters and queues of frames take."""


class Look(NamedTuple):
    """What the first look found.

    Attributes
    ----------
    exposures : tuple of Exposure
        Of the image that was judged; empty where none came.
    time_ns : int
        Its capture time, ns; 0 where none came.
    first : Frame or None
        The frame that the session begins with; None where it begins with the next one that the camera gives.
    """

    exposures: tuple[Exposure, ...] = ()
    time_ns: int = 0
    first: Frame | None = None


class PutBack:
    """Reads a camera, after a frame that was put back. Called by the runner's thread alone."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        if isinstance(camera, Reporter):
            # Only a camera that tells of itself makes this one a Reporter.
            self.reports = camera.reports
        self._queue = camera if isinstance(camera, Queued) else None
        self._frame: Frame | None = None

    @property
    def waiting(self) -> int:
        """Frames that wait in the camera's queue, where it has one."""
        return self._queue.waiting if self._queue is not None else 0

    @property
    def counts(self) -> Mapping[str, int]:
        """Frames that the camera did not give, where it counts them."""
        return self._camera.counts if isinstance(self._camera, Counting) else {}

    @property
    def lost_since(self) -> Losses:
        """Frames lost after the one that was read last, where the camera knows them."""
        return self._camera.lost_since if self._frame is None and isinstance(self._camera, Losing) else ()

    def put_back(self, frame: Frame | None) -> None:
        """Give this frame out at the next ``read``. Nothing may be read from the camera before: it reuses memory."""
        self._frame = frame

    def read(self, timeout_s: float) -> Frame:
        """Return the frame that was put back, once; else the camera's next. Raises what ``camera.read`` raises."""
        if self._frame is None:
            return self._camera.read(timeout_s)
        frame, self._frame = self._frame, None
        return frame


def first_look(camera: Camera, settings: Settings, clock: Clock, stop: StopRequest, alive: Callable[[], None]) -> Look:
    """Judge the exposure of a camera that has just been started.

    Of a recording, a scene or a simulated mouse the first frame is judged, and is the session's first: not one is lost,
    at whatever pace. What a real camera gives in its first ``SETTLE_S`` is looked at only; the last of it is judged,
    and the session begins with the frame after it. On a stop, and at the end of a source that has no frame, nothing is
    judged: the loop meets it, too. ``alive`` is called at least every ``LOOK_S``. Raises CameraTimeout and CameraError,
    as the loop does.
    """
    settle_ns = 0 if settings.camera.vid_source in OFFLINE else as_ns(SETTLE_S)
    try:
        first = frame = next_frame(camera, settings.camera, clock, stop, alive)
        while first is not None and frame is not None and frame.time_ns - first.time_ns < settle_ns:
            frame = next_frame(camera, settings.camera, clock, stop, alive, frame)
    except EndOfSource:
        return Look()
    if frame is None:
        return Look()
    exposures: tuple[Exposure, ...] = ()
    # An image that is not what the camera declared is for pipeline and recorder to refuse, as any later one.
    if (frame.image.shape, frame.image.dtype.name) == (camera.frame_shape, camera.frame_dtype):
        exposures = judge_exposure(frame.image, settings.rois, settings.dff.dff_mode)
    return Look(exposures, frame.time_ns, None if settle_ns else frame)
