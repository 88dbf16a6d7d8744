"""Writes to the board, stamped and told: what every timer of the guardian drives its line through."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import OutputError
from hardware.board import Board, OutputLine
from hardware.guardian_wire import Kind, Message
from hardware.settings import PinSettings

NEVER = 1 << 62
"""A time that does not come, ns."""


class BoardFailed(OutputError):
    """The board failed, which ends the guardian; other OutputErrors are refusals."""


def connected(pins: PinSettings) -> frozenset[OutputLine]:
    """Return the lines that have a pin."""
    return frozenset(line for line in OutputLine if getattr(pins, f"pin_{line.value}"))


class Edges:
    """The lines as they are now. Writes only what changes them.

    Parameters
    ----------
    board : Board
    pins : PinSettings
        Lines without a pin are driven and told of by nobody.
    now_ns : callable
        The monotonic clock.
    say : callable
        Takes each edge's message.
    """

    def __init__(
        self, board: Board, pins: PinSettings, now_ns: Callable[[], int], say: Callable[[Message], None]
    ) -> None:
        self._board = board
        self._connected = connected(pins)
        self._high: set[OutputLine] = set()
        self.now_ns = now_ns
        self.say = say

    def write(self, line: OutputLine, high: bool, at_ns: int = 0, *, at_most_ns: int = 0, number: int = 0) -> int:
        """Set a line at ``at_ns``, at once where that is past, and return when, ns. Raises BoardFailed.

        The time is the one just before the board's call, for both edges of a pulse: what the call itself takes is then
        in neither's favour. Waiting for ``at_ns`` here, awake, keeps the loop's own time out of it.
        """
        now_ns = self.now_ns
        time_ns = now_ns()
        if (line in self._high) == high:
            return time_ns
        if line in self._connected:
            board_write = self._board.write
            try:
                while (time_ns := now_ns()) < at_ns:
                    pass
                board_write(line, high, at_most_ns)
            except OutputError as error:
                raise BoardFailed(str(error)) from error
        (self._high.add if high else self._high.discard)(line)
        if line in self._connected:
            self.say(Message(Kind.EDGE, line, high, number, time_ns))
        return time_ns

    def extend(self, line: OutputLine, at_most_ns: int) -> None:
        """Give a line that is high a new bound, from now, ns; 0: none. No edge. Raises BoardFailed."""
        if line in self._high and line in self._connected:
            try:
                self._board.write(line, True, at_most_ns)
            except OutputError as error:
                raise BoardFailed(str(error)) from error
