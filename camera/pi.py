"""The Raspberry Pi camera, through picamera2."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

from camera import pi_setup
from camera.driver import Grabbed
from camera.pi_errors import explained
from camera.pi_tuning import is_mono, steady_tuning
from camera.read_back import differences
from camera.setting_checks import check_settings
from camera.settings import CameraKind, CameraSettings
from camera.stamps_live import HostClock, boot_offset_ns, clock_of, lost_between
from core.clock import MonotonicClock
from core.errors import CameraError
from core.ports import Clock

BUFFERS = 6
"""picamera2's own number for video: one in the grabber's hand, one promised to it, one kept, three in the camera."""

SETTLE_FRAMES = 12
"""Frames within which the controls have taken effect: a sensor needs up to 5, and the first are thrown away."""

INSTALL = "on a Raspberry Pi: sudo apt-get install python3-picamera2, then make rig"
_GIVE_UP_S = 2.0


class PiDriver:
    """One Raspberry Pi camera.

    The camera runs from ``open`` on, because only its frames tell which exposure and gains it really uses; ``start``
    discards what was taken before. A frame's time is its SensorTimestamp: the first row has been exposed and is read
    out. ``queue=True``, and a job that waits for the next frame before this one is done with: a frame that completes
    while the grabber copies the one before is kept, so that only two missed in a row are lost. picamera2 tells nothing
    when the camera falls silent, so ``grab`` raises CameraError after ``camera_timeout_s`` without a frame.

    picamera2 makes two threads of its own, which end with ``close``; where the ribbon cable has come off, its ``stop``
    may hang, and it is the grabber that does not wait for it.

    Parameters
    ----------
    settings : CameraSettings
    clock : Clock, optional
        The host's monotonic clock.
    library : module, optional
        picamera2, or its fake (``camera.fake_picamera2``); None imports picamera2 when the camera is opened.
    boot_offset : callable
        Gives CLOCK_BOOTTIME less CLOCK_MONOTONIC, ns; asked once, at ``open``.

    Raises
    ------
    InputError
        For settings that no Raspberry Pi camera can keep.
    """

    def __init__(
        self,
        settings: CameraSettings,
        clock: Clock | None = None,
        library: Any = None,
        boot_offset: Callable[[], int] = boot_offset_ns,
    ) -> None:
        check_settings(replace(settings, vid_source=CameraKind.pi))
        self._settings = settings
        self._clock = clock or MonotonicClock()
        self._library = library
        self._boot_offset = boot_offset
        self._camera: Any = None
        self._job: Any = None
        self._held: ExitStack | None = None
        self._name = "Raspberry Pi camera"
        self._identity = ""
        self._mono = False
        self._shift_ns = 0
        self._stamped = HostClock.none
        self._last_stamp: int | None = None
        self._since_ns = 0  # frames from before are not given
        self._heard_ns = 0

    @property
    def name(self) -> str:
        """Such as ``Raspberry Pi camera 0 (imx219)``; without number and model before ``open``."""
        return self._name

    @property
    def identity(self) -> str:
        """The sensor's model and the port that it hangs on: it tells no serial number."""
        return self._identity

    def open(self) -> Mapping[str, object]:
        """Acquire the camera, fix everything that can vary, wait until it does so, and return what it tells."""
        if self._library is None:
            self._library = _load()
        try:
            return self._open()
        except CameraError:
            self.close()
            raise
        except (RuntimeError, OSError, LookupError, TypeError, ValueError) as error:
            self.close()
            raise explained(self._name, error) from error

    def start(self) -> None:
        """Give frames from now on."""
        self._since_ns = self._heard_ns = self._clock.now_ns()
        self._last_stamp = None

    def grab(self, timeout_s: float) -> Grabbed | None:
        """Return the next frame, in the camera's own memory until the next call; None when none came in time (s)."""
        self._let_go()
        request = self._next_request(timeout_s)
        now_ns = self._clock.now_ns()
        if request is None:
            self._check_heard(now_ns)
            return None
        self._heard_ns = now_ns
        held = self._held = ExitStack()
        held.callback(request.release)
        metadata = request.get_metadata()
        stamp_ns = int(metadata.get("SensorTimestamp", 0))
        time_ns = now_ns if self._stamped is HostClock.none else stamp_ns - self._shift_ns
        if time_ns < self._since_ns:
            return None
        interval_ns = round(metadata.get("FrameDuration", 1e6 / self._settings.framerate) * 1000)
        lost = lost_between(self._last_stamp, stamp_ns, interval_ns)
        self._last_stamp = stamp_ns
        image = held.enter_context(self._library.MappedArray(request, "main", write=False)).array
        return Grabbed(image, time_ns, stamp_ns, lost, "driver" if lost else "")

    def close(self) -> None:
        """Give everything back, step by step, whatever fails on the way."""
        camera, self._camera = self._camera, None
        if camera is None:
            return
        for step in (self._let_go, camera.cancel_all_and_flush, self._drop_job, camera.stop, camera.close):
            with suppress(Exception):
                step()
        self._job = self._held = None

    def _open(self) -> Mapping[str, object]:
        found = self._library.Picamera2.global_camera_info()
        number = pi_setup.find_camera(found, self._settings.camera_id)
        model = str(found[number].get("Model", "unknown"))
        self._name = f"Raspberry Pi camera {number} ({model})"
        self._identity = f"{model} at {found[number].get('Id', 'an unknown port')}"
        stilled = self._open_sensor(number, model)
        mode = self._configure()
        self._camera.start()
        metadata = self._settle()
        return {
            "model": model,
            "sensor_mode": mode,
            "exposure_us": metadata.get("ExposureTime"),
            "analogue_gain": metadata.get("AnalogueGain"),
            "digital_gain": metadata.get("DigitalGain"),
            "colour_gains": metadata.get("ColourGains"),
            "frame_duration_us": metadata.get("FrameDuration"),
            "sensor_temperature": metadata.get("SensorTemperature"),
            "switched_off": ", ".join(["AeEnable", "NoiseReductionMode", *stilled]),
            "time_from": self._stamped.value if self._stamped is not HostClock.none else "arrival",
        }

    def _open_sensor(self, number: int, model: str) -> list[str]:
        """Open the camera with its steady tuning; return what that leaves out.

        That a sensor has no colours is told once it is open: it is then opened again, with the tuning that is its own.
        """
        picamera2 = self._library.Picamera2
        tuning, stilled = steady_tuning(picamera2, model, self._mono)
        self._camera = picamera2(number, tuning=tuning)
        if self._mono or not is_mono(self._camera):
            return stilled
        self._mono = True
        self._camera.close()
        return self._open_sensor(number, model)

    def _configure(self) -> str:
        """Configure size, sensor mode and controls; return the mode in words."""
        camera, settings = self._camera, self._settings
        sensor, mode_name = {}, "chosen by the driver"
        if settings.sensor_mode:
            mode = pi_setup.choose_mode(camera.sensor_modes, settings.sensor_mode)
            sensor = {"output_size": mode["size"], "bit_depth": mode["bit_depth"]}
            mode_name = pi_setup.describe_mode(mode)
        main = {"size": settings.resolution, "format": "RGB888"}  # which lies in memory as B, G, R
        config = camera.create_video_configuration(
            main=main, raw=None, buffer_count=BUFFERS, queue=True, display=None, encode=None, sensor=sensor
        )
        camera.configure(config)
        # Ranges depend on the sensor mode, so they are known only now.
        camera.set_controls(pi_setup.controls_for(settings, camera.camera_controls))
        got = camera.camera_configuration()["main"]
        if (tuple(got["size"]), got["format"]) != (settings.resolution, "RGB888"):
            raise CameraError(
                f"{self._name}: gives {got['size'][0]}x{got['size'][1]} {got['format']}, wanted is "
                f"{settings.resolution[0]}x{settings.resolution[1]} RGB888; set resolution to what it gives"
            )
        return mode_name

    def _settle(self) -> Mapping[str, Any]:
        """Wait until a frame was taken as asked, and find the clock of its stamp; return its metadata."""
        wanted = pi_setup.wanted_of(self._settings, self._camera.camera_controls)
        wait_s = max(_GIVE_UP_S, 3 / self._settings.framerate)
        wrong: list[str] = []
        for _ in range(SETTLE_FRAMES):
            request = self._next_request(wait_s)
            if request is None:
                raise CameraError(
                    f"{self._name}: no frame within {wait_s:g} s; push both ends of its ribbon cable home with the Pi "
                    "switched off (dmesg tells of a camera frontend that has timed out)"
                )
            try:
                metadata: Mapping[str, Any] = request.get_metadata()
            finally:
                request.release()
            wrong = differences(pi_setup.pair_with(wanted, metadata))
            if not wrong:
                self._find_clock(int(metadata.get("SensorTimestamp", 0)))
                return metadata
        raise CameraError(
            f"{self._name}: after {SETTLE_FRAMES} frames {'; '.join(wrong)}; set these keys to what it can do, or "
            "choose another sensor_mode"
        )

    def _find_clock(self, stamp_ns: int) -> None:
        offset_ns = self._boot_offset()
        self._stamped = clock_of(stamp_ns, self._clock.now_ns(), offset_ns)
        self._shift_ns = offset_ns if self._stamped is HostClock.boottime else 0

    def _next_request(self, timeout_s: float) -> Any:
        """Return the next completed request, or None; a request that was not in time is got by the next call."""
        if self._camera is None:
            raise CameraError(f"{self._name}: is not open; start it again")
        if self._job is None:
            self._job = self._camera.capture_request(wait=False)
        try:
            request = self._job.get_result(timeout=timeout_s)
        except FutureTimeout:
            return None
        except Exception as error:
            self._job = None
            raise explained(self._name, error) from error
        self._job = self._camera.capture_request(wait=False)
        return request

    def _check_heard(self, now_ns: int) -> None:
        if now_ns - self._heard_ns > self._settings.camera_timeout_s * 1e9:
            raise CameraError(
                f"{self._name}: no frame for {(now_ns - self._heard_ns) / 1e9:.1f} s; push both ends of its ribbon "
                "cable home, and see to the Pi's power supply"
            )

    def _let_go(self) -> None:
        """Give the frame back that the last grab gave."""
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def _drop_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.get_result(timeout=0).release()


def pi_lacking() -> str:
    """Return what picamera2 lacks on this machine, with the cure, or ""."""
    try:
        _load()
    except CameraError as error:
        return str(error)
    return ""


def _load() -> Any:
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")  # else a dozen lines at each start
    try:
        import picamera2
    except ImportError as error:
        raise CameraError(f"Raspberry Pi camera: picamera2 cannot be imported ({error}); {INSTALL}") from error
    return picamera2
