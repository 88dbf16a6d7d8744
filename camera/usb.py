"""USB cameras, through the kernel's V4L2 and OpenCV."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from camera.driver import Grabbed, Lost
from camera.opencv import load_cv2
from camera.setting_checks import check_settings, usb_path
from camera.settings import CameraKind, CameraSettings
from camera.stamps_live import HostClock, boot_offset_ns, clock_of, lost_between
from camera.usb_controls import Node, fix, read_back
from camera.v4l2 import V4l2Node
from core.clock import MonotonicClock
from core.errors import CameraError
from core.ports import Clock
from core.values import Image

PIXEL_FORMATS = ("YUYV", "MJPG")
"""The better first: JPEG throws away just the small differences that dF/F is made of."""

WARM_UP_FRAMES = 5
FIRST_FRAME_S = 2.0
GONE = "see to its plug and hub, then start again"


class Format(NamedTuple):
    """What a camera streams."""

    fourcc: str
    width: int
    height: int
    framerate: float

    def __str__(self) -> str:
        return f"{self.width}x{self.height} at {self.framerate:g} frames/s as {self.fourcc}"


class UsbDriver:
    """One V4L2 camera.

    The camera streams from ``open`` on; ``start`` discards what was taken before. Frames carry the time at which the
    kernel began to receive them, where the camera's kernel driver stamps on a clock of the host (``time_from`` of the
    facts says ``monotonic`` or ``boottime``), but never one that is later than they were seen; else that of their
    arrival (``arrival``), and then lost frames cannot be told. OpenCV waits for a frame with ``waitAny``, which has a
    time limit.

    Parameters
    ----------
    settings : CameraSettings
    clock : Clock, optional
        The host's monotonic clock.
    library : module, optional
        cv2 or its fake (``camera.fake_v4l2``).
    open_node : callable
        Opens the device node beside OpenCV, for its controls.
    boot_offset : callable
        Gives CLOCK_BOOTTIME less CLOCK_MONOTONIC, ns.

    Raises
    ------
    InputError
        For settings that no USB camera can keep.
    """

    def __init__(
        self,
        settings: CameraSettings,
        clock: Clock | None = None,
        library: Any = None,
        open_node: Callable[[str], Node] = V4l2Node,
        boot_offset: Callable[[], int] = boot_offset_ns,
    ) -> None:
        check_settings(replace(settings, vid_source=CameraKind.usb))
        self._settings = settings
        self._clock = clock or MonotonicClock()
        self._cv2 = library
        self._open_node = open_node
        self._boot_offset = boot_offset
        self._path = usb_path(settings.camera_id)
        self._name = f"usb camera {self._path}"
        self._identity = ""
        self._node: Node | None = None
        self._capture: Any = None
        self._stamped = HostClock.none
        self._shift_ns = 0
        self._interval_ns = round(1e9 / settings.framerate)
        self._last_stamp: int | None = None
        self._broken: Lost | None = None
        self._since_ns = 0
        self._heard_ns = 0

    @property
    def name(self) -> str:
        """Such as ``usb camera /dev/video0 (HD Webcam)``."""
        return self._name

    @property
    def identity(self) -> str:
        """What the kernel calls the camera, with its serial number, or the port that it hangs on."""
        return self._identity

    def open(self) -> Mapping[str, object]:
        """Open the camera, fix everything that can vary, let it stream, and return what it tells."""
        if self._cv2 is None:
            # Read once, at OpenCV's first wait; 10 s is its own choice.
            wait_s = math.ceil(max(FIRST_FRAME_S, 2 / self._settings.framerate))
            os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(wait_s))
            self._cv2 = load_cv2()
        try:
            return self._open()
        except CameraError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise CameraError(f"{self._name}: {error.strerror or error}; {GONE}") from error

    def start(self) -> None:
        """Give frames from now on; those that wait are thrown away."""
        for _ in range(int(self._capture.get(self._cv2.CAP_PROP_BUFFERSIZE)) + 1):
            if not self._wait(0.001):
                break
            self._capture.retrieve()
        self._since_ns = self._heard_ns = self._clock.now_ns()
        self._last_stamp = self._broken = None

    def grab(self, timeout_s: float) -> Grabbed | Lost | None:
        """Return the next frame; one that cannot be decoded as lost; None when none came in time (s)."""
        if self._broken is not None:
            broken, self._broken = self._broken, None
            return broken
        if not self._wait(timeout_s):
            self._check_heard()
            return None
        image, stamp_ns = self._retrieve()
        now_ns = self._heard_ns = self._clock.now_ns()
        time_ns = now_ns if self._stamped is HostClock.none else min(now_ns, stamp_ns - self._shift_ns)
        if time_ns < self._since_ns:
            return None
        lost = 0
        if self._stamped is not HostClock.none:
            lost = lost_between(self._last_stamp, stamp_ns, self._interval_ns)
        self._last_stamp = stamp_ns
        if image is None:
            broken = Lost(1, "incomplete", now_ns)
            if lost:
                self._broken = broken
                return Lost(lost, "driver", now_ns)
            return broken
        return Grabbed(image, time_ns, stamp_ns, lost, "driver" if lost else "")

    def close(self) -> None:
        """Stop and release; twice is legal."""
        capture, self._capture = self._capture, None
        if capture is not None:
            with suppress(Exception):
                capture.release()
        node, self._node = self._node, None
        if node is not None:
            with suppress(OSError):
                node.close()

    def _open(self) -> Mapping[str, object]:
        self._node = self._open_node(self._path)
        self._name = f"usb camera {self._path} ({self._node.card})"
        self._identity = self._node.identity
        self._capture = self._cv2.VideoCapture(self._path, self._cv2.CAP_V4L2)
        if not self._capture.isOpened():
            raise CameraError(
                f"{self._name}: gives no stream; another program uses it (fuser -v {self._path} tells which), or it "
                "has no format that OpenCV reads"
            )
        chosen = self._choose_format()
        fix(self._node, self._settings)
        self._warm_up()
        facts = read_back(
            self._node, self._settings, self._name
        )  # again after the first frames, which some cameras need to obey
        return {
            "pixel_format": chosen.fourcc,
            "framerate": chosen.framerate,
            "buffers": int(self._capture.get(self._cv2.CAP_PROP_BUFFERSIZE)),
            **facts,
            "time_from": self._stamped.value if self._stamped is not HostClock.none else "arrival",
            "drops_told_by": "stamp" if self._stamped is not HostClock.none else "nothing",
        }

    def _choose_format(self) -> Format:
        """Set the first pixel format in which the camera reaches size and frame rate."""
        cv2, capture = self._cv2, self._capture
        width, height = self._settings.resolution
        had = []
        for fourcc in PIXEL_FORMATS:
            if not capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter_fourcc(*fourcc)):
                continue
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            capture.set(cv2.CAP_PROP_FPS, self._settings.framerate)
            got = Format(
                fourcc,
                int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
                int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
                float(capture.get(cv2.CAP_PROP_FPS)),
            )
            if got[1:3] == (width, height) and math.isclose(got.framerate, self._settings.framerate, rel_tol=0.01):
                return got
            had.append(str(got))
        raise CameraError(
            f"{self._name}: gives {', or '.join(had) or 'neither YUYV nor MJPG'}; wanted is {width}x{height} at "
            f"{self._settings.framerate:g} frames/s; set resolution and framerate to what it can do "
            f"(v4l2-ctl -d {self._path} --list-formats-ext)"
        )

    def _warm_up(self) -> None:
        """Take the first frames, and find out what their stamps are worth."""
        wait_s = max(FIRST_FRAME_S, 2 / self._settings.framerate)
        stamps = []
        for _ in range(WARM_UP_FRAMES):
            if not self._wait(wait_s):
                raise CameraError(
                    f"{self._name}: no frame within {wait_s:g} s; give it a USB port of its own, then start again"
                )
            _, stamp_ns = self._retrieve()
            stamps.append(stamp_ns)
        offset_ns = self._boot_offset()
        clock = clock_of(stamps[-1], self._clock.now_ns(), offset_ns, ahead_ns=self._interval_ns)
        # Stamps that stand still were never set; 0 would pass for a host that has just started.
        self._stamped = clock if len(set(stamps)) == len(stamps) else HostClock.none
        self._shift_ns = offset_ns if self._stamped is HostClock.boottime else 0

    def _wait(self, timeout_s: float) -> bool:
        """Return whether a frame is there within ``timeout_s`` (s). Raises CameraError when the camera is gone."""
        if self._capture is None:
            raise CameraError(f"{self._name}: is not open; start it again")
        try:
            woken, ready = self._cv2.VideoCapture.waitAny([self._capture], timeoutNs=max(1, round(timeout_s * 1e9)))
        except self._cv2.error as error:
            raise CameraError(f"{self._name}: is gone ({_reason(error)}); {GONE}") from error
        if woken and not len(ready):
            raise CameraError(f"{self._name}: is gone (its stream was hung up); {GONE}")
        return bool(woken)

    def _retrieve(self) -> tuple[Image | None, int]:
        """Return the frame that is there, None if it cannot be decoded, and its stamp, ns."""
        good, image = self._capture.retrieve()
        stamp_ns = round(self._capture.get(self._cv2.CAP_PROP_POS_MSEC) * 1e6)
        return (image if good and image is not None and image.size else None), stamp_ns

    def _check_heard(self) -> None:
        silent_ns = self._clock.now_ns() - self._heard_ns
        if silent_ns > self._settings.camera_timeout_s * 1e9:
            raise CameraError(f"{self._name}: no frame for {silent_ns / 1e9:.1f} s; {GONE}")


def usb_lacking() -> str:
    """Return what this machine lacks for USB cameras, with the cure, or ""."""
    cv2 = load_cv2()
    if cv2.CAP_V4L2 in cv2.videoio_registry.getCameraBackends():
        return ""
    return f"OpenCV {cv2.__version__} has no V4L2 here; USB cameras need Linux, and pip install opencv-python-headless"


def _reason(error: Exception) -> str:
    """Return what OpenCV says, without the lines of its source."""
    return str(getattr(error, "err", "") or error).strip().splitlines()[0]
