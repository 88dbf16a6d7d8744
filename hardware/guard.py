"""The controller's side of the guardian: starts it, gives the rig a valve and lines, hears what happened, ends it.

Owns the two processes of ``hardware.guard_pair`` and the thread of ``hardware.heartbeat``; ``close`` ends all three,
and the processes end by themselves when this one is gone. All verbs are called by the runner's thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from core.clock import MonotonicClock
from core.errors import OutputError
from core.values import Report, as_ns
from hardware.bounds import last_openings, openings
from hardware.guard_devices import GuardedLines, GuardedValve
from hardware.guard_link import CLOSE_THE_TAP, GuardLink
from hardware.guard_pair import Pair
from hardware.guardian_spec import GuardSpec, Orders
from hardware.guardian_wire import Kind, Message
from hardware.heartbeat import Heartbeat
from hardware.ledger import LOCK_WAIT_S, LedgerHeld, check_ledger, hold_ledger
from hardware.ledger_day import local_day, read_together, recent_openings
from hardware.steps import STEP_S, Reopening, Steps, always, to_the_end

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
        self._reopening = Reopening("guardian")
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

    def start(self, go_on: Callable[[], bool] = always) -> None:
        """Start the processes; return when the board is had, lines low.

        ``go_on`` is asked ten times a second and more whether to go on. Raises OutputError, and Interrupted where
        ``go_on`` returned False; nothing is then left.
        """
        if self._pair is not None:
            raise OutputError("guardian: it was started before; make a new Guard")
        to_the_end(self._opening(), go_on)

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
        """End what is left and start anew, lines low, a step of it; the session's water goes on counting.

        Raises StillOpening and OutputError as ``core.ports.Reconnectable`` says.
        """
        self._reopening.go_on(self._reopen)

    def close(self) -> None:
        """Valve low, lines low, processes ended, in bounded time. Twice is legal.

        Raises OutputError where it is not sure that the lines are low.
        """
        failures = []
        for step in (self._reopening.cancel, self.valve.close, self.lines.close, lambda: to_the_end(self._ending())):
            try:
                step()
            except OutputError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _reopen(self) -> Steps[None]:
        with suppress(OutputError):
            # Where even the watcher was killed: the new guardian takes the lines low. Rows that are lost are reported.
            yield from self._ending()
        try:
            yield from self._opening()
        except OutputError as error:
            self._lost = str(error)
            raise
        self._lost = ""

    def _opening(self) -> Steps[None]:
        """Start the processes and take them into use. Raises OutputError."""
        self._pair = yield from self._starting_pair()
        self._link = GuardLink(self._pair, self.valve.forget)
        try:
            self._heartbeat = Heartbeat(self._pair.life)
            self._link.ask(Message(Kind.THREAD, number=self._heartbeat.native_id))
        except OutputError:
            with suppress(OutputError):
                yield from self._ending()
            raise

    def _starting_pair(self) -> Steps[Pair]:
        """Start the processes, with what session, day and the last 10 s have had. Raises OutputError."""
        with ExitStack() as held:
            ledgers = []
            for path in self._spec.ledgers:
                check_ledger(path)
                # Its last writer may still be at it, although its session was killed.
                ledgers.append((yield from self._holding_ledger(path)))
                held.callback(os.close, ledgers[-1])
            self._count_day()
            orders = Orders(self._spec, self.valve.session_s, self.valve.day_s, tuple(self._last_openings()))
            try:
                pair = Pair(ledgers)
            except OSError as error:
                raise OutputError(f"guardian: it cannot be started ({error.strerror}); end other programs") from error
        # The watcher has the ledgers by now.
        yield from pair.opening(orders)
        return pair

    def _holding_ledger(self, path: Path) -> Steps[int]:
        until_ns = self._clock.now_ns() + as_ns(LOCK_WAIT_S)
        while True:
            try:
                return hold_ledger(path, STEP_S)
            except LedgerHeld:
                if self._clock.now_ns() >= until_ns:
                    raise
            yield

    def _count_day(self) -> str:
        """Count what the ledger has; return its warning.

        Rows that never reached it count all the same: ``valve`` knows what this session asked for.
        """
        if not self._spec.ledgers:
            return ""
        day = read_together(self._spec.ledgers, local_day(self._wall_ns))
        self.valve.count_day(day.seconds)
        return day.warning

    def _last_openings(self) -> list[tuple[int, int]]:
        """Return the openings of the last 10 s: this one's own, or before its first those of the ledgers."""
        if self._openings is None:
            self._openings = []
            if self._spec.ledgers:
                self._openings = recent_openings(self._spec.ledgers, self._clock.wall_ns(), self._clock.now_ns())
        return self._openings

    def _ending(self) -> Steps[None]:
        """End both processes. Raises OutputError where it is not sure that the lines are low.

        Broken off, the pair is still known, and the next call ends it.
        """
        pair, link = self._pair, self._link
        try:
            if pair is not None and link is not None:
                yield from self._ending_pair(pair, link)
        except Exception:
            self._let_go()
            raise
        self._let_go()

    def _let_go(self) -> None:
        heartbeat, self._heartbeat = self._heartbeat, None
        pair, self._pair, self._link = self._pair, None, None
        if heartbeat is not None:
            heartbeat.close()
        if pair is not None:
            pair.close()

    def _ending_pair(self, pair: Pair, link: GuardLink) -> Steps[None]:
        low = yield from pair.ending()
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
