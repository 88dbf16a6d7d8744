"""The controller's sign of life: a thread that counts on a page of shared memory while the loop turns.

Owns one thread, which ends with ``close``, or with its process; a forked child does not have it. It beats every 10 ms
for as long as the loop called ``alive`` within the last second: a loop that waits for a frame is alive, one that hangs
is not, although its process is. The valve's own deadline does not depend on it.
"""

from __future__ import annotations

import threading
import time

from core.errors import OutputError
from hardware.guardian_life import Life, Who
from hardware.realtime import become_realtime

BEAT_S = 0.01
LOOP_NS = 1_000_000_000
PRIORITY = 70
_JOIN_S = 2.0


class Heartbeat:
    """The thread. Raises OutputError where there can be none.

    Parameters
    ----------
    life : Life
        The page; still the caller's.

    Attributes
    ----------
    native_id : int
        The kernel's number of the thread.
    """

    def __init__(self, life: Life) -> None:
        self._life = life
        self._alive_ns = time.monotonic_ns()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="rigloop-heartbeat", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise OutputError(f"guardian: no thread for the sign of life ({error}); end other programs") from error
        self.native_id = self._thread.native_id or 0

    def alive(self) -> None:
        """Tell that the loop turns."""
        self._alive_ns = time.monotonic_ns()

    def close(self) -> None:
        """End the thread. Twice is legal."""
        self._ended.set()
        self._thread.join(_JOIN_S)

    def _beat(self) -> None:
        # So that a loaded machine does not look like a dead controller; without the right it beats as well as it can.
        become_realtime(PRIORITY)
        while not self._ended.wait(BEAT_S):
            if time.monotonic_ns() - self._alive_ns < LOOP_NS:
                self._life.beat(Who.CONTROLLER)
