"""The speaker, the spout and the tongue of a simulated mouse: what they are given goes with the next step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from core.outputs import Openings, OutputUse, check_tone
from core.values import Lick
from insilico.spec import Go


class MouseSpeaker:
    """A speaker that the network hears.

    Attributes
    ----------
    freq_hz : float
        What plays now, Hz; 0 is silence.
    """

    def __init__(self) -> None:
        self._state = OutputUse("speaker")
        self.freq_hz = 0.0

    def set_tone(self, freq_hz: float, time_ns: int) -> None:
        """Play ``freq_hz`` from now on. Raises OutputError for what no speaker can play."""
        self._state.note(time_ns)
        check_tone(freq_hz)
        self.freq_hz = freq_hz

    def close(self) -> None:
        """Fall silent."""
        self.freq_hz = 0.0
        self._state.closed = True


class MouseSpout:
    """A valve whose water the mouse drinks, within the bounds of a rig's.

    Parameters
    ----------
    openings : Openings
    """

    def __init__(self, openings: Openings) -> None:
        self._state = OutputUse("valve")
        self._openings = openings
        self._told = 0

    @property
    def pulses(self) -> list[tuple[int, int]]:
        """Start and end of each opening, ns."""
        return self._openings.pulses

    @property
    def closed(self) -> bool:
        """Whether the valve is shut for good."""
        return self._state.closed

    def pulse(self, duration_s: float, time_ns: int) -> None:
        """Open now, close ``duration_s`` later. Raises OutputError on a pulse that is not allowed."""
        self._state.note(time_ns)
        self._openings.add(duration_s, time_ns)

    def refusal(self, duration_s: float, drops: int = 1) -> str:
        """Return why the last of so many pulses would be refused now; empty: it would not."""
        return self._openings.refusal(duration_s, drops)

    def fresh(self) -> tuple[tuple[int, int], ...]:
        """Return the openings that have not been returned yet."""
        fresh = tuple(self.pulses[self._told :])
        self._told = len(self.pulses)
        return fresh

    def close(self) -> None:
        """Shut the valve; the mouse ends with the session."""
        self._state.closed = True


class MouseTongue:
    """A lick sensor at the spout.

    Parameters
    ----------
    licks_ns : iterable of int
        Licks that are there already, ns, rising.
    """

    def __init__(self, licks_ns: Iterable[int] = ()) -> None:
        self._state = OutputUse("lick sensor")
        self._waiting = deque(licks_ns)

    def put(self, licks_ns: Iterable[int]) -> None:
        """Take licks (ns, rising) that came with a frame."""
        self._waiting.extend(licks_ns)

    def read(self, until_ns: int) -> tuple[Lick, ...]:
        """Return the licks up to ``until_ns`` that have not been returned yet, oldest first."""
        self._state.note(until_ns)
        licks = []
        while self._waiting and self._waiting[0] <= until_ns:
            licks.append(Lick(self._waiting.popleft()))
        return tuple(licks)

    def close(self) -> None:
        """Release the sensor."""
        self._state.closed = True


class Given:
    """What the mouse was given since the last step, on its own clock.

    Parameters
    ----------
    speaker : MouseSpeaker
    spout : MouseSpout
    """

    def __init__(self, speaker: MouseSpeaker, spout: MouseSpout) -> None:
        self._speaker = speaker
        self._spout = spout
        self._told_hz = 0.0

    def go(self, shift_ns: int) -> Go:
        """Return it as the message for the next step; host time is the mouse's plus ``shift_ns``."""
        freq_hz = self._speaker.freq_hz
        changed, self._told_hz = freq_hz != self._told_hz, freq_hz
        openings = tuple((start - shift_ns, end - shift_ns) for start, end in self._spout.fresh())
        return Go(freq_hz if changed else None, openings)
