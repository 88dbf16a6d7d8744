"""What the guardian asks of a board: lines that it may drive, and nothing else."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from core.values import Report


class OutputLine(Enum):
    """Every output line of a rig. All but the valve and the sync line are ``core.values.Line`` by the same value."""

    VALVE = "valve"
    SUCCESS_LED = "success_led"
    FAIL_LED = "fail_led"
    LIGHT = "light"
    BEHAVIOUR_TTL = "behaviour_ttl"
    BRAIN_TTL = "brain_ttl"
    SYNC = "sync"


class Board(Protocol):
    """The lines of one board. Made, and then called, by the guardian's only thread; lines are low when it is made.

    Making one raises OutputError (which line, what is wrong, the cure) when a line is busy, missing or forbidden.
    """

    def write(self, line: OutputLine, high: bool, at_most_ns: int = 0) -> None:
        """Set a line; a line that is not connected is left alone.

        ``at_most_ns`` (0: no bound) is how long it may stay high at most: a board with a clock of its own drops it
        then by itself, whatever became of the guardian; others leave that to the guardian. A line that is high is set
        high again to give it a new bound, from then. Raises OutputError.
        """

    def alive(self) -> None:
        """Tell the board that the guardian lives; called at least every 10 ms. Raises OutputError if it is lost."""

    def reports(self) -> tuple[Report, ...]:
        """Return what the board did by itself since the last look, and what it found when it was made. Never waits."""

    def close(self) -> None:
        """All lines low, then release them. Twice is legal; one line that fails does not keep the next from falling."""
