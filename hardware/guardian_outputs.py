"""All output lines as the guardian drives them: takes commands, does what is due, and shuts off. Knows no process.

Time comes from the clock it is given, so that tests run it on a virtual one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter

from core.errors import OutputError
from core.outputs import Openings
from hardware.board import Board
from hardware.guardian_edges import NEVER, BoardFailed, Edges
from hardware.guardian_lines import LineTimer, SyncTimer
from hardware.guardian_spec import GuardSpec
from hardware.guardian_valve import ValveTimer
from hardware.guardian_wire import Kind, Message


class Outputs:
    """The lines of a rig.

    Parameters
    ----------
    board : Board
    spec : GuardSpec
    openings : Openings
        Bounds of the water.
    now_ns : callable
        The monotonic clock.
    say : callable
        Takes what is to be told to the controller.
    write_down, unwritten : callable
        See ``hardware.guardian_valve.ValveTimer``.
    """

    def __init__(
        self, board: Board, spec: GuardSpec, openings: Openings, now_ns: Callable[[], int],
        say: Callable[[Message], None], write_down: Callable[[int, int], None], unwritten: Callable[[], int],
    ) -> None:  # fmt: skip
        self._now_ns = now_ns
        self._say = say
        edges = Edges(board, spec.pins, now_ns, say)
        begin = now_ns() if spec.pins.pin_sync else NEVER
        self._valve = ValveTimer(edges, openings, write_down, unwritten)
        self._lines = LineTimer(edges)
        self._sync = SyncTimer(edges, spec.pins.sync_interval_s, spec.seed, begin)
        # Of two that are due at once the first one acts first.
        self._timers: tuple[ValveTimer | LineTimer | SyncTimer, ...] = (self._valve, self._lines, self._sync)
        self._shut = self._low = False

    @property
    def due_ns(self) -> int:
        """When ``act`` is to be called next, ns."""
        return min(timer.due_ns for timer in self._timers)

    def take(self, message: Message) -> None:
        """Carry out a command; one that asks too much is refused and told. Raises BoardFailed."""
        if message.kind is Kind.SHUT:
            self._shut = True
            self._valve.cut("the valve was closed")
            self._say(Message(Kind.DONE, number=message.kind))
        elif message.kind is Kind.LOW:
            self._low = True
            self._lines.all_low()
            self._say(Message(Kind.DONE, number=message.kind))
        elif message.kind is Kind.DROP:
            self._valve.drop_waiting("a device was lost")
        elif refusal := self._refusal(message):
            self._say(Message(Kind.REFUSED, message.line, number=message.number, a=self._now_ns(), text=refusal))
        else:
            self._command(message)

    def act(self, ahead_ns: int = 0) -> None:
        """Do what is due within ``ahead_ns`` from now, each at its time, awake until then. Raises BoardFailed."""
        while self.due_ns - self._now_ns() <= ahead_ns:
            min(self._timers, key=attrgetter("due_ns")).act()

    def cut_water(self, why: str) -> None:
        """Close the valve and drop what waits. Raises BoardFailed."""
        self._valve.cut(why)

    def lines_low(self) -> None:
        """All lines but the valve and the sync line low."""
        self._lines.all_low()

    def stop(self, why: str) -> None:
        """The valve first, then every other line, whatever fails on the way; the first failure is raised at the end."""
        failures: list[Exception] = []
        steps: tuple[Callable[[], None], ...] = (partial(self._valve.cut, why), self._lines.all_low, self._sync.stop)
        for step in steps:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - the next line must fall all the same
                failures.append(error)
        if failures:
            raise failures[0]

    def _refusal(self, message: Message) -> str:
        closed = self._shut if message.kind is Kind.WATER else self._low
        if message.kind not in (Kind.WATER, Kind.SET, Kind.PULSE):
            return f"{message.kind.name} is no command for a guardian"
        return f"{message.line.value}: used after it was closed" if closed else ""

    def _command(self, message: Message) -> None:
        try:
            if message.kind is Kind.WATER:
                self._valve.ask(message.number, message.a, self._now_ns())
            elif message.kind is Kind.SET:
                self._lines.set(message.line, message.high)
            else:
                self._lines.pulse(message.line, message.a)
        except BoardFailed:
            raise
        except OutputError as refusal:
            self._say(Message(Kind.REFUSED, message.line, number=message.number, a=self._now_ns(), text=str(refusal)))
        self.act()
