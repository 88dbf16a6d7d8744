"""The ports: what the loop asks of a camera, a speaker, a valve, lines and a lick sensor. Two to five verbs each.

Every implementation (hardware, fake, replay, simulated mouse) passes the conformance suite of its port in
``tests/conformance/``. Every ``close()`` may be called twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from core.losses import Losses
from core.values import Frame, Level, Lick, Pose, Pulse, Report, Signal


class EndOfSource(Exception):
    """A recording has no more frames. Not an error: the session ends."""


class NotJudged(Exception):
    """A recorded log skipped this frame: it is to be recorded, and not judged. Not an error."""


class Interrupted(Exception):
    """A preparation was broken off, as its caller had told it to; nothing of it is left."""


@runtime_checkable
class Camera(Protocol):
    """A source of frames. All verbs are called by the runner's thread."""

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(height, width, 3) of every frame; known before ``start``."""

    @property
    def frame_dtype(self) -> str:
        """``"uint8"`` or ``"uint16"``; known before ``start``."""

    @property
    def expected_frames(self) -> int | None:
        """Frames the source holds, or None when it does not end by itself."""

    def start(self) -> None:
        """Begin to deliver frames. Raises CameraError."""

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame in order, waiting for at most ``timeout_s``.

        Raises EndOfSource at the end of a recording, CameraTimeout when none came in time, CameraError otherwise.
        """

    def close(self) -> None:
        """Stop and release everything."""


@runtime_checkable
class Speaker(Protocol):
    """One tone at a time. ``set_tone`` is called by the runner's thread, at most once per frame, and never blocks."""

    def set_tone(self, freq_hz: float, time_ns: int) -> None:
        """Play ``freq_hz`` from now on, 0 for silence. ``time_ns`` is the frame that asked. Raises OutputError."""

    def close(self) -> None:
        """Fall silent and release the device."""


@runtime_checkable
class Valve(Protocol):
    """The water valve. A pulse times itself; the caller never closes it."""

    def pulse(self, duration_s: float, time_ns: int) -> None:
        """Open now, close ``duration_s`` later. Raises OutputError on a pulse that is not allowed."""

    def close(self) -> None:
        """Shut the valve, whatever it was doing, and release it."""


@runtime_checkable
class Bounded(Protocol):
    """A valve that tells beforehand what it would refuse. Called by the runner's thread."""

    def refusal(self, duration_s: float, drops: int = 1) -> str:
        """Return why the last of so many pulses would be refused now; empty: it would not."""


@runtime_checkable
class Lines(Protocol):
    """The other digital outputs: LEDs, light and TTL lines."""

    def set(self, level: Level, time_ns: int) -> None:
        """Set a line and leave it."""

    def pulse(self, pulse: Pulse, time_ns: int) -> None:
        """Raise a line for a while; it falls by itself."""

    def close(self) -> None:
        """All lines low, then release them."""


@runtime_checkable
class LickSensor(Protocol):
    """Licks since the last look. Called once per frame by the runner's thread; never blocks."""

    def read(self, until_ns: int) -> tuple[Lick, ...]:
        """Return the licks up to ``until_ns`` that have not been returned yet, oldest first."""

    def close(self) -> None:
        """Release the device."""


@runtime_checkable
class Reporter(Protocol):
    """A device that tells what happens to it by itself. Beside its own port; called once per frame, never blocks."""

    def reports(self) -> tuple[Report, ...]:
        """Return what has happened since the last look, oldest first. Raises OutputError when the device is lost."""


@runtime_checkable
class Reconnectable(Protocol):
    """A device that can be lost in mid-session and opened anew. Beside its own port; called by the runner's thread."""

    def reconnect(self) -> None:
        """Open the device again, outputs low and silent, a short step at a time.

        It may take a minute, in which the runner keeps others company and listens for a stop: each call waits 0.1 s at
        most, and is repeated until one returns. Raises StillOpening (of a camera: CameraTimeout) while it goes on;
        another OutputError or CameraError when the device could not be had: the next call then tries anew. ``close``
        breaks it off.
        """


@runtime_checkable
class Described(Protocol):
    """A device that tells what it is. Beside its own port; asked by the runner's thread while the device is open."""

    @property
    def facts(self) -> Mapping[str, object]:
        """What was read back of it at its last opening, for the session's record; empty before."""


@runtime_checkable
class LeavesBehind(Protocol):
    """A device whose process may hang in the kernel at its end, where nothing can end it. Beside its own port."""

    def left_behind(self) -> tuple[Report, ...]:
        """Return what was left behind since the last look; also after ``close``."""


@runtime_checkable
class Counting(Protocol):
    """A camera that counts the frames that it does not give. Beside its own port; any thread."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Frames so far, by cause: those lost, and ``repeat``, which came before."""


@runtime_checkable
class Losing(Protocol):
    """A camera that knows what it lost after its last frame. Beside its own port; any thread, also after ``close``."""

    @property
    def lost_since(self) -> Losses:
        """Frames lost after the one that ``read`` gave last, by cause; none where others wait to be read."""


@runtime_checkable
class Queued(Protocol):
    """A camera whose frames wait in a queue while the reader is busy. Beside its own port; runner's thread."""

    @property
    def waiting(self) -> int:
        """Frames that ``read`` would return at once."""


@runtime_checkable
class PoseEstimator(Protocol):
    """Finds the body parts of a mouse in a frame. All verbs are called by the runner's thread.

    One that lives in a process of its own is ``Reconnectable``, too, raising PoseError in place of OutputError.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the body parts, in the order of ``Pose.points``; known once it is open."""

    def open(self, go_on: Callable[[str], bool]) -> None:
        """Get ready for frames. ``go_on`` is told ten times a second what it is at; what it returns: whether to go on.

        Raises InputError for a model, log or marker that cannot be used, MissingError for a library that is not
        installed, Interrupted where ``go_on`` returned False. Nothing is left of it then.
        """

    def estimate(self, frame: Frame, alive: Callable[[], None]) -> Pose:
        """Return the pose in a frame, which is neither kept nor written to; the pose is the caller's.

        ``alive`` is called at least every 0.1 s while it is waited for. Raises PoseError when it cannot be had, within
        a bounded time whatever happens. One that reads a log raises NotJudged, and EndOfSource at its end.
        """

    def close(self) -> None:
        """Release everything."""


class Pipeline(Protocol):
    """Turns frames into the signal that drives tone and water. Pure but for its own history."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of ``Signal.parts``, such as ``("BC_L", "BC_R")``."""

    def update(self, frame: Frame) -> Signal:
        """Take the next frame, return its signal. Raises nothing on odd pixels: those give an invalid signal.

        Raises PoseError when what estimates the pose failed.
        """


class Clock(Protocol):
    """Host time. The only way anything in the rig learns what time it is."""

    def now_ns(self) -> int:
        """Return monotonic ns."""

    def wall_ns(self) -> int:
        """Return ns since 1970 (UTC)."""

    def sleep_until_ns(self, time_ns: int) -> None:
        """Return when ``now_ns() >= time_ns``, at once if that is past."""
