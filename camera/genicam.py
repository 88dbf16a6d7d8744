"""GigE Vision and USB3 Vision cameras (Sentech and others), through Aravis."""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from threading import Event
from typing import Any

from camera.arrival_clock import ArrivalClock, Reading, read_clocks
from camera.driver import Grabbed, Lost
from camera.frame_ids import IdCount
from camera.genicam_find import Found, discover, pick_again
from camera.genicam_setup import GenicamSetup
from camera.gi_import import load_aravis, load_glib
from camera.pixel_formats import PixelFormat, to_bgr
from camera.setting_checks import check_settings
from camera.settings import CameraKind, CameraSettings, GenicamLibrary
from camera.stamp_clock import StampClock
from core.errors import CameraError

BUFFER_S = 0.5
"""Time for which Aravis can hold frames, s; its own thread fills them, whatever Python does."""
FEWEST, MOST = 16, 64
"""Bounds of that, in frames."""
SILENCE_NS = 500_000_000
"""A camera that has sent nothing for this and three frames more is taken to have gone, ns."""


class GenicamDriver:
    """One camera. Aravis receives in a thread of its own (in C), which begins at ``start`` and ends at ``close``.

    A frame's time is the moment its first packet came, freed of jitter by the camera's own stamps (StampClock): later
    than the end of its exposure by readout and the way to the host. Frames whose packets did not all come are dropped
    and counted (``incomplete``), as are ids that never came (``transport``) and frames for which Aravis had no buffer
    left (``driver``).

    Parameters
    ----------
    settings : CameraSettings
    read : callable
        Gives the host's clocks: Aravis stamps arrivals with the one that can be set (see ArrivalClock).

    Raises
    ------
    InputError
        For settings that no GenICam camera can keep.
    """

    def __init__(self, settings: CameraSettings, read: Callable[[], Reading] = read_clocks) -> None:
        check_settings(replace(settings, vid_source=CameraKind.genicam, genicam_library=GenicamLibrary.aravis))
        self._settings = settings
        self._read = read
        self.name = "genicam camera"
        self.identity = ""
        self._mine: Found | None = None  # the first that was opened, and the only one to be opened again
        self._aravis: Any = None
        self._glib: Any = None
        self._camera: Any = None
        self._stream: Any = None
        self._lost = Event()
        self._pixels: PixelFormat | None = None
        self._seen_ns = 0

    def open(self) -> Mapping[str, object]:
        """Find the camera, take control of it and set it up; see GenicamSetup. Raises CameraError."""
        self._aravis, self._glib = load_aravis(), load_glib()
        try:
            return self._connect()
        except CameraError as error:
            # Its traceback names the camera. Aravis gives up control when nothing does any more: now, not whenever
            # Python forgets the error, which may be when another has the camera.
            failed = CameraError(str(error))
            failed.details = "".join(traceback.format_exception(error))
        self.close()
        raise failed

    def _connect(self) -> dict[str, object]:
        found = pick_again(discover(self._aravis), self._settings.camera_id, self._mine)
        self.name = f"genicam {found.device_id}"
        try:
            camera = self._aravis.Camera.new(found.device_id)
        except self._glib.Error as error:
            raise CameraError(f"{self.name}: cannot be opened: {error.message}; see to its cable and power") from error
        device = camera.get_device()
        if camera.is_gv_device() and not device.is_controller():
            raise CameraError(f"{self.name}: is in use by another program or computer; close that, then start again")
        self._camera, self._lost = camera, Event()
        # The signal comes from Aravis' heartbeat thread, and must not keep this object alive: it holds the event only.
        device.connect("control-lost", lambda _device, lost=self._lost: lost.set())
        setup = GenicamSetup(self._aravis, camera, self.name, self._settings)
        self._pixels = setup.run()
        self._mine, self.identity = found, found.identity
        return {**found._asdict(), **setup.facts}

    def start(self) -> None:
        """Make the stream and begin. Raises CameraError."""
        self._ready: deque[Grabbed | Lost] = deque()
        self._stamps = StampClock()
        self._arrivals = ArrivalClock(self._read)
        self._underruns = 0
        self._seen_ns = time.monotonic_ns()
        try:
            self._ids = IdCount(wide=bool(self._camera.is_uv_device()))
            payload = self._camera.get_payload()
            self._stream = self._camera.create_stream(None, None)
            for _ in range(min(MOST, max(FEWEST, round(BUFFER_S * self._settings.framerate)))):
                self._stream.push_buffer(self._aravis.Buffer.new_allocate(payload))
            self._camera.start_acquisition()
        except self._glib.Error as error:
            raise CameraError(f"{self.name}: does not start: {error.message}; see to its cable and power") from error

    def grab(self, timeout_s: float) -> Grabbed | Lost | None:
        """Return the next frame or loss; see Driver. Raises CameraError once control of the camera is lost."""
        if not self._ready:
            if self._lost.is_set():
                raise CameraError(f"{self.name}: control of the camera was lost; see to its cable and power")
            buffer = self._stream.timeout_pop_buffer(max(1, round(timeout_s * 1e6)))
            if buffer is None:
                return None
            self._seen_ns = time.monotonic_ns()
            try:
                self._take(buffer)
            finally:
                self._stream.push_buffer(buffer)
        return self._ready.popleft() if self._ready else None

    def close(self) -> None:
        """Stop, and give up control; of a camera that has gone this takes 5 to 8 s, within Aravis."""
        camera, self._camera = self._camera, None
        stream, self._stream = self._stream, None
        if camera is None or self._gone(stream is not None):
            return  # each thing that is said to a camera that has gone costs 2.5 s more
        with suppress(self._glib.Error):
            if stream is not None:
                camera.stop_acquisition()
                del stream
            if camera.is_gv_device():
                camera.get_device().leave_control()  # now, not when Python gets round to it

    def _gone(self, started: bool) -> bool:
        """Return whether control was lost, or frames have not come for so long that it probably is."""
        silence_ns = time.monotonic_ns() - self._seen_ns
        return self._lost.is_set() or (started and silence_ns > SILENCE_NS + 3e9 / self._settings.framerate)

    def _take(self, buffer: Any) -> None:
        """Put a buffer's frame into ``_ready``, after what was lost before it."""
        seen_ns = self._arrivals.arrival_ns(buffer.get_system_timestamp())
        if buffer.get_status() != self._aravis.BufferStatus.SUCCESS:
            self._lose(self._ids.incomplete(), "incomplete", seen_ns)
            return
        incomplete, missing = self._ids.complete(buffer.get_frame_id())
        self._lose(incomplete, "incomplete", seen_ns)
        self._lose(missing, self._cause() if missing else "", seen_ns)
        stamp_ns = buffer.get_timestamp()
        self._ready.append(Grabbed(self._image(buffer), self._stamps.time_ns(stamp_ns, seen_ns), stamp_ns))

    def _lose(self, n: int, cause: str, seen_ns: int) -> None:
        if n > 0:
            self._ready.append(Lost(n, cause, seen_ns))

    def _cause(self) -> str:
        """Return why frames are missing. Aravis counts packets that it had no buffer for, or frames; any tells."""
        before, self._underruns = self._underruns, self._stream.get_info_uint64_by_name("n_underruns")
        return "driver" if self._underruns > before else "transport"

    def _image(self, buffer: Any) -> Any:
        width, height = self._settings.resolution
        had = (buffer.get_image_width(), buffer.get_image_height())
        if had != (width, height) or self._pixels is None:
            raise CameraError(
                f"{self.name}: a frame of {had[0]}x{had[1]} px came, wanted is {width}x{height}; start again"
            )
        try:
            return to_bgr(buffer.get_image_data(), self._pixels, height, width)
        except ValueError as error:
            raise CameraError(f"{self.name}: {error}; set camera_format to another format") from error
