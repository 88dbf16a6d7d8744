"""A hardware camera: any driver, grabbed in a thread of its own, behind the Camera port."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import TypeVar

from camera.driver import Driver, Lost
from camera.driver_thread import Call, DriverThread
from camera.frame_buffer import FrameBuffer
from camera.lifecycle import Lifecycle
from camera.same_camera import Opened, difference
from camera.settings import CameraSettings
from core.errors import CameraError, CameraTimeout
from core.losses import Losses
from core.ports import Clock, Interrupted
from core.values import Frame, Image, Report

T = TypeVar("T")

OPEN_S = 20.0
"""Longest that a driver may take to open its camera, s: network cameras are looked for and asked many times over."""
START_S = 10.0
RECONNECT_S = 0.1
"""Longest that one call of ``reconnect`` waits, s."""
CLOSE_S = 10.0
"""A GigE camera that has gone is written to, and waited for, three times over while its driver lets it go."""
DROP_S = 1.0
"""How long a driver is waited for at ``close`` that was broken off: nobody waits for its camera any more, s."""
GRAB_S = 0.1
"""Longest single wait for a frame in the thread, s: so soon does it look up when it is asked for something else."""


class Grabber:
    """Owns one thread, which makes every call of the driver and copies each frame into a bounded buffer.

    The thread is made by ``connect`` and ended by ``close``. All verbs are called by one thread, the runner's, and wait
    for a bounded time only; a driver that hangs in a call costs an error, not the session, and at ``close`` its thread
    is left behind, which ``reports`` tells as ``camera_stuck``.

    Frames are numbered from 1; each frame that was lost, whatever lost it, leaves a gap, also across ``reconnect``. A
    frame whose time is not after that of the one before is the same frame again: it is not delivered, and counted.

    A camera that comes back must be the one that was lost, and must have the settings that it had: any other is closed
    again and refused (see camera/same_camera.py).

    Parameters
    ----------
    driver : Driver
        Not yet open; owned and closed by this one.
    settings : CameraSettings
        ``resolution``, ``framerate`` and ``camera_buffer`` are used here, the rest by the driver.
    clock : Clock
        For the times of what happens between frames.
    dtype : {"uint8", "uint16"}
        Of the frames that the driver is set to give.
    """

    expected_frames = None

    def __init__(self, driver: Driver, settings: CameraSettings, clock: Clock, dtype: str = "uint8") -> None:
        width, height = settings.resolution
        self.frame_shape = (height, width, 3)
        self.frame_dtype = dtype
        self._driver = driver
        self._clock = clock
        self._kind = settings.vid_source.value
        self._buffer = FrameBuffer(self.frame_shape, dtype, settings.camera_buffer, settings.framerate)
        self._thread = DriverThread(self._name, self._grab, self._let_go)
        self._life = Lifecycle(f"{self._kind} camera")
        self._facts: dict[str, object] = {}
        self._first: Opened | None = None
        self._adapting = settings.awb_mode != "off"
        self._connected = False
        self._attempt: Call | None = None
        self._broken_off = False
        self._why = ""
        self._last_words: tuple[Report, ...] = ()

    @property
    def facts(self) -> Mapping[str, object]:
        """What the driver read back of the camera's settings, the last time it was opened; empty before ``connect``."""
        return dict(self._facts)

    @property
    def counts(self) -> Mapping[str, int]:
        """Frames lost or repeated so far, by cause: ``transport``, ``incomplete``, ``late``, ``repeat``..."""
        return self._buffer.counts

    @property
    def lost_since(self) -> Losses:
        """Frames lost after the one that ``read`` gave last, by cause; none where others wait."""
        return self._buffer.lost_since

    @property
    def waiting(self) -> int:
        """Frames that ``read`` would return at once."""
        return self._buffer.waiting

    def connect(self, go_on: Callable[[], bool] = lambda: True) -> None:
        """Open the camera and set it up, so that a session can be refused before it has made anything.

        Parameters
        ----------
        go_on : callable
            Asked ten times a second whether to go on.

        Raises
        ------
        CameraError
            As the driver does, or when that takes longer than OPEN_S.
        Interrupted
            ``go_on`` returned False. ``close`` then waits for the driver for DROP_S only, and leaves it behind.
        """
        self._life.check_open()
        if not self._connected:
            self._run("open", self._open, OPEN_S, go_on)
            self._connected = True

    def start(self, go_on: Callable[[], bool] = lambda: True) -> None:
        """Begin to grab, within START_S; connects first where that was not done. As ``connect``."""
        self._life.start()
        self.connect(go_on)
        self._run("start", self._start, START_S, go_on, turning=True)

    def read(self, timeout_s: float) -> Frame:
        """Return the oldest frame that waits, or the next, for at most ``timeout_s`` (s).

        Raises CameraTimeout when none came in time, and, once no frame waits, CameraError if the camera is lost.
        """
        self._life.check_readable()
        frame = self._buffer.take(timeout_s)
        if frame is None:
            raise CameraTimeout(
                f"{self._name()}: no frame within {timeout_s:g} s{self._so_far()}; see to its cable and power, or "
                "allow more with camera_timeout_s"
            )
        return frame

    def reports(self) -> tuple[Report, ...]:
        """Return what has happened since the last look, oldest first.

        ``drop "3 transport"`` (time of the first of them), ``camera_lost`` with the reason, ``camera_back`` with the
        number of frames missed, ``camera_stuck`` after ``close``.
        """
        last_words, self._last_words = self._last_words, ()
        return (*self._buffer.take_reports(), *last_words)

    def reconnect(self, wait_s: float | None = None) -> None:
        """Close the camera, open it anew and grab on; numbers go on, with a gap for the frames that were not taken.

        A lost camera may take many seconds to be let go and found again, in which its caller has a guardian to keep
        company: this returns after ``wait_s`` (s; RECONNECT_S without one), and is called again until it succeeds.
        Raises CameraTimeout while that goes on, CameraError when the camera could not be had; the next call then tries
        anew.
        """
        self._life.check_readable()
        if self._attempt is None:
            self._buffer.camera_lost(self._clock.now_ns(), "no frames came")
            self._attempt = self._thread.ask("reconnect", self._reopen, turning=True)
        done = True  # also where it fails
        try:
            done = self._thread.wait(self._attempt, RECONNECT_S if wait_s is None else wait_s)
        except CameraError as error:
            self._why = str(error)
            self._buffer.fail(error, self._clock.now_ns())
            raise
        finally:
            # One that ends only now has not been told: the next call does.
            if done:
                self._attempt = None
        if not done:
            raise CameraTimeout(self._why or f"{self._name()}: is being opened again ({self._thread.doing})")
        self._why = ""

    def close(self) -> None:
        """Stop the camera and end the thread, or leave it behind after CLOSE_S (DROP_S); twice is legal."""
        if self._life.close() and (stuck := self._thread.close(DROP_S if self._broken_off else CLOSE_S)):
            text = f"{self._name()}: its driver hangs in {stuck} and was left behind"
            self._last_words = (Report(self._clock.now_ns(), "camera_stuck", text),)

    def _run(
        self,
        what: str,
        function: Callable[[], None],
        timeout_s: float,
        go_on: Callable[[], bool],
        turning: bool = False,
    ) -> None:
        try:
            self._thread.run(what, function, timeout_s, go_on, turning)
        except Interrupted:
            self._broken_off = True
            raise

    def _name(self) -> str:
        return self._first.name if self._first else f"{self._kind} camera"

    def _so_far(self) -> str:
        counts = ", ".join(f"{n} {cause}" for cause, n in self._buffer.counts.items())
        return f" (so far lost or repeated: {counts})" if counts else ""

    def _open(self) -> None:
        """Open the driver; this and what follows, in its thread. Raises CameraError for another camera."""
        facts = self._guarded("cannot be opened", self._driver.open)
        opened = Opened(self._driver.name, self._driver.identity, facts)
        if self._first is None:
            self._first = opened
        elif other := difference(self._first, opened, self._adapting):
            try:
                self._driver.close()
            except Exception as error:  # noqa: BLE001 - why it is refused is what a person needs to read
                other += f" (and it could not be closed: {error})"
            raise CameraError(other)
        self._facts = {"camera": opened.name, "identity": opened.identity, **facts}

    def _start(self) -> None:
        self._guarded("cannot be started", self._driver.start)

    def _reopen(self) -> None:
        self._guarded("cannot be closed", self._driver.close)
        self._open()
        self._buffer.resume(self._clock.now_ns(), "no frames came")
        self._start()

    def _guarded(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except CameraError:
            raise
        except Exception as error:
            raise self._as_camera_error(what, error) from error

    def _grab(self) -> bool:
        """Take one frame from the driver, if one comes; return whether the camera is still there."""
        try:
            grabbed = self._driver.grab(GRAB_S)
            if isinstance(grabbed, Lost):
                self._buffer.lose(grabbed)
            elif grabbed is not None:
                self._check(grabbed.image)
                self._buffer.put(grabbed)
        except Exception as error:  # noqa: BLE001 - read() raises it, in the thread that can do something about it
            self._buffer.fail(self._as_camera_error("failed", error), self._clock.now_ns())
            return False
        return True

    def _let_go(self) -> None:
        """Close the driver: the last thing that the thread does."""
        try:
            self._driver.close()
        except Exception as error:  # noqa: BLE001 - the session has ended; there is no one left to act on it
            text = f"{self._name()}: could not be closed: {error}"
            self._last_words = (Report(self._clock.now_ns(), "camera_stuck", text),)

    def _check(self, image: Image) -> None:
        if (image.shape, image.dtype.name) != (self.frame_shape, self.frame_dtype):
            raise CameraError(
                f"{self._name()}: a frame of shape {image.shape} {image.dtype.name} came, wanted is "
                f"{self.frame_shape} {self.frame_dtype}; set resolution to what the camera gives"
            )

    def _as_camera_error(self, what: str, error: Exception) -> CameraError:
        if isinstance(error, CameraError):
            return error
        wrapped = CameraError(f"{self._name()}: {what}: {error}; see to its cable and power, then start again")
        wrapped.details = "".join(traceback.format_exception(error))
        return wrapped
