"""A USB camera on any clock: a module that stands for cv2's capture (its device node is in ``fake_v4l2_bench``).

Held to OpenCV 4.11 with its V4L2 backend: names and numbers of properties (``tests/camera`` compares them with cv2),
what ``set`` refuses, what ``waitAny`` and ``retrieve`` return, that a late reader finds the oldest frames and loses
those for which the kernel had no free buffer. Threads are not modelled: the camera catches up with the clock whenever
it is called.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from camera.fake_v4l2_bench import Bench
from core.values import Image

CONSTANTS = {
    "CAP_V4L2": 200,
    "CAP_PROP_POS_MSEC": 0,
    "CAP_PROP_FRAME_WIDTH": 3,
    "CAP_PROP_FRAME_HEIGHT": 4,
    "CAP_PROP_FPS": 5,
    "CAP_PROP_FOURCC": 6,
    "CAP_PROP_BUFFERSIZE": 38,
}
DELIVERY_NS = 30_000_000
"""From the stamp (first packet on the wire) to the whole frame, ns."""


class FakeError(Exception):
    """Stands for cv2.error."""


class WouldHang(AssertionError):
    """The real library would wait here for ever, or crash."""


def make_cv2(bench: Bench) -> Any:
    """Return what stands for the module cv2, as far as live cameras go."""
    capture = type("VideoCapture", (FakeCapture,), {"bench": bench})
    return SimpleNamespace(**CONSTANTS, VideoCapture=capture, VideoWriter_fourcc=fourcc_code, error=FakeError)


def fourcc_code(c1: str, c2: str, c3: str, c4: str) -> int:
    """Return a pixel format's number."""
    return int.from_bytes(f"{c1}{c2}{c3}{c4}".encode("ascii"), "little")


class _Filled(NamedTuple):
    frame: int
    stamp_ns: int


class FakeCapture:
    """cv2.VideoCapture on a V4L2 camera. Make it by ``make_cv2``."""

    bench: Bench

    def __init__(self, filename: str, apiPreference: int = 0) -> None:  # noqa: N803 - OpenCV's own name
        bench = self.bench
        self._open = filename == bench.path and apiPreference == CONSTANTS["CAP_V4L2"] and not bench.busy
        bench.captures_open += self._open
        self._fourcc = "YUYV"
        self._asked = [640, 480]
        self._fps = 30
        self._streaming = False
        self._frame = 0
        self._due_ns = 0
        self._filled: deque[_Filled] = deque()
        self._pending: _Filled | None = None
        self._last_stamp_ns = 0

    def isOpened(self) -> bool:  # noqa: N802
        """Whether it can be used."""
        return self._open

    def set(self, propId: int, value: float) -> bool:  # noqa: N803
        """Set a property; False if it cannot be. Sizes and rates become the nearest that the camera has."""
        name = _property(propId)
        if not self._open:
            return False
        if self._streaming and name != "CAP_PROP_FPS":
            self._streaming = False  # OpenCV starts the stream anew
        if name == "CAP_PROP_FOURCC":
            fourcc = int(value).to_bytes(4, "little").decode("ascii", "replace")
            if fourcc not in self.bench.modes:
                return False
            self._fourcc = fourcc
        elif name in ("CAP_PROP_FRAME_WIDTH", "CAP_PROP_FRAME_HEIGHT"):
            self._asked[name == "CAP_PROP_FRAME_HEIGHT"] = round(value)
        elif name == "CAP_PROP_FPS":
            self._fps = round(value)
        elif name == "CAP_PROP_BUFFERSIZE":
            if not 1 <= value <= 10:
                return False
            self.bench.buffers = round(value)
        else:
            return False
        return True

    def get(self, propId: int) -> float:  # noqa: N803
        """Return a property."""
        name = _property(propId)
        width, height = self._size()
        return {
            "CAP_PROP_POS_MSEC": self._last_stamp_ns / 1e6,
            "CAP_PROP_FRAME_WIDTH": width,
            "CAP_PROP_FRAME_HEIGHT": height,
            "CAP_PROP_FPS": self._rate(),
            "CAP_PROP_FOURCC": fourcc_code(*self._fourcc),
            "CAP_PROP_BUFFERSIZE": self.bench.buffers,
        }[name]

    @staticmethod
    def waitAny(streams: Sequence[FakeCapture], timeoutNs: int = 0) -> tuple[bool, tuple[int, ...]]:  # noqa: N802, N803
        """Wait until a stream has a frame, for at most ``timeoutNs`` (0: for ever); grabs it."""
        (stream,) = streams
        if not stream._open:
            raise WouldHang("fake cv2: waitAny on a capture that is not open crashes OpenCV 4.11")
        return stream._wait(timeoutNs)

    def retrieve(self) -> tuple[bool, Image | None]:
        """Return the frame that was grabbed, as BGR."""
        if self._pending is None:
            return False, None
        taken, self._pending = self._pending, None
        width, height = self._size()
        if taken.frame in self.bench.broken:
            return True, np.empty((0, 0, 3), np.uint8)
        image = np.empty((height, width, 3), np.uint8)
        image[:] = (40, 120, 200)
        image[0, 0] = taken.frame % 256
        return True, image

    def release(self) -> None:
        """Stop and close; twice is legal."""
        self.bench.captures_open -= self._open
        self._open = self._streaming = False

    def _wait(self, timeout_ns: int) -> tuple[bool, tuple[int, ...]]:
        bench, clock = self.bench, self.bench.clock
        if not self._streaming:
            self._streaming = True
            self._filled.clear()
            self._due_ns = clock.now_ns() + self._interval_ns()
        # poll() counts whole milliseconds, rounded up
        give_up_ns = clock.now_ns() + -(-timeout_ns // 1_000_000) * 1_000_000
        self._catch_up()
        while not self._filled:
            if bench.gone_from is not None and self._frame >= bench.gone_from:
                if bench.hangs_up:
                    return True, ()
                raise FakeError("Error is reported for camera stream: 0 (handle = 5)")
            silent = bench.silent_from is not None and self._frame >= bench.silent_from
            if silent and timeout_ns <= 0:
                raise WouldHang("fake cv2: no frame will ever come, and no time limit was given")
            if silent or self._due_ns + DELIVERY_NS > give_up_ns:
                clock.sleep_until_ns(give_up_ns)
                return False, ()
            clock.sleep_until_ns(self._due_ns + DELIVERY_NS)
            self._catch_up()
        self._pending = self._filled.popleft()
        self._last_stamp_ns = self._pending.stamp_ns
        return True, (0,)

    def _catch_up(self) -> None:
        """Let happen what has happened up to now: frames fill buffers in order, or are lost for want of one."""
        bench = self.bench
        ends = [end for end in (bench.silent_from, bench.gone_from) if end is not None]
        while self._due_ns + DELIVERY_NS <= bench.clock.now_ns() and not any(self._frame >= end for end in ends):
            free = len(self._filled) + (self._pending is not None) < bench.buffers
            if free and self._frame not in bench.lost:
                self._filled.append(_Filled(self._frame, self._stamp_ns()))
            self._frame += 1
            self._due_ns += self._interval_ns()

    def _stamp_ns(self) -> int:
        if self.bench.stamp_offset_ns is None:
            return 0
        jitter_ns = self.bench.jitter_ns[self._frame % len(self.bench.jitter_ns)]
        return (self._due_ns + jitter_ns + self.bench.stamp_offset_ns) // 1000 * 1000  # a timeval counts us

    def _size(self) -> tuple[int, int]:
        width, height = self._asked
        return min(self.bench.modes[self._fourcc], key=lambda size: abs(size[0] - width) + abs(size[1] - height))

    def _rate(self) -> int:
        return min(self._fps, self.bench.modes[self._fourcc][self._size()])

    def _interval_ns(self) -> int:
        return round(1e9 / self._rate())


def _property(number: int) -> str:
    for name, value in CONSTANTS.items():
        if value == number and name.startswith("CAP_PROP"):
            return name
    raise NotImplementedError(f"fake cv2: property {number} is not modelled")
