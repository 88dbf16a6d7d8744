"""A look through a session's camera without a session: light on, frames in, a picture's worth of facts every second.

Owns the rig's locks and the lifetime of every part, as a session does; makes no folder and no file. What is drawn of it
is the business of the view, which a higher layer gives.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from brain.dff_map import DffMap, Float32
from brain.exposure import Exposure, judge_exposure
from core.errors import CameraError
from core.ports import Clock, EndOfSource, Interrupted, NotJudged, Queued
from core.values import SKIPPED, Frame, Level, Line, Signal, as_ns, as_seconds
from hardware.rig import Rig
from session.build import Options, Parts, refuse_missing
from session.camera_start import start_camera
from session.live_link import LiveLink
from session.locks import rig_locks
from session.prepare import InterruptedEarly, PrepareWatch, prepare
from session.preview_pages import PreviewPages
from session.settings import Settings
from session.silence import next_frame
from session.stop import StopRequest

PERIOD_NS = as_ns(1.0)
"""Frame time between two pictures; chosen because a person who turns a knob waits that long, and a picture takes a
fifth of it to draw."""
NO_MAP: Float32 = np.empty((0, 0), np.float32)
"""The dF/F map of an experiment that has none."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one picture shows.

    Attributes
    ----------
    frame : Frame
    time_s : float
        Since the first frame, s.
    fps : float
        Frames read per second since the last picture; NaN in the first one.
    lost : int
        Frames lost since the first.
    signal : Signal
        What a session would make of the frame; ``parts`` holds the dF/F of each ROI, or speed and pose.
    exposures : tuple of Exposure
        Of each ROI in each channel that is used; empty in movement experiments.
    dff : (height, width) float32
        dF/F of each pixel, a fraction; NaN where there is no baseline (yet). Without pixels in movement experiments.
    skipped : int
        Frames since the first that came while the pose was still estimated, in which none was looked for.
    recent : tuple of (float, float)
        Time since the first frame, s, and signal of each frame since the last picture; of movement experiments.
    """

    frame: Frame
    time_s: float
    fps: float
    lost: int
    signal: Signal
    exposures: tuple[Exposure, ...]
    dff: Float32
    skipped: int = 0
    recent: tuple[tuple[float, float], ...] = ()


class PreviewView(PrepareWatch):
    """What a person is shown; this one shows nothing. Called by the runner's thread."""

    def opened(self, names: tuple[str, ...], frame_shape: tuple[int, int, int]) -> None:
        """The parts are made, light and camera are still off; what takes long to set up is set up now.

        ``names`` are those of ``Sight.signal.parts``, ``frame_shape`` is (height, width, 3).
        """

    def warn(self, text: str) -> None:
        """Something is not as it should be, and the preview goes on."""

    def show(self, sight: Sight) -> None:
        """Show this. The camera may reuse the image's memory when this has returned."""


@dataclass(frozen=True, slots=True)
class PreviewResult:
    """What a preview came to.

    Attributes
    ----------
    end : {"stopped", "seconds", "source_ended"}
        A person stopped it; the time it was given is over; the recording ended.
    pictures, frames : int
        How many were shown, and read.
    time_s : float
        From the first frame to the last, s.
    """

    end: str
    pictures: int
    frames: int
    time_s: float


def run_preview(
    settings: Settings, options: Options, clock: Clock, stop: StopRequest, view: PreviewView, seconds: float | None,
    link: LiveLink | None = None,
) -> PreviewResult:  # fmt: skip
    """Show the first frame and then one every second of frame time, until a person stops it.

    Parameters
    ----------
    seconds : float or None
        End by itself after so much frame time, s.
    link : LiveLink or None
        Through which pages see every frame.

    Raises
    ------
    InputError
        A source, device or lock that is not to be had.
    CameraTimeout
        No frame for ``camera_timeout_s``.
    CameraError, OutputError
        A device failed. With each of them, too, outputs are off and all is closed.
    PoseError
        The pose estimator failed; the same holds.
    """
    refuse_missing(settings, options)
    with ExitStack() as held:
        # As a session does, before a device is opened: one may be using it.
        for lock in rig_locks(settings.outputs.rig, settings.mouse) if options.on_rig else ():
            held.enter_context(lock)
        try:
            parts = prepare(settings, options, clock, stop, view)
        except InterruptedEarly:
            return PreviewResult("stopped", 0, 0, 0.0)
        # Closed last to first: outputs, then the camera, then the pose estimator.
        if parts.pose is not None:
            held.callback(parts.pose.close)
        held.callback(parts.camera.close)
        held.callback(_shut, parts.rig)
        view.opened(parts.pipeline.names, parts.camera.frame_shape)
        pages = PreviewPages(link, settings, clock, stop, view.warn)
        pages.open(parts, options.live)
        try:
            start_camera(parts.camera, lambda: not stop)
        except Interrupted:
            return PreviewResult("stopped", 0, 0, 0.0)
        parts.rig.settle()
        parts.rig.check_lost()
        # The light alone: the behaviour camera's trigger would make it record.
        parts.rig.apply(Level(Line.LIGHT, True), 0)
        result = _Preview(settings, parts, clock, stop, view, pages).run(math.inf if seconds is None else seconds)
        pages.close(f"the preview has ended: {result.end}")
        return result


def _shut(rig: Rig) -> None:
    """Close the rig; raise what failed first."""
    for failure in rig.close():
        raise failure


class _Preview:
    """One preview whose camera runs."""

    def __init__(
        self, settings: Settings, parts: Parts, clock: Clock, stop: StopRequest, view: PreviewView, pages: PreviewPages
    ) -> None:
        self._pages = pages
        self._settings = settings
        self._parts = parts
        self._clock = clock
        self._stop = stop
        self._view = view
        moves = settings.kind == "clmf"
        self._map = None if moves else DffMap(settings.dff, parts.camera.frame_shape)
        # As in a session, the newest frame is judged where the pose takes longer than a frame.
        self._queue = parts.camera if moves and isinstance(parts.camera, Queued) else None
        self._recent: list[tuple[float, float]] = []
        self._frames = self._lost = self._skipped = self._pictures = 0
        self._since_picture = 0
        self._first_ns = self._last_ns = self._picture_ns = self._due_ns = 0

    def run(self, seconds: float) -> PreviewResult:
        """Read and show until the end."""
        frame: Frame | None = None
        while True:
            try:
                frame = next_frame(
                    self._parts.camera, self._settings.camera, self._clock, self._stop, self._alive, frame
                )
            except EndOfSource:
                return self._result("source_ended")
            if frame is None:
                return self._result("stopped")
            if not self._frames:
                self._first_ns = self._due_ns = self._last_ns = frame.time_ns
            if as_seconds(frame.time_ns - self._first_ns) >= seconds:
                return self._result("seconds")
            self._last_ns = frame.time_ns
            try:
                self._take(frame)
            except EndOfSource:
                return self._result("source_ended")

    def _alive(self) -> None:
        """Tell the keeper of the lines that somebody waits, and pages what is new."""
        self._parts.rig.alive()
        self._pages.look()

    def _signal(self, frame: Frame) -> Signal:
        """Return what a session would make of a frame; of one that a replayed log had skipped, nothing."""
        pipeline = self._parts.pipeline
        try:
            return pipeline.update(frame)
        except NotJudged:
            return Signal(math.nan, False, SKIPPED, (math.nan,) * len(pipeline.names))

    def _take(self, frame: Frame) -> None:
        """Bring the signal one frame further; show the frame if a picture is due."""
        read_ns = self._clock.now_ns()
        self._check(frame)
        self._parts.rig.reports()
        self._parts.rig.check_lost()
        self._frames += 1
        self._since_picture += 1
        self._lost += frame.dropped
        self._pages.count(frame)
        if self._queue is not None and self._queue.waiting:
            self._skipped += 1
            return
        signal = self._signal(frame)
        self._pages.show(frame, signal, read_ns)
        if self._map is None:
            self._recent.append((as_seconds(frame.time_ns - self._first_ns), signal.value))
        if frame.time_ns >= self._due_ns:
            self._view.show(self._sight(frame, signal))
            self._pictures += 1
            self._since_picture = 0
            self._recent.clear()
            self._picture_ns = frame.time_ns
            # A second that had no frame has no picture.
            self._due_ns += PERIOD_NS * (1 + (frame.time_ns - self._due_ns) // PERIOD_NS)
        if self._map is not None:
            self._map.remember(frame.image, frame.time_ns)

    def _check(self, frame: Frame) -> None:
        """Raise CameraError for an image that is not what the camera said it would give."""
        camera, image = self._parts.camera, frame.image
        if (image.shape, image.dtype.name) != (camera.frame_shape, camera.frame_dtype):
            raise CameraError(
                f"camera {self._settings.camera.vid_source.value}: frame {frame.number} is {image.shape} "
                f"{image.dtype}, declared were {camera.frame_shape} {camera.frame_dtype}; check its format"
            )

    def _sight(self, frame: Frame, signal: Signal) -> Sight:
        """Gather what the picture shows."""
        since_ns = frame.time_ns - self._picture_ns
        return Sight(
            frame=frame,
            time_s=as_seconds(frame.time_ns - self._first_ns),
            fps=self._since_picture / as_seconds(since_ns) if self._pictures else math.nan,
            lost=self._lost,
            signal=signal,
            exposures=judge_exposure(frame.image, self._settings.rois, self._settings.dff.dff_mode),
            dff=NO_MAP if self._map is None else self._map.against_baseline(frame.image),
            skipped=self._skipped,
            recent=tuple(self._recent),
        )

    def _result(self, end: str) -> PreviewResult:
        """Gather the counts."""
        return PreviewResult(end, self._pictures, self._frames, as_seconds(self._last_ns - self._first_ns))
