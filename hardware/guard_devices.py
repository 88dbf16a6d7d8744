"""The valve and the lines of a guarded rig: they check, and send; the guardian does, within the same bounds."""

from __future__ import annotations

import math

from core.errors import OutputError
from core.outputs import Openings, OutputUse
from core.values import Level, Pulse, as_ns
from hardware.board import OutputLine
from hardware.guard_link import Link
from hardware.guardian_lines import LONGEST_PULSE_S
from hardware.guardian_wire import Kind, Message


class GuardedValve:
    """The valve (``core.ports.Valve``).

    Parameters
    ----------
    link : Link
    openings : Openings
        The bounds, kept here too so that the caller learns of a refusal at once. What was cut off a drop that ran is
        not given back here: that errs on the side of less water.
    """

    def __init__(self, link: Link, openings: Openings) -> None:
        self._link = link
        self._openings = openings
        self._state = OutputUse("valve")
        self._number = 0
        self._asked: dict[int, int] = {}

    @property
    def closed(self) -> bool:
        """Whether the valve is shut for good."""
        return self._state.closed

    @property
    def session_s(self) -> float:
        """Water that was asked for in this session, s."""
        return self._openings.session_s

    @property
    def day_s(self) -> float:
        """Water of the day, s, with all that was asked for in this session."""
        return self._openings.day_s

    def count_day(self, day_s: float) -> None:
        """Take note that the day has had this much water at least, s."""
        self._openings.count_day(day_s)

    def pulse(self, duration_s: float, time_ns: int) -> None:
        """Open now, close ``duration_s`` later. Raises OutputError on a pulse that is not allowed."""
        self._state.note(time_ns)
        self._openings.add(duration_s, time_ns)
        self._number += 1
        self._asked[self._number] = as_ns(duration_s)
        self._link.ask(Message(Kind.WATER, number=self._number, a=as_ns(duration_s)))

    def refusal(self, duration_s: float, drops: int = 1) -> str:
        """Return why the last of so many pulses would be refused now; empty: it would not."""
        return self._openings.refusal(duration_s, drops)

    def forget(self, number: int) -> None:
        """Take a drop that waited and will not come off the water of session and day. Twice is legal."""
        self._openings.give_back(self._asked.pop(number, 0))

    def close(self) -> None:
        """Shut the valve, whatever it was doing; returns when it is shut. Raises OutputError where that is not sure."""
        if not self._state.closed:
            self._state.closed = True
            self._link.finish(Kind.SHUT)


class GuardedLines:
    """LEDs, light and TTL lines (``core.ports.Lines``).

    Parameters
    ----------
    link : Link
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._state = OutputUse("lines")

    def set(self, level: Level, time_ns: int) -> None:
        """Set a line and leave it. Raises OutputError."""
        self._state.note(time_ns)
        self._link.ask(Message(Kind.SET, OutputLine(level.line.value), level.high))

    def pulse(self, pulse: Pulse, time_ns: int) -> None:
        """Raise a line for a while; it falls by itself. Raises OutputError."""
        self._state.note(time_ns)
        if not (math.isfinite(pulse.duration_s) and 0 < pulse.duration_s <= LONGEST_PULSE_S):
            raise OutputError(
                f"{pulse.line.value}: a pulse of {pulse.duration_s} s is refused; "
                f"give more than 0, up to {LONGEST_PULSE_S:g}"
            )
        self._link.ask(Message(Kind.PULSE, OutputLine(pulse.line.value), a=as_ns(pulse.duration_s)))

    def close(self) -> None:
        """All lines low. Raises OutputError where that is not sure."""
        if not self._state.closed:
            self._state.closed = True
            self._link.finish(Kind.LOW)
