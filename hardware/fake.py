"""Fakes of every output and sensor. They ship, remember what was asked and when, and refuse what a rig must refuse.

They are what a session without an animal runs on, and the judge of tests: each device can be made to fail at its n-th
call, and each tells what it was left with.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from core.errors import OutputError
from core.outputs import OutputUse, check_tone
from core.values import Level, Lick, Line, Pulse
from hardware.bounds import openings
from hardware.settings import OutputSettings


class _Device:
    """What all fakes share: an open/closed state, time that does not go back, and failure on demand."""

    def __init__(self, name: str, fail_on: int | None = None) -> None:
        self._name = name
        self._fail_on = fail_on
        self._calls = 0
        self._state = OutputUse(name)

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._state.closed

    def _use(self, time_ns: int) -> None:
        """Take note of one call. Raises OutputError if the device is closed, told to fail, or time goes back."""
        self._calls += 1
        if self._calls == self._fail_on and not self.closed:
            raise OutputError(f"{self._name}: call {self._calls} failed, as this fake was told to")
        self._state.note(time_ns)

    def close(self) -> None:
        """Release the device; may be called twice."""
        self._state.closed = True


class FakeSpeaker(_Device):
    """A speaker that remembers its tones.

    Attributes
    ----------
    tones : list of (int, float)
        Time of the frame (ns) and frequency (Hz, 0 is silence) of each change.
    freq_hz : float
        What plays now.
    """

    def __init__(self, fail_on: int | None = None) -> None:
        super().__init__("speaker", fail_on)
        self.tones: list[tuple[int, float]] = []
        self.freq_hz = 0.0

    def set_tone(self, freq_hz: float, time_ns: int) -> None:
        """Play ``freq_hz``. Raises OutputError for what no speaker can play."""
        self._use(time_ns)
        check_tone(freq_hz)
        self.tones.append((time_ns, freq_hz))
        self.freq_hz = freq_hz

    def close(self) -> None:
        """Fall silent."""
        self.freq_hz = 0.0
        super().close()


class FakeValve(_Device):
    """A valve that keeps the rig's bounds (``core.outputs.Openings``) and remembers its openings."""

    def __init__(self, settings: OutputSettings, fail_on: int | None = None) -> None:
        super().__init__("valve", fail_on)
        self._openings = openings(settings)

    @property
    def pulses(self) -> list[tuple[int, int]]:
        """Start and end of each opening, ns."""
        return self._openings.pulses

    def pulse(self, duration_s: float, time_ns: int) -> None:
        """Open for ``duration_s``. Raises OutputError when the pulse or the session's water is too much."""
        self._use(time_ns)
        self._openings.add(duration_s, time_ns)

    def refusal(self, duration_s: float, drops: int = 1) -> str:
        """Return why the last of so many pulses would be refused now; empty: it would not."""
        return self._openings.refusal(duration_s, drops)


class FakeLines(_Device):
    """LEDs, light and TTL lines that remember their levels.

    Attributes
    ----------
    levels : dict of Line to bool
        Lines set high or low, now.
    log : list of (int, Line, bool or float)
        Time (ns), line, and the level set or the duration pulsed (s).
    """

    def __init__(self, fail_on: int | None = None) -> None:
        super().__init__("lines", fail_on)
        self.levels: dict[Line, bool] = dict.fromkeys(Line, False)
        self.log: list[tuple[int, Line, bool | float]] = []

    def set(self, level: Level, time_ns: int) -> None:
        """Set a line and leave it."""
        self._use(time_ns)
        self.levels[level.line] = level.high
        self.log.append((time_ns, level.line, level.high))

    def pulse(self, pulse: Pulse, time_ns: int) -> None:
        """Raise a line for a while. Raises OutputError for a duration that is not positive."""
        self._use(time_ns)
        if not (math.isfinite(pulse.duration_s) and pulse.duration_s > 0):
            raise OutputError(f"{pulse.line.value}: a pulse of {pulse.duration_s} s is refused; give more than 0")
        self.log.append((time_ns, pulse.line, pulse.duration_s))

    def close(self) -> None:
        """All lines low."""
        self.levels = dict.fromkeys(Line, False)
        super().close()


class FakeLickSensor(_Device):
    """A lick sensor that plays back licks given beforehand.

    Parameters
    ----------
    licks_ns : iterable of int
        Times of licks on the frames' clock, ns, in order.
    """

    def __init__(self, licks_ns: Iterable[int] = (), fail_on: int | None = None) -> None:
        super().__init__("lick sensor", fail_on)
        self._waiting = deque(licks_ns)

    def read(self, until_ns: int) -> tuple[Lick, ...]:
        """Return the licks up to ``until_ns`` that have not been returned yet."""
        self._use(until_ns)
        licks = []
        while self._waiting and self._waiting[0] <= until_ns:
            licks.append(Lick(self._waiting.popleft()))
        return tuple(licks)

    @property
    def left(self) -> int:
        """Licks that nobody has read."""
        return len(self._waiting)
