"""The timers of the other lines: levels that stay, pulses that fall by themselves, sync pulses at random intervals."""

from __future__ import annotations

import numpy as np

from core.errors import OutputError
from core.values import as_ns
from hardware.board import OutputLine
from hardware.guardian_edges import NEVER, Edges

LONGEST_PULSE_S = 3600.0
SYNC_WIDTH_NS = 10_000_000
OTHER_LINES = tuple(line for line in OutputLine if line not in (OutputLine.VALVE, OutputLine.SYNC))


class LineTimer:
    """LEDs, light and TTL lines: a line is high while its level is, or while a pulse runs.

    Parameters
    ----------
    edges : Edges

    Attributes
    ----------
    due_ns : int
        When ``act`` is to be called next, ns.
    """

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._levels: set[OutputLine] = set()
        self._ends: dict[OutputLine, int] = {}
        self.due_ns = NEVER

    def set(self, line: OutputLine, high: bool) -> None:
        """Set a line and leave it. Raises OutputError."""
        self._check(line)
        (self._levels.add if high else self._levels.discard)(line)
        if line not in self._ends:
            self._edges.write(line, high)
        else:
            # The pulse goes on; the board is told whether it is still what ends the line.
            self._edges.extend(line, 0 if high else max(1, self._ends[line] - self._edges.now_ns()))

    def pulse(self, line: OutputLine, length_ns: int) -> None:
        """Raise a line; a pulse within another one ends with the later of the two. Raises OutputError."""
        self._check(line)
        if not 0 < length_ns <= as_ns(LONGEST_PULSE_S):
            raise OutputError(
                f"{line.value}: a pulse of {length_ns / 1e9:g} s is refused; give 0 to {LONGEST_PULSE_S:g}"
            )
        at_most = 0 if line in self._levels else length_ns
        rise = self._edges.write(line, True, at_most_ns=at_most)
        running_to = self._ends.get(line, 0)
        if at_most and 0 < running_to < rise + length_ns:
            self._edges.extend(line, length_ns)
        self._ends[line] = max(running_to, rise + length_ns)
        self.due_ns = min(self._ends.values())

    def act(self) -> None:
        """Let fall what is due at ``due_ns``, then."""
        for line in [line for line, end in self._ends.items() if end <= self.due_ns]:
            del self._ends[line]
            if line not in self._levels:
                self._edges.write(line, False, self.due_ns)
        self.due_ns = min(self._ends.values(), default=NEVER)

    def all_low(self) -> None:
        """Forget levels and pulses, and set every line low."""
        self._levels.clear()
        self._ends.clear()
        self.due_ns = NEVER
        for line in OTHER_LINES:
            self._edges.write(line, False)

    def _check(self, line: OutputLine) -> None:
        if line not in OTHER_LINES:
            raise OutputError(f"{line.value}: this line has a timer of its own; ask for another line")


class SyncTimer:
    """Pulses of 10 ms at random intervals, from which recordings of other machines are aligned.

    Parameters
    ----------
    edges : Edges
    interval_s : (float, float)
        Shortest and longest time from one rise to the next, s.
    seed : int
    begin_ns : int
        The first interval begins here, ns; NEVER: no pulses.
    """

    def __init__(self, edges: Edges, interval_s: tuple[float, float], seed: int, begin_ns: int) -> None:
        self._edges = edges
        self._interval_s = interval_s
        self._random = np.random.default_rng(seed)
        self._rise_ns = NEVER if begin_ns >= NEVER else begin_ns + self._interval()
        self._high = False
        self.due_ns = self._rise_ns

    def act(self) -> None:
        """Raise or drop the line at ``due_ns``."""
        self._high = not self._high
        time_ns = self._edges.write(OutputLine.SYNC, self._high, self.due_ns)
        if self._high:
            self._rise_ns = time_ns + self._interval()
            self.due_ns = time_ns + SYNC_WIDTH_NS
        else:
            self.due_ns = max(self._rise_ns, time_ns)

    def stop(self) -> None:
        """Line low, no more pulses."""
        self._high = False
        self.due_ns = NEVER
        self._edges.write(OutputLine.SYNC, False)

    def _interval(self) -> int:
        return as_ns(float(self._random.uniform(*self._interval_s)))
