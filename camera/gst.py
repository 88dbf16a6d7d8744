"""Cameras behind a GStreamer source: frames from an appsink, times from the pipeline's clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from camera.driver import Grabbed
from camera.gi_import import load_glib, load_gstreamer
from camera.gst_gaps import GapCount
from camera.settings import CameraSettings
from core.errors import CameraError
from core.values import Image, as_ns

BUFFERS = 8
"""Frames that the appsink holds for a thread that is late; the oldest goes first, and is counted."""
FIRST_FRAME_S = 10.0
"""Longest wait for the first frame, s: a CSI camera's daemon takes seconds."""
LOOK_S = 0.1
"""So often is the pipeline asked meanwhile whether it has failed, s."""
RATE_WITHIN = 0.01
_SINK = "rigloop"


class GstDriver:
    """One source. GStreamer's own threads run from ``open`` to ``close``; frames before ``start`` are thrown away.

    A frame's time is its PTS on the pipeline's clock, which is made to be CLOCK_MONOTONIC. Frames that were lost are
    those that its count leaves out (``v4l2src`` and ``videotestsrc`` count in the buffers' offsets), else those for
    which there is room between two PTS; where they were lost cannot be told, so their cause is ``driver``.

    Parameters
    ----------
    settings : CameraSettings
    source : str
        A pipeline as for gst-launch-1.0, without its sink.
    name : str
        For messages.
    made : bool
        Whether the source was made from the keys of config.ini, or is what ``camera_pipeline`` says.
    """

    def __init__(self, settings: CameraSettings, source: str, name: str = "gst camera", made: bool = False) -> None:
        self._settings = settings
        self._source = source.strip().rstrip("! ")
        self.name = name
        self.identity = self._source  # GStreamer knows no more of what stands behind it
        self._made = made
        self._gst: Any = None
        self._pipeline: Any = None
        self._sink: Any = None
        self._gaps = GapCount(settings.framerate)

    def open(self) -> Mapping[str, object]:
        """Start the pipeline, wait for a frame, and check its size and rate. Raises CameraError."""
        self._gst = load_gstreamer()
        self._pipeline = self._parse()
        self._sink = self._pipeline.get_by_name(_SINK)
        clock = self._gst.SystemClock.obtain()
        self._pipeline.use_clock(clock)  # a source's own clock would not be the host's
        self._pipeline.set_state(self._gst.State.PLAYING)
        caps = self._first_sample().get_caps().get_structure(0)
        return {**self._check_caps(caps), **self._facts()}

    def start(self) -> None:
        """Throw away what has come so far."""
        while self._sink.try_pull_sample(0) is not None:
            pass
        self._gaps = GapCount(self._settings.framerate)

    def grab(self, timeout_s: float) -> Grabbed | None:
        """Return the next frame; see Driver. Raises CameraError when the source failed or ended."""
        sample = self._sink.try_pull_sample(as_ns(timeout_s))
        if sample is None:
            self._check_alive()
            return None
        buffer = sample.get_buffer()
        if buffer.pts == self._gst.CLOCK_TIME_NONE:
            raise self._error("a frame without a time came", "use a live source, such as v4l2src")
        running = sample.get_segment().to_running_time(self._gst.Format.TIME, buffer.pts)
        offset = None if buffer.offset == self._gst.BUFFER_OFFSET_NONE else buffer.offset
        lost = self._gaps.lost_before(running, offset)
        time_ns = self._pipeline.get_base_time() + running
        return Grabbed(self._image(buffer), time_ns, buffer.pts, lost, "driver" if lost else "")

    def close(self) -> None:
        """Stop the pipeline."""
        pipeline, self._pipeline, self._sink = self._pipeline, None, None
        if pipeline is not None:
            pipeline.set_state(self._gst.State.NULL)

    def _parse(self) -> Any:
        sink = f"appsink name={_SINK} max-buffers={BUFFERS} drop=true sync=false caps=video/x-raw,format=BGR"
        try:
            return self._gst.parse_launch(f"{self._source} ! videoconvert ! {sink}")
        except load_glib().Error as error:
            cure = "try it with gst-launch-1.0, ending in fakesink"
            if self._made:
                cure = "is this a Jetson with its GStreamer plugins? For another source set camera_pipeline"
            raise self._error(error.message, cure) from error

    def _first_sample(self) -> Any:
        for _ in range(round(FIRST_FRAME_S / LOOK_S)):
            sample = self._sink.try_pull_sample(as_ns(LOOK_S))
            if sample is not None:
                return sample
            self._check_alive()
        raise self._error(f"no frame came within {FIRST_FRAME_S:g} s", "see to the camera and its cable")

    def _check_alive(self) -> None:
        """Raise CameraError when the pipeline has put an error, or its end, on its bus."""
        kinds = self._gst.MessageType.ERROR | self._gst.MessageType.EOS
        message = self._pipeline.get_bus().pop_filtered(kinds)
        if message is None and not self._sink.is_eos():
            return
        if message is None or message.type == self._gst.MessageType.EOS:
            raise self._error("the source has ended", "use a live source, that does not end")
        error, details = message.parse_error()
        raised = self._error(error.message, "see to the camera and its cable")
        raised.details = details or ""
        raise raised

    def _check_caps(self, caps: Any) -> dict[str, object]:
        had = (caps.get_int("width")[1], caps.get_int("height")[1])
        if had != self._settings.resolution:
            wide, high = self._settings.resolution
            raise self._error(
                f"frames are {had[0]}x{had[1]} px, wanted is {wide}x{high}", "change resolution or camera_pipeline"
            )
        told, above, below = caps.get_fraction("framerate")
        if not told or above == 0:
            return {"framerate": "not told"}
        rate, wanted = above / below, self._settings.framerate
        if abs(rate - wanted) > RATE_WITHIN * wanted:
            text = f"it gives {rate:g} frames/s, wanted is {wanted:g}"
            raise self._error(text, "change framerate or camera_pipeline")
        return {"framerate": rate}

    def _facts(self) -> dict[str, object]:
        if not self._made:
            return {"pipeline": self._source, "exposure_us": "as camera_pipeline says"}
        # nvarguscamerasrc takes what it is given and tells nothing back.
        settings = self._settings
        return {
            "pipeline": self._source,
            "exposure_us": f"{settings.shutter_speed} asked for, not told",
            "gain": f"{settings.iso / 100:g} asked for, not told" if settings.iso else "as it was",
        }

    def _image(self, buffer: Any) -> Image:
        """Return the picture; GStreamer's lines of BGR begin at multiples of 4 bytes."""
        width, height = self._settings.resolution
        line = (width * 3 + 3) // 4 * 4
        data = buffer.extract_dup(0, buffer.get_size())
        if len(data) != line * height:
            raise self._error(
                f"a frame of {len(data)} bytes came, {line * height} were agreed", "change camera_pipeline"
            )
        lines: Image = np.frombuffer(data, np.uint8).reshape(height, line)
        return lines[:, : width * 3].reshape(height, width, 3)

    def _error(self, text: str, cure: str) -> CameraError:
        text = " ".join(text.split()).rstrip(".")
        source = "" if self._made else f" (camera_pipeline = {self._source})"
        return CameraError(f"{self.name}: {text}{source}; {cure}")
