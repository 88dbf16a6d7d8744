"""What is put in the place of a sensor and of an image processor, so that the real picamera2 runs without either.

libcamera's virtual pipeline makes frames as fast as buffers come back, in NV12 alone, without exposure or gains, and
tells a SensorTimestamp only. Substituted here: the list of raw modes, the two planes of a buffer, and for our driver
the conversion to B, G, R, the controls and what a frame tells of them. Everything else is picamera2's and libcamera's
own: cameras, acquiring, configuring, buffers, requests, jobs, threads, stopping, releasing. ``dmashim.c`` stands for
the devices that buffers come from, and ``enter.sh`` says why memory must be zero when it is allocated.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import libcamera
import numpy as np
import picamera2
from picamera2.allocators import dmaallocator

from core.values import Image

SIZE = (256, 256)
SUPPLIED = {
    "AeEnable": (False, True, True),
    "AwbEnable": (False, True, True),
    "ExposureTime": (75, 11_766_829, 20_000),
    "AnalogueGain": (1.0, 10.666667, 1.0),
    "ColourGains": (0.0, 32.0, 0.0),
}
"""Controls that a Raspberry Pi camera has and the virtual one has not: range and default, as of an IMX219."""


def two_planes(planes: list[Any]) -> Any:
    """Return a frame buffer whose one plane is told as brightness and colour, as the virtual pipeline wants NV12."""
    bright = planes[0]  # the same, since it is by its descriptor that picamera2 knows the buffer
    colour = libcamera.FrameBuffer.Plane()
    colour.fd, colour.offset, colour.length = bright.fd, bright.length * 2 // 3, bright.length // 3
    bright.length -= colour.length
    return libcamera.FrameBuffer([bright, colour])


class TwoPlanes:
    """Stands for libcamera.FrameBuffer where picamera2's allocator makes its buffers."""

    Plane = libcamera.FrameBuffer.Plane

    def __new__(cls, planes: list[Any]) -> Any:
        """Return a real one."""
        return two_planes(planes)


dmaallocator.libcamera = SimpleNamespace(FrameBuffer=TwoPlanes)


class Camera(picamera2.Picamera2):
    """The real class, but for the raw modes, which the virtual pipeline refuses to be asked for."""

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        return [{"format": "SBGGR8", "size": SIZE}]


class SensorCamera(Camera):
    """With the format and the controls of a Raspberry Pi camera; ``told`` changes what frames tell of them."""

    told: dict[str, Any] = {}  # noqa: RUF012 - set by a check
    silent = False

    def __init__(self, *given: Any, **named: Any) -> None:
        self._kept: dict[str, Any] = {}
        self._unheard: list[Any] = []
        super().__init__(*given, **named)

    def process_requests(self, display: Any) -> None:
        """The real one; while ``silent`` no completed request is found by it."""
        if self.silent:
            with self._requestslock:
                self._unheard += self._requests
                self._requests = []
        super().process_requests(display)

    @property
    def camera_controls(self) -> dict[str, Any]:
        """The real ones, and those that are supplied."""
        return {**super().camera_controls, **SUPPLIED}

    def create_video_configuration(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Ask for NV12 where RGB888 is asked for."""
        config: dict[str, Any] = super().create_video_configuration(*given, **named)
        if config["main"]["format"] == "RGB888":
            config["main"]["format"] = "NV12"
        return config

    def camera_configuration(self) -> dict[str, Any]:
        """The real one, in which NV12 is told as what it will be made into."""
        config = super().camera_configuration()
        assert config["main"]["format"] == "NV12"
        return {**config, "main": {**config["main"], "format": "RGB888"}}

    def set_controls(self, controls: dict[str, Any]) -> None:
        """Keep what the virtual camera lacks; the real class gets the rest, and refuses what it does not know."""
        super().set_controls({name: value for name, value in controls.items() if name not in SUPPLIED})
        self._kept.update(controls)

    def capture_request_(self) -> tuple[bool, Any]:
        """Let a real request tell what it lacks."""
        done, request = super().capture_request_()
        if done:
            request.__class__ = TellingRequest
        return done, request

    def tells(self) -> dict[str, Any]:
        """Return what a frame is to tell beside its stamp."""
        kept = self._kept
        told = {name: kept[name] for name in ("ExposureTime", "AnalogueGain", "ColourGains") if name in kept}
        return {**told, "FrameDuration": kept["FrameDurationLimits"][1], **self.told}


class TellingRequest(picamera2.CompletedRequest):
    """The real one, which also tells of exposure, gains and frame rate."""

    def get_metadata(self) -> dict[str, Any]:
        """Return the real metadata and the supplied."""
        return {**super().get_metadata(), **self.picam2.tells()}


class MappedArray(picamera2.MappedArray):
    """The real one, its array made into B, G, R: a copy, where a Raspberry Pi gives the camera's own memory."""

    def __enter__(self) -> Any:
        super().__enter__()
        self._bgr = to_bgr(super().array)
        return self

    @property
    def array(self) -> Image:
        """The copy."""
        return self._bgr


def to_bgr(nv12: Image) -> Image:
    """Return (height, width, 3) uint8 of (height * 3 / 2, width) NV12, by BT.601 with its narrow range."""
    height = nv12.shape[0] * 2 // 3
    bright = (nv12[:height].astype(np.float32) - 16) * 1.164
    colour = nv12[height:].reshape(height // 2, -1, 2).astype(np.float32) - 128
    blue, red = (np.repeat(np.repeat(colour[..., k], 2, axis=0), 2, axis=1) for k in (0, 1))
    planes = (bright + 2.017 * blue, bright - 0.392 * blue - 0.813 * red, bright + 1.596 * red)
    image: Image = np.clip(np.stack(planes, axis=-1).round(), 0, 255).astype(np.uint8)
    return image


def real_library() -> Any:
    """Return the module picamera2 with the class that the virtual pipeline can bear."""
    return SimpleNamespace(Picamera2=Camera, MappedArray=picamera2.MappedArray)


def driver_library(**told: Any) -> Any:
    """Return the module picamera2 with the substituted class and array, for PiDriver; ``told`` by its frames."""
    return SimpleNamespace(Picamera2=type("SensorCamera", (SensorCamera,), {"told": told}), MappedArray=MappedArray)
