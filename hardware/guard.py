"""The controller's side of the guardian: starts it, gives the rig a valve and lines, hears what happened, ends it.

Owns the two processes of ``hardware.guard_pair`` and the thread of ``hardware.heartbeat``; ``close`` ends all three,
and the processes end by themselves when this one is gone. All verbs are called by the runner's thread.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress

from core.clock import MonotonicClock
from core.errors import OutputError
from core.values import Report
from hardware.bounds import last_openings, openings
from hardware.guard_devices import GuardedLines, GuardedValve
from hardware.guard_link import CLOSE_THE_TAP, GuardLink
from hardware.guard_pair import Pair
from hardware.guardian_spec import GuardSpec, Orders
from hardware.guardian_wire import Kind, Message
from hardware.heartbeat import Heartbeat
from hardware.ledger import check_ledger, hold_ledger
from hardware.ledger_day import local_day, read_most, recent_openings

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
        self._clock = MonotonicClock()
        self._wall_ns = self._clock.wall_ns()
        self._pair: Pair | None = None
        self._link: GuardLink | None = None
        self._heartbeat: Heartbeat | None = None
        self._lost = ""
        self._told: list[Report] = []
        self._openings: list[tuple[int, int]] | None = None
        self.valve = GuardedValve(self, openings(spec.outputs))
        self.lines = GuardedLines(self)
        if warning := self._count_day():
            self._told.append(Report(self._clock.now_ns(), "ledger", warning))

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
        self._pair = self._start_pair()
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
        if self._told:
            told, self._told = tuple(self._told), []
            return told
        if self._lost:
            raise OutputError(self._lost)
        return self._link.reports() if self._link is not None else ()

    def reconnect(self) -> None:
        """End what is left and start anew, lines low; the session's water goes on counting. Raises OutputError."""
        with suppress(OutputError):
            # Where even the watcher was killed: the new guardian takes the lines low. Rows that are lost are reported.
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

    def _start_pair(self) -> Pair:
        """Start the processes, with what session, day and the last 10 s have had. Raises OutputError."""
        with ExitStack() as held:
            ledgers = []
            for path in self._spec.ledgers:
                check_ledger(path)
                # Its last writer may still be at it, although its session was killed.
                ledgers.append(hold_ledger(path))
                held.callback(os.close, ledgers[-1])
            self._count_day()
            orders = Orders(self._spec, self.valve.session_s, self.valve.day_s, tuple(self._last_openings()))
            try:
                return Pair(orders, ledgers)
            except OSError as error:
                raise OutputError(f"guardian: it cannot be started ({error.strerror}); end other programs") from error

    def _count_day(self) -> str:
        """Count what the ledger has; return its warning.

        Rows that never reached it count all the same: ``valve`` knows what this session asked for.
        """
        if not self._spec.ledgers:
            return ""
        day = read_most(self._spec.ledgers, local_day(self._wall_ns))
        self.valve.count_day(day.seconds)
        return day.warning

    def _last_openings(self) -> list[tuple[int, int]]:
        """Return the openings of the last 10 s: this one's own, or before its first those of the ledgers."""
        if self._openings is None:
            self._openings = []
            if self._spec.ledgers:
                self._openings = recent_openings(self._spec.ledgers, self._clock.wall_ns(), self._clock.now_ns())
        return self._openings

    def _end(self) -> None:
        pair, self._pair = self._pair, None
        link, self._link = self._link, None
        heartbeat, self._heartbeat = self._heartbeat, None
        try:
            if pair is not None and link is not None:
                self._end_pair(pair, link)
        finally:
            if heartbeat is not None:
                heartbeat.close()
            if pair is not None:
                pair.close()

    def _end_pair(self, pair: Pair, link: GuardLink) -> None:
        low = pair.end()
        now_ns = self._clock.now_ns()
        self._told += link.last_words()
        self._openings = last_openings((self._openings or []) + link.openings(now_ns), now_ns)
        ledgers = " and ".join(map(str, self._spec.ledgers))
        missing = f"water of the day: rows of {ledgers} may be missing; check the disk"
        unwritten = pair.unwritten and bool(ledgers)
        if unwritten:
            self._told.append(Report(now_ns, "ledger", missing))
        if not low:
            raise OutputError(f"guardian: it and its watcher were killed; {CLOSE_THE_TAP}")
        if unwritten:
            raise OutputError(missing)
