"""The one thread in which all calls of a camera's driver are made: some vendors' libraries demand that."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread

from core.errors import CameraError
from core.ports import Interrupted

STEP_S = 0.1
"""Longest that ``run`` waits before it asks again whether to go on, s."""


class Call:
    """Something that the thread was asked to do, and how it ended."""

    def __init__(self, what: str, function: Callable[[], None], turning: bool) -> None:
        self.what = what
        self.function = function
        self.turning = turning
        self.done = False
        self.error: Exception | None = None


class DriverThread:
    """Owns a daemon thread that runs what it is asked to and, in between, ``turn`` again and again.

    The thread is made by the first ``run``. It ends at ``close``, after ``last``; where the driver hangs in a call it
    is left behind, as a daemon, because nothing can end a thread from outside.

    Parameters
    ----------
    name : callable
        Gives the camera's name, for messages.
    turn : callable
        One bounded step, such as waiting 0.1 s for a frame. Returns whether to go on with turns by itself.
    last : callable
        What is run in the thread before it ends.

    Attributes
    ----------
    doing : str
        The verb that the thread is in now; empty when it rests.
    """

    def __init__(self, name: Callable[[], str], turn: Callable[[], bool], last: Callable[[], None]) -> None:
        self._name = name
        self._turn = turn
        self._last = last
        self._thread: Thread | None = None
        self._changed = Condition()
        self._asked: Call | None = None
        self.doing = ""
        self._turning = False
        self._ending = False

    def ask(self, what: str, function: Callable[[], None], turning: bool = False) -> Call:
        """Have ``function`` run in the thread, after what it does now; then turn by itself, if ``turning``."""
        call = Call(what, function, turning)
        with self._changed:
            if self._thread is None:
                self._thread = Thread(target=self._loop, name="camera", daemon=True)
                self._thread.start()
            self._turning = False
            self._asked = call
            self._changed.notify_all()
        return call

    def wait(self, call: Call, timeout_s: float) -> bool:
        """Return whether the call has ended within ``timeout_s`` (s). Raises what it raised."""
        with self._changed:
            if not self._changed.wait_for(lambda: call.done, timeout_s):
                return False
        error, call.error = call.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback names this frame: a ring that would keep the driver's camera from going
        return True

    def run(
        self,
        what: str,
        function: Callable[[], None],
        timeout_s: float,
        go_on: Callable[[], bool],
        turning: bool = False,
    ) -> None:
        """Ask and wait, as long as ``go_on``, which is asked ten times a second, says so.

        Raises what ``function`` raises; CameraError when it has not ended after ``timeout_s`` (s), Interrupted when
        ``go_on`` says no. A call that could not even begin, because the driver hangs in another, is then withdrawn.
        """
        call = self.ask(what, function, turning)
        left_s = timeout_s
        while go_on():
            if self.wait(call, min(left_s, STEP_S)):
                return
            left_s -= STEP_S
            if left_s <= 0:
                self._withdraw(call)
                raise CameraError(
                    f"{self._name()}: {what} has not ended after {timeout_s:g} s (its driver is in {self.doing}); "
                    "switch the camera off and on, then start again"
                )
        self._withdraw(call)
        raise Interrupted

    def _withdraw(self, call: Call) -> None:
        with self._changed:
            if self._asked is call:
                self._asked = None

    def close(self, timeout_s: float) -> str:
        """Run ``last`` and end the thread. Returns what the driver hangs in, or "" when the thread has ended."""
        if self._thread is None:
            return ""
        with self._changed:
            self._ending = True
            self._turning = False
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return self.doing if self._thread.is_alive() else ""

    def _loop(self) -> None:
        while True:
            with self._changed:
                self.doing = ""
                self._changed.wait_for(lambda: self._asked or self._turning or self._ending)
                call, self._asked = self._asked, None
                if self._ending:
                    break
                self.doing = call.what if call else "grab"
            if call is None:
                self._step()
            else:
                self._answer(call)
        self.doing = "close"
        self._last()

    def _step(self) -> None:
        if not self._turn():
            with self._changed:
                self._turning = False

    def _answer(self, call: Call) -> None:
        try:
            call.function()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
            call.error = error
        with self._changed:
            self._turning = call.turning and call.error is None
            call.done = True
            self._changed.notify_all()
