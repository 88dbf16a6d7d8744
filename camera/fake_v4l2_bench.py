"""What the USB camera behind the module that stands for cv2 (``camera.fake_v4l2``) is, and its device node."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field

from camera import v4l2
from camera.v4l2 import Range
from core.errors import CameraError
from core.ports import Clock

MODES = {"YUYV": {(640, 480): 30, (320, 240): 30, (34, 24): 30}, "MJPG": {(640, 480): 120, (34, 24): 120}}


class Control:
    """One control: its values, and the one it has."""

    def __init__(self, least: int, most: int, value: int) -> None:
        self.range = Range(least, most, 1)
        self.value = value


def _controls() -> dict[int, Control]:
    """Return those of a usual UVC camera, with all that adapts switched on."""
    return {
        v4l2.EXPOSURE_AUTO: Control(0, 3, 3),
        v4l2.EXPOSURE_ABSOLUTE: Control(3, 2047, 250),
        v4l2.EXPOSURE_AUTO_PRIORITY: Control(0, 1, 1),
        v4l2.GAIN: Control(0, 100, 40),
        v4l2.AUTO_WHITE_BALANCE: Control(0, 1, 1),
        v4l2.WHITE_BALANCE_TEMPERATURE: Control(2800, 6500, 4600),
        v4l2.FOCUS_AUTO: Control(0, 1, 1),
        v4l2.FOCUS_ABSOLUTE: Control(0, 250, 30),
    }


@dataclass
class Bench:
    """What the fake camera is and does.

    Attributes
    ----------
    clock : Clock
    path : str
        The only device node there is.
    serial : str
    modes : dict
        Of each pixel format, the sizes and the most frames per second.
    controls : dict of int to Control
    deaf_to : set of int
        Controls that it takes and does not keep.
    busy : bool
        Whether another program streams from it.
    lost, broken : set of int
        Frames (from 0) that never reach the host, and that cannot be decoded.
    silent_from, gone_from : int or None
        First frame that never comes; first frame at which the camera is unplugged.
    hangs_up : bool
        Whether the kernel tells of an unplugged camera by a hang-up alone, and not by an error.
    jitter_ns : tuple of int
        Added to the stamps, in turn.
    stamp_offset_ns : int or None
        Added to the stamps; None where the kernel driver sets none.
    buffers : int
    """

    clock: Clock
    path: str = "/dev/video0"
    serial: str = "SN1"
    modes: dict[str, dict[tuple[int, int], int]] = field(default_factory=lambda: {k: dict(v) for k, v in MODES.items()})
    controls: dict[int, Control] = field(default_factory=_controls)
    deaf_to: set[int] = field(default_factory=set)
    busy: bool = False
    lost: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    silent_from: int | None = None
    gone_from: int | None = None
    hangs_up: bool = False
    jitter_ns: tuple[int, ...] = (0,)
    stamp_offset_ns: int | None = 0
    buffers: int = 4
    nodes_open: int = 0
    captures_open: int = 0

    def open_node(self, path: str) -> FakeNode:
        """Open the device node; stands for ``V4l2Node``."""
        if path != self.path:
            raise CameraError(f"{path}: there is no such device; plug the camera in, or set camera_id")
        return FakeNode(self)

    def check_empty(self) -> None:
        """Raise AssertionError if anything is still open."""
        if self.nodes_open or self.captures_open:
            raise AssertionError(f"fake usb camera: {self.nodes_open} nodes, {self.captures_open} captures left open")


class FakeNode:
    """The device node and its controls."""

    card = "Fake Webcam"

    def __init__(self, bench: Bench) -> None:
        self.identity = f"{self.card} {bench.serial}"
        self._bench = bench
        self._open = True
        self.path = bench.path
        bench.nodes_open += 1

    def range(self, control: int) -> Range | None:
        """Return a control's range, None where there is no such control."""
        self._check()
        return self._bench.controls[control].range if control in self._bench.controls else None

    def get(self, control: int) -> int:
        """Return a control's value."""
        self._check()
        return self._found(control).value

    def set(self, control: int, value: int) -> None:
        """Set a control, moved into its range."""
        self._check()
        found = self._found(control)
        if control not in self._bench.deaf_to:
            found.value = min(max(value, found.range.least), found.range.most)

    def close(self) -> None:
        """Close it; twice is legal."""
        self._bench.nodes_open -= self._open
        self._open = False

    def _check(self) -> None:
        if not self._open:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def _found(self, control: int) -> Control:
        if control not in self._bench.controls:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return self._bench.controls[control]
