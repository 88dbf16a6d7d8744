"""The one thread in which all calls of a camera's driver are made: some vendors' libraries demand that."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread

from core.errors import CameraError


class _Call:
    """A call that was asked for, and how it ended."""

    def __init__(self, what: str, function: Callable[[], None]) -> None:
        self.what = what
        self.function = function
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
    """

    def __init__(self, name: Callable[[], str], turn: Callable[[], bool], last: Callable[[], None]) -> None:
        self._name = name
        self._turn = turn
        self._last = last
        self._thread: Thread | None = None
        self._changed = Condition()
        self._asked: _Call | None = None
        self._doing = ""
        self._turning = False
        self._ending = False

    def run(self, what: str, function: Callable[[], None], timeout_s: float, turning: bool = False) -> None:
        """Run ``function`` in the thread and wait for its end; then turn by itself, if ``turning``.

        Raises what it raises; CameraError when it has not ended after ``timeout_s`` (s), or could not even begin
        because the driver hangs in an earlier call. The thread then comes to rest once the call returns.
        """
        call = _Call(what, function)
        with self._changed:
            if self._thread is None:
                self._thread = Thread(target=self._loop, name="camera", daemon=True)
                self._thread.start()
            self._turning = False
            self._asked = call
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: call.done, timeout_s):
                if self._asked is call:
                    self._asked = None  # it never began, and must not run behind the caller's back
                raise CameraError(
                    f"{self._name()}: {what} has not ended after {timeout_s:g} s (its driver is in {self._doing}); "
                    "switch the camera off and on, then start again"
                )
            if call.error is None:
                self._turning = turning
                self._changed.notify_all()
        if call.error is not None:
            raise call.error

    def close(self, timeout_s: float) -> str:
        """Run ``last`` and end the thread. Returns what the driver hangs in, or "" when the thread has ended."""
        if self._thread is None:
            return ""
        with self._changed:
            self._ending = True
            self._turning = False
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return self._doing if self._thread.is_alive() else ""

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._doing = ""
                self._changed.wait_for(lambda: self._asked or self._turning or self._ending)
                call, self._asked = self._asked, None
                if self._ending:
                    break
                self._doing = call.what if call else "grab"
            if call is None:
                self._step()
            else:
                self._answer(call)
        self._doing = "close"
        self._last()

    def _step(self) -> None:
        if not self._turn():
            with self._changed:
                self._turning = False

    def _answer(self, call: _Call) -> None:
        try:
            call.function()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
            call.error = error
        with self._changed:
            call.done = True
            self._changed.notify_all()
