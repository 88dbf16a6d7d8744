"""The controller's side of the guardian: starts it, gives the rig a valve and lines, hears what happened, ends it.

Owns the two processes of ``hardware.guard_pair`` and the thread of ``hardware.heartbeat``; ``close`` ends all three,
and the processes end by themselves when this one is gone. All verbs are called by the runner's thread.
"""

from __future__ import annotations

from contextlib import suppress

from core.clock import MonotonicClock
from core.errors import OutputError
from core.values import Report
from hardware.bounds import openings
from hardware.guard_devices import GuardedLines, GuardedValve
from hardware.guard_link import CLOSE_THE_TAP, GuardLink
from hardware.guard_pair import Pair
from hardware.guardian_spec import GuardSpec, Orders
from hardware.guardian_wire import Kind, Message
from hardware.heartbeat import Heartbeat
from hardware.ledger import check_ledger, local_day, read_day

DROP_S = 0.1
"""How long a guardian may take to have room for a command."""


class Guard:
    """A guarded rig's outputs.

    Parameters
    ----------
    spec : GuardSpec

    Attributes
    ----------
    valve : core.ports.Valve
    lines : core.ports.Lines
        Both can be used between ``start`` and ``close``.
    """

    def __init__(self, spec: GuardSpec) -> None:
        self._spec = spec
        self._wall_ns = MonotonicClock().wall_ns()
        self._pair: Pair | None = None
        self._link: GuardLink | None = None
        self._heartbeat: Heartbeat | None = None
        self._lost = ""
        day_s = read_day(spec.ledger, local_day(self._wall_ns)).seconds if spec.ledger else 0.0
        self.valve = GuardedValve(self, openings(spec.outputs, day_s=day_s))
        self.lines = GuardedLines(self)

    @property
    def refused(self) -> tuple[str, ...]:
        """What of real-time scheduling was refused, one line each with its cure; known after ``start``."""
        return tuple(self._pair.refused) if self._pair else ()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the guardian and its watcher; empty before ``start``."""
        return (self._pair.guardian.pid, self._pair.watcher.pid) if self._pair else ()

    def start(self) -> None:
        """Start the processes; return when the board is had, lines low. Raises OutputError, nothing is then left."""
        if self._pair is not None:
            raise OutputError("guardian: it was started before; make a new Guard")
        if self._spec.ledger is not None:
            check_ledger(self._spec.ledger)
        try:
            self._pair = Pair(Orders(self._spec, self.valve.session_s, self._wall_ns))
        except OSError as error:
            raise OutputError(f"guardian: it cannot be started ({error.strerror}); end other programs") from error
        self._link = GuardLink(self._pair, self.valve.forget)
        self._heartbeat = Heartbeat(self._pair.life)
        try:
            self._link.ask(Message(Kind.THREAD, number=self._heartbeat.native_id))
        except OutputError:
            with suppress(OutputError):
                self._end()
            raise

    def alive(self) -> None:
        """Tell that the loop turns; without it for 1 s the valve is closed, a second later the lines fall."""
        if self._heartbeat is not None:
            self._heartbeat.alive()

    def ask(self, message: Message) -> None:
        """Send a command; for ``valve`` and ``lines``. Raises OutputError."""
        if self._link is None:
            raise OutputError("guardian: it is not running; call start() first")
        self.alive()
        self._link.ask(message)

    def drop_waiting(self) -> None:
        """Drop the drops that wait: each is told (``water_cut``), and counts no more. One that runs ends by itself.

        Raises OutputError where the guardian does not take it within DROP_S: it hangs, and its watcher will end it.
        """
        if self._link is not None and not self._link.insist(Message(Kind.DROP), DROP_S):
            raise OutputError("guardian: it does not take the command to drop the waiting water; restart the outputs")

    def finish(self, kind: Kind) -> None:
        """Shut the valve or take the lines low; for ``valve`` and ``lines``. Raises OutputError."""
        if self._link is not None:
            self._link.finish(kind)

    def reports(self) -> tuple[Report, ...]:
        """Return edges, sync pulses, cuts and refusals since the last look. Raises OutputError when all is lost."""
        if self._lost:
            raise OutputError(self._lost)
        return self._link.reports() if self._link is not None else ()

    def reconnect(self) -> None:
        """End what is left and start anew, lines low; the session's water goes on counting. Raises OutputError."""
        with suppress(OutputError):
            # Where even the watcher was killed: the new guardian takes the lines low.
            self._end()
        try:
            self.start()
        except OutputError as error:
            self._lost = str(error)
            raise
        self._lost = ""

    def close(self) -> None:
        """Valve low, lines low, processes ended, in bounded time. Twice is legal.

        Raises OutputError where it is not sure that the lines are low.
        """
        failures = []
        for step in (self.valve.close, self.lines.close, self._end):
            try:
                step()
            except OutputError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _end(self) -> None:
        pair, self._pair, self._link = self._pair, None, None
        heartbeat, self._heartbeat = self._heartbeat, None
        try:
            if pair is not None and not pair.end():
                raise OutputError(f"guardian: it and its watcher were killed; {CLOSE_THE_TAP}")
            if pair is not None and pair.unwritten:
                raise OutputError(f"water of the day: rows of {self._spec.ledger} may be missing; check the disk")
        finally:
            if heartbeat is not None:
                heartbeat.close()
            if pair is not None:
                pair.life.close()
