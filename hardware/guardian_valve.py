"""The valve's timer: one drop after the other, each closed at its deadline, all of them within their bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from core.errors import OutputError
from core.outputs import Openings
from hardware.board import OutputLine
from hardware.guardian_edges import NEVER, Edges
from hardware.guardian_wire import Kind, Message

MAX_WAITING = 64
_TOLD_WAIT_NS = 1_000_000
WRITE_NS = 2_000_000_000
"""Longest that a drop waits for its row."""
_LOOK_NS = 300_000
"""Between two looks for it; more than what the guardian spends awake, so that it does all else meanwhile."""


class ValveTimer:
    """Drops in the order they were asked for.

    Parameters
    ----------
    edges : Edges
    openings : Openings
        The bounds, and what was given.
    write_down : callable
        Takes number and length (ns, negative for what was not given after all) of a drop before the valve opens.
        Raises OutputError where the water of the day cannot be written; the drop is then not given.
    unwritten : callable
        How many of these do not stand in the ledger yet: the valve opens when there are none.

    Attributes
    ----------
    due_ns : int
        When ``act`` is to be called next, ns.
    """

    def __init__(
        self,
        edges: Edges,
        openings: Openings,
        write_down: Callable[[int, int], None],
        unwritten: Callable[[], int],
    ) -> None:
        self._edges = edges
        self._openings = openings
        self._write_down = write_down
        self._unwritten = unwritten
        self._noted: tuple[int, int] | None = None
        self._waiting: deque[tuple[int, int]] = deque()
        self._open: tuple[int, int, int] | None = None
        self.due_ns = NEVER

    def ask(self, number: int, length_ns: int, now_ns: int) -> None:
        """Take the drop ``number`` on. Raises OutputError where it is refused."""
        if len(self._waiting) >= MAX_WAITING:
            raise OutputError(f"valve: {MAX_WAITING} drops wait already; ask for fewer")
        self._waiting.append((number, self._openings.take(length_ns / 1e9)))
        if self._open is None and len(self._waiting) == 1:
            self._plan(now_ns)

    def act(self) -> None:
        """Do what is due at ``due_ns``, then."""
        if self._open is not None:
            self._close(self.due_ns)
        else:
            self._rise()

    def cut(self, why: str) -> None:
        """Close the valve and drop what waits; nothing where it is closed and nothing waits."""
        waiting = self._take_waiting()
        if self._open is not None:
            number, length, rise = self._open
            fall = self._close(0)
            kept_back = max(0, length - (fall - rise))
            self._edges.say(Message(Kind.CUT, number=number, a=fall, b=fall - rise, text=why))
            self._openings.give_back(kept_back)
            self._correct(number, kept_back)
        self._tell_dropped(waiting, why)
        self.due_ns = NEVER

    def drop_waiting(self, why: str) -> None:
        """Drop what waits; a drop that runs ends at its time."""
        self._tell_dropped(self._take_waiting(), why)
        if self._open is None:
            self.due_ns = NEVER

    def _take_waiting(self) -> list[tuple[int, int]]:
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def _tell_dropped(self, drops: list[tuple[int, int]], why: str) -> None:
        for number, length in drops:
            self._openings.give_back(length)
            if self._noted and self._noted[0] == number:
                self._noted = None
                self._correct(number, length)
            self._edges.say(Message(Kind.DROPPED, number=number, a=self._edges.now_ns(), text=why))

    def _correct(self, number: int, kept_back: int) -> None:
        try:
            self._write_down(number, -kept_back)
        except OutputError as error:
            # The valve is shut all the same, and the day counts more than was given.
            text = f"drop {number} counts {kept_back / 1e9:.3f} s too much, as it was cut: {error}"
            self._edges.say(Message(Kind.LEDGER, number=number, a=self._edges.now_ns(), text=text))

    def _rise(self) -> None:
        """Open for the first drop that waits, once its row stands in the ledger; else look again in a moment."""
        number, length = self._waiting[0]
        now_ns = self._edges.now_ns()
        try:
            noted_ns = self._note_down(number, length, now_ns)
        except OutputError as error:
            self._refuse(str(error), now_ns)
            return
        if self._unwritten() > 0:
            self.due_ns = now_ns + _LOOK_NS
            if now_ns - noted_ns >= WRITE_NS:
                self._correct(number, length)
                self._refuse(f"water of the day: no row was written for {WRITE_NS / 1e9:g} s; check the disk", now_ns)
            return
        self._waiting.popleft()
        self._noted = None
        rise = self._edges.write(OutputLine.VALVE, True, self.due_ns, at_most_ns=length, number=number)
        self._open = (number, length, rise)
        self._openings.note(rise, rise + length)
        self.due_ns = rise + length

    def _note_down(self, number: int, length_ns: int, now_ns: int) -> int:
        """Have the drop's row written, once; return when that was asked for. Raises OutputError."""
        if self._noted is None or self._noted[0] != number:
            self._write_down(number, length_ns)
            self._noted = (number, now_ns)
        return self._noted[1]

    def _refuse(self, why: str, now_ns: int) -> None:
        """Give up the first drop that waits."""
        number, length = self._waiting.popleft()
        self._noted = None
        self._openings.give_back(length)
        self._edges.say(Message(Kind.REFUSED, number=number, a=now_ns, text=why))
        self._plan(now_ns)

    def _close(self, at_ns: int) -> int:
        number = self._open[0] if self._open else 0
        fall = self._edges.write(OutputLine.VALVE, False, at_ns, number=number)
        self._open = None
        self._openings.ended(fall)
        self._plan(fall)
        return fall

    def _plan(self, now_ns: int) -> None:
        self.due_ns = NEVER
        if self._waiting:
            number, length = self._waiting[0]
            self.due_ns = self._openings.earliest(length, now_ns)
            if self.due_ns - now_ns > _TOLD_WAIT_NS:
                self._edges.say(Message(Kind.WAIT, number=number, a=now_ns, b=self.due_ns - now_ns))
