"""GigE Vision and USB3 Vision cameras through stapipy, the maker's own library for Sentech cameras."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from threading import Event, get_ident
from typing import Any

from camera.driver import Grabbed, Lost
from camera.frame_ids import lost_between
from camera.genicam_find import Found, pick_again
from camera.pixel_formats import PixelFormat, to_bgr
from camera.setting_checks import check_settings
from camera.settings import CameraKind, CameraSettings, GenicamLibrary
from camera.stapi_nodes import StapiNodes
from camera.stapi_setup import set_up
from core.clock import MonotonicClock
from core.errors import CameraError
from core.ports import Clock

INSTALL = (
    "install Omron Sentech's SentechSDK, then its stapipy wheel for this Python (pip install FOLDER/stapipy*.whl), and "
    "start rigloop from a shell that has read its profile (source SDK_FOLDER/.stprofile); or set genicam_library = "
    "aravis"
)
CABLE = "see to its power and cable"


class StapiDriver:
    """One camera.

    StApi may be used from one thread only, from ``initialize`` to ``terminate``: the grabber's, which is remembered at
    ``open``. StApi receives in threads of its own, which end with ``stop_acquisition``; one of them sets an Event when
    the camera is unplugged. A frame's time is that of its arrival, because the unit of the camera's stamps is not
    documented for every model; the stamp itself is kept. Frames that did not arrive whole are dropped and counted
    (``incomplete``), as are ids that never came (``transport``).

    Parameters
    ----------
    settings : CameraSettings
    clock : Clock, optional
        The host's monotonic clock.
    library : module, optional
        stapipy or its fake (``camera.fake_stapi``).

    Raises
    ------
    InputError
        For settings that no GenICam camera can keep.
    """

    def __init__(self, settings: CameraSettings, clock: Clock | None = None, library: Any = None) -> None:
        check_settings(replace(settings, vid_source=CameraKind.genicam, genicam_library=GenicamLibrary.stapi))
        self._settings = settings
        self._clock = clock or MonotonicClock()
        self._st = library
        self.name = "genicam camera"
        self.identity = ""
        self._mine: Found | None = None  # the first that was opened, and the only one to be opened again
        self._initialised = False
        self._device: Any = None
        self._stream: Any = None
        self._pixels: PixelFormat | None = None
        self._lost = Event()
        self._watching: Any = None
        self._last_id: int | None = None
        self._broken: Lost | None = None
        self._heard_ns = 0
        self._silence = ""
        self._thread = 0

    def open(self) -> Mapping[str, object]:
        """Find the camera, take control of it and set it up. Raises CameraError."""
        self._st = self._st or _load()
        self._thread = get_ident()
        try:
            return self._open()
        except CameraError:
            self.close()
            raise
        except Exception as error:
            self.close()
            raise CameraError(
                f"{self.name}: {_text(error)}; {CABLE}, and end other programs that use it (StViewer)"
            ) from error

    def start(self) -> None:
        """Begin to acquire. Raises CameraError."""
        try:
            self._stream = self._device.create_datastream()
            self._stream.start_acquisition()
            self._device.acquisition_start()
        except Exception as error:
            raise CameraError(f"{self.name}: does not start: {_text(error)}; {CABLE}") from error
        self._last_id = self._broken = None
        self._heard_ns = self._clock.now_ns()

    def grab(self, timeout_s: float) -> Grabbed | Lost | None:
        """Return the next frame or loss; see Driver."""
        if self._stream is None:
            raise CameraError(f"{self.name}: is not started; start it again")
        if self._broken is not None:
            broken, self._broken = self._broken, None
            return broken
        if self._lost.is_set() or self._device.is_device_lost:
            raise CameraError(f"{self.name}: was unplugged, or its network is gone; {CABLE}")
        try:
            # One argument: a second that it does not know makes StApi abort the process.
            with self._stream.retrieve_buffer(max(1, round(timeout_s * 1000))) as buffer:
                return self._take(buffer)
        except CameraError:
            raise
        except Exception as error:  # noqa: BLE001 - the same class tells of a timeout and of all else
            self._nothing(error)
            return None

    def close(self) -> None:
        """Stop in reverse order, let go of everything, and terminate StApi; twice is legal.

        From another thread than that of ``open`` it does nothing: StApi would abort the process.
        """
        if self._thread not in (0, get_ident()):
            return
        stream, self._stream = self._stream, None
        device, self._device = self._device, None
        watching, self._watching = self._watching, None
        if device is not None:
            steps = [device.acquisition_stop, stream.stop_acquisition] if stream is not None else []
            if watching is not None:
                steps.append(device.stop_event_acquisition)
            for step in steps:
                with suppress(Exception):  # a camera that has gone cannot be stopped
                    step()
        # StApi frees a device when the last reference to it goes, and must not be terminated before.
        del stream, device, watching
        if self._initialised:
            self._initialised = False
            with suppress(Exception):
                self._st.terminate()

    def _open(self) -> Mapping[str, object]:
        st = self._st
        st.initialize()
        self._initialised = True
        found, device = self._find(st.create_system())
        self._device = device
        self.name = f"genicam {found.model} {found.serial}".rstrip()
        self._lost = Event()
        watched = self._watch()
        nodes = StapiNodes(st, device.remote_port.nodemap, self.name)
        self._pixels, facts = set_up(nodes, self._settings, self.name)
        self._mine, self.identity = found, found.identity
        told_by = "event" if watched else "retrieve_buffer"
        return {**found._asdict(), "library": "stapipy", **facts, "time_from": "arrival", "loss_told_by": told_by}

    def _find(self, system: Any) -> tuple[Found, Any]:
        """Look at every interface for cameras; return the one that is wanted, under our control."""
        with suppress(Exception):  # a transport that cannot look again keeps the list it has
            system.update_interface_list()
        places = []
        for i in range(system.interface_count):
            interface = system.get_interface(i)
            with suppress(Exception):
                interface.update_device_list()
            places += [(_found(interface.get_device_info(j)), interface, j) for j in range(interface.device_count)]
        wanted = pick_again([found for found, _, _ in places], self._settings.camera_id, self._mine)
        interface, j = next((interface, j) for found, interface, j in places if found is wanted)
        return wanted, interface.create_device_by_index(j)

    def _watch(self) -> bool:
        """Ask to be told when the camera is unplugged; return whether that is to be had."""
        st, device, lost = self._st, self._device, self._lost

        def on_event(node: Any = None, device: Any = None) -> None:
            del node
            if device is None or device.is_device_lost:
                lost.set()

        try:
            nodes = device.local_port.nodemap
            node = nodes.get_node("EventDeviceLost")
            node.register_callback(on_event, device, st.EGCCallbackType.OutsideLock)
            st.PyIEnumeration(nodes.get_node("EventSelector")).set_symbolic_value("DeviceLost")
            st.PyIEnumeration(nodes.get_node("EventNotification")).set_symbolic_value("On")
            device.start_event_acquisition()
        except Exception:  # noqa: BLE001 - is_device_lost and silence tell it as well, later
            return False
        self._watching = node
        return True

    def _take(self, buffer: Any) -> Grabbed | Lost:
        now_ns = self._heard_ns = self._clock.now_ns()
        info = buffer.info
        frame_id = int(info.frame_id)
        before, self._last_id = self._last_id, frame_id
        gap = 0 if before is None else lost_between(before, frame_id, wide=False)
        if info.is_incomplete or not info.is_image_present:
            broken = Lost(1, "incomplete", now_ns)
            if gap:
                self._broken = broken
                return Lost(gap, "transport", now_ns)
            return broken
        image = buffer.get_image()
        width, height = self._settings.resolution
        if (image.width, image.height) != (width, height) or self._pixels is None:
            raise CameraError(
                f"{self.name}: a frame of {image.width}x{image.height} px came, wanted is {width}x{height}; start again"
            )
        try:
            # Copied here: outside the ``with`` the buffer is StApi's again.
            pixels = to_bgr(bytes(image.get_image_data()), self._pixels, height, width)
        except ValueError as error:
            raise CameraError(f"{self.name}: {error}; set camera_format to another format") from error
        return Grabbed(pixels, now_ns, int(info.timestamp), gap, "transport" if gap else "")

    def _nothing(self, error: Exception) -> None:
        """Nothing came. Raises CameraError once that has lasted for ``camera_timeout_s``, or the camera is gone."""
        if self._device.is_device_lost:
            raise CameraError(f"{self.name}: was unplugged, or its network is gone; {CABLE}") from error
        silent_ns = self._clock.now_ns() - self._heard_ns
        if silent_ns > self._settings.camera_timeout_s * 1e9:
            raise CameraError(f"{self.name}: no frame for {silent_ns / 1e9:.1f} s ({_text(error)}); {CABLE}") from error


def stapi_lacking() -> str:
    """Return what stapipy lacks on this machine, with the cure, or ""."""
    try:
        _load()
    except CameraError as error:
        return str(error)
    return ""


def _load() -> Any:
    try:
        import stapipy
    except ImportError as error:
        raise CameraError(f"genicam_library = stapi: stapipy cannot be imported ({error}); {INSTALL}") from error
    return stapipy


def _found(info: Any) -> Found:
    """Return what tells a camera from others; what this version of StApi has not is empty."""
    names = ("device_id", "vendor", "model", "serial_number", "display_name")
    return Found(*(str(getattr(info, name, "") or "") for name in names))


def _text(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
