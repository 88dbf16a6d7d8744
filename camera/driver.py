"""What the grabber asks of a camera's library: a driver yields frames, it makes no thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from core.values import Image


class Grabbed(NamedTuple):
    """A frame as its driver has it.

    Attributes
    ----------
    image : ndarray, (height, width, 3) uint8 or uint16
        BGR; may be the library's own memory, valid until the next call of the driver. The grabber copies it.
    time_ns : int
        Capture time (as near to the exposure as the library tells) on the host's monotonic clock, ns.
    sensor_ns : int
        The camera's own stamp, ns; 0 where it has none.
    lost : int
        Frames lost between the one before and this one, found by frame id or stamp.
    cause : str
        Of ``lost``: ``"transport"``, ``"incomplete"``, ``"driver"``...; empty if none was lost.
    """

    image: Image
    time_ns: int
    sensor_ns: int = 0
    lost: int = 0
    cause: str = ""


class Lost(NamedTuple):
    """Frames that will not come; for a driver that learns of them apart from the next frame.

    Attributes
    ----------
    n : int
        At least 1. Not counted in ``lost`` of any frame.
    cause : str
        As in Grabbed.
    time_ns : int
        When it was noticed, on the host's monotonic clock, ns.
    """

    n: int
    cause: str
    time_ns: int


class Driver(Protocol):
    """One camera's library. All verbs are called by the grabber's thread, in the order open, start, grab..., close.

    ``open`` after ``close`` is legal: that is how a lost camera comes back.
    """

    @property
    def name(self) -> str:
        """The camera, for messages, such as ``"genicam Aravis-Fake-GV01"``; known after ``open``."""

    @property
    def identity(self) -> str:
        """What tells the camera from another that could answer in its place, as far as the library knows.

        Maker, model and serial number, or the port that it hangs on; known after ``open``. A camera that comes back
        after a loss must have the same one. Never an address that may change while the camera stays.
        """

    def open(self) -> Mapping[str, object]:
        """Connect; fix resolution, frame rate, exposure, gain and white balance; read them back.

        Returns what was read back, for the session's record (``{"exposure_us": 59998.0, "gain": 8.0, ...}``).
        Raises CameraError naming camera, setting, value wanted and had, and the cure.
        """

    def start(self) -> None:
        """Begin to acquire. Raises CameraError."""

    def grab(self, timeout_s: float) -> Grabbed | Lost | None:
        """Return the next frame, or what was lost before it, or None when nothing came in time.

        Raises CameraError when the camera is lost.
        """

    def close(self) -> None:
        """Stop and release; at any time, twice is legal, never raises for a camera that has gone."""
