"""A V4L2 device node: what it is, and its controls, which OpenCV reaches only in part and without their ranges."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import NamedTuple

from core.errors import CameraError

# linux/videodev2.h: numbers of the kernel's interface, which never change.
_QUERYCAP = struct.Struct("=16s32s32s6I")
_CONTROL = struct.Struct("=Ii")
_QUERYCTRL = struct.Struct("=II32siiiiI2I")
_VIDIOC_QUERYCAP = 0x80685600
_VIDIOC_G_CTRL = 0xC008561B
_VIDIOC_S_CTRL = 0xC008561C
_VIDIOC_QUERYCTRL = 0xC0445624
_CAP_VIDEO_CAPTURE = 0x00000001
_CAP_DEVICE_CAPS = 0x80000000
_FLAG_DISABLED = 0x0001

AUTO_WHITE_BALANCE = 0x0098090C
AUTOGAIN = 0x00980912
GAIN = 0x00980913
WHITE_BALANCE_TEMPERATURE = 0x0098091A
EXPOSURE_AUTO = 0x009A0901
EXPOSURE_ABSOLUTE = 0x009A0902
EXPOSURE_AUTO_PRIORITY = 0x009A0903
FOCUS_ABSOLUTE = 0x009A090A
FOCUS_AUTO = 0x009A090C

EXPOSURE_MANUAL = 1
EXPOSURE_UNIT_US = 100
"""EXPOSURE_ABSOLUTE counts these."""

PERMISSION_CURE = "sudo usermod -aG video $USER, then log out and in again"
NODES = Path("/dev")
SYSFS = Path("/sys/class/video4linux")


class Range(NamedTuple):
    """Values that a control takes."""

    least: int
    most: int
    step: int


class V4l2Node:
    """One open device node, beside the one that streams: V4L2 lets controls be set from any.

    Parameters
    ----------
    path : str
        ``/dev/video0``, or a link to it.

    Attributes
    ----------
    path : str
    card : str
        The camera in its driver's words.
    identity : str
        ``card`` with the serial number that the camera tells, else with the port that it hangs on.

    Raises
    ------
    CameraError
        If there is no such device, it may not be opened, it is not a V4L2 device, or none that frames come from.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = _open(path)
        try:
            self.card, port = self._identify()
        except BaseException:
            self.close()
            raise
        serial = serial_of(path)
        self.identity = f"{self.card} {serial}" if serial else f"{self.card} at {port}"

    def range(self, control: int) -> Range | None:
        """Return the values that a control takes, or None if the camera has no such control."""
        try:
            answer = fcntl.ioctl(self._fd, _VIDIOC_QUERYCTRL, _QUERYCTRL.pack(control, 0, b"", *(0,) * 7))
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return None
            raise
        _, _, _, least, most, step, _, flags, *_ = _QUERYCTRL.unpack(answer)
        return None if flags & _FLAG_DISABLED else Range(least, most, step)

    def get(self, control: int) -> int:
        """Return a control's value. Raises OSError."""
        answer = fcntl.ioctl(self._fd, _VIDIOC_G_CTRL, _CONTROL.pack(control, 0))
        return int(_CONTROL.unpack(answer)[1])

    def set(self, control: int, value: int) -> None:
        """Set a control; a number out of range is moved into it by the kernel. Raises OSError."""
        fcntl.ioctl(self._fd, _VIDIOC_S_CTRL, _CONTROL.pack(control, value))

    def close(self) -> None:
        """Close the node; twice is legal."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _identify(self) -> tuple[str, str]:
        """Return the camera's name and its port."""
        try:
            answer = fcntl.ioctl(self._fd, _VIDIOC_QUERYCAP, bytes(_QUERYCAP.size))
        except OSError as error:
            raise CameraError(
                f"{self.path}: is not a video device ({error.strerror}); give camera_id = /dev/videoN{_there()}"
            ) from error
        _, card, bus, _, capabilities, of_this_node, *_ = _QUERYCAP.unpack(answer)
        name, port = (each.split(b"\0")[0].decode("utf-8", "replace") for each in (card, bus))
        if not (of_this_node if capabilities & _CAP_DEVICE_CAPS else capabilities) & _CAP_VIDEO_CAPTURE:
            raise CameraError(
                f"{self.path} ({name}): no frames come from it (cameras have a second node for other data); "
                f"give the camera's other number as camera_id{_there()}"
            )
        return name, port


def serial_of(path: str) -> str:
    """Return the serial number of the USB device behind a node, "" where it has none."""
    interface = SYSFS / os.path.basename(os.path.realpath(path)) / "device"
    try:
        return (interface.resolve().parent / "serial").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            text = f"{path}: may not be opened; {PERMISSION_CURE}"
        elif error.errno in (errno.ENOENT, errno.ENOTDIR):
            text = f"{path}: there is no such device; plug the camera in, or set camera_id{_there()}"
        elif error.errno == errno.EBUSY:
            text = f"{path}: is used by another program; end it (fuser -v {path} tells which)"
        else:
            text = f"{path}: cannot be opened ({error.strerror}); unplug the camera and plug it in again"
        raise CameraError(text) from error


def _there() -> str:
    """Return which video nodes there are, as the end of a message."""
    nodes = sorted((str(node) for node in NODES.glob("video[0-9]*")), key=lambda name: (len(name), name))
    return f" (there are {', '.join(nodes)})" if nodes else " (there is no /dev/video* at all)"
