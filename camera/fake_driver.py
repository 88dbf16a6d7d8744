"""A camera's driver that follows a script: frames, losses, repeats, silence, errors, and calls that hang."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event, get_ident

from camera.driver import Grabbed, Lost
from core.errors import CameraError

HANG_S = 60.0
"""A call that hangs ends after this at the latest, so that no test leaves a thread for good."""


@dataclass(frozen=True)
class Give:
    """One frame, or word of frames that were lost."""

    frame: Grabbed | Lost


@dataclass(frozen=True)
class Silence:
    """No frame comes within the time allowed; once."""


@dataclass(frozen=True)
class Fail:
    """The call raises this."""

    error: Exception = field(default_factory=lambda: CameraError("scripted camera: lost, as the script says"))


@dataclass(frozen=True)
class Hang:
    """The call does not return until ``free`` is set, then as if nothing came."""

    free: Event


@dataclass(frozen=True)
class Become:
    """The camera that is opened is this one, from now on."""

    identity: str
    facts: Mapping[str, object]


Act = Give | Silence | Fail | Hang


class ScriptedDriver:
    """Does one act of its script per ``grab``; silent when the script is over.

    It refuses what the port forbids, with AssertionError: verbs out of order, and verbs from more than one thread.

    Parameters
    ----------
    script : iterable of Give, Silence, Fail, Hang
        What each ``grab`` does, whichever time the camera has been opened.
    opens : iterable of Fail, Hang, Become or None
        What each ``open`` does; succeeds when these are used up.
    closes : iterable of Fail or None
        What each ``close`` does, likewise.
    facts : mapping
        What ``open`` returns.

    Attributes
    ----------
    calls : list of str
        The verbs called, but for ``grab``.
    played : Event
        Set once the script is over, and the driver was asked for more.
    """

    name = "scripted camera"

    def __init__(
        self,
        script: Iterable[Act] = (),
        opens: Iterable[Fail | Hang | Become | None] = (),
        facts: Mapping[str, object] | None = None,
        closes: Iterable[Fail | None] = (),
    ) -> None:
        self._script = list(script)
        self._opens = list(opens)
        self._closes = list(closes)
        self._facts: Mapping[str, object] = {"exposure_us": 1000.0} if facts is None else dict(facts)
        self.identity = "scripted camera 1"
        self._state = "closed"
        self._thread = 0
        self._quiet = Event()
        self.calls: list[str] = []
        self.played = Event()

    def open(self) -> Mapping[str, object]:
        """Open as ``opens`` says."""
        self._use("open", "closed", "open")
        act = self._opens.pop(0) if self._opens else None
        if isinstance(act, Become):
            self.identity, self._facts = act.identity, act.facts
        elif act is not None:
            self._state = "closed"
            self._do(act, 0.0)
        self._state = "open"
        return self._facts

    def start(self) -> None:
        """Begin, or go on, with the script."""
        self._use("start", "open", "started")

    def grab(self, timeout_s: float) -> Grabbed | Lost | None:
        """Do the next act."""
        self._use("", "started", "started")
        if not self._script:
            self.played.set()
            self._quiet.wait(timeout_s)
            return None
        return self._do(self._script.pop(0), timeout_s)

    def close(self) -> None:
        """Close; at any time, as ``closes`` says."""
        self._use("close", self._state, self._state)
        act = self._closes.pop(0) if self._closes else None
        if act is not None:
            self._do(act, 0.0)
        self._state = "closed"

    def check_played(self) -> None:
        """Raise AssertionError unless all of the script was played and the driver is closed."""
        left = len(self._script) + len(self._opens) + len(self._closes)
        if left or self._state != "closed":
            raise AssertionError(f"scripted camera: {left} acts left over, {self._state} at the end")

    def _do(self, act: Act, timeout_s: float) -> Grabbed | Lost | None:
        if isinstance(act, Give):
            return act.frame
        if isinstance(act, Fail):
            raise act.error
        if isinstance(act, Hang):
            act.free.wait(HANG_S)
        else:
            self._quiet.wait(timeout_s)
        return None

    def _use(self, verb: str, needed: str, then: str) -> None:
        self._thread = self._thread or get_ident()
        if get_ident() != self._thread:
            raise AssertionError(f"scripted camera: {verb or 'grab'} came from a second thread")
        if self._state != needed:
            raise AssertionError(f"scripted camera: {verb or 'grab'} when {self._state}, allowed when {needed}")
        self._state = then
        if verb:
            self.calls.append(verb)
