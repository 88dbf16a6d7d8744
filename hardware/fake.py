"""Fakes of every output and sensor. They ship, remember what was asked and when, and refuse what a rig must refuse.

They are what a session without an animal runs on, and the judge of tests: each device can be made to fail at its n-th
call, and each tells what it was left with.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from core.errors import OutputError
from core.values import Level, Lick, Line, Pulse, as_ns
from hardware.settings import OutputSettings

HIGHEST_TONE_HZ = 96_000.0
"""Half of the fastest sample rate of audio hardware in use (192 kHz): no tone above it can be played."""


class _Device:
    """What all fakes share: an open/closed state, time that does not go back, and failure on demand."""

    def __init__(self, name: str, fail_on: int | None = None) -> None:
        self._name = name
        self._fail_on = fail_on
        self._calls = 0
        self._last_ns = -1
        self.closed = False

    def _use(self, time_ns: int) -> None:
        """Take note of one call. Raises OutputError if the device is closed, told to fail, or time goes back."""
        self._calls += 1
        if self.closed:
            raise OutputError(f"{self._name}: used after it was closed; the loop must end before its outputs")
        if self._calls == self._fail_on:
            raise OutputError(f"{self._name}: call {self._calls} failed, as this fake was told to")
        if time_ns < self._last_ns:
            raise OutputError(f"{self._name}: time went back from {self._last_ns} to {time_ns} ns")
        self._last_ns = time_ns

    def close(self) -> None:
        """Release the device; may be called twice."""
        self.closed = True


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
        if not (math.isfinite(freq_hz) and 0 <= freq_hz <= HIGHEST_TONE_HZ):
            raise OutputError(f"speaker: {freq_hz} Hz cannot be played; use 0 (silence) to {HIGHEST_TONE_HZ:.0f} Hz")
        self.tones.append((time_ns, freq_hz))
        self.freq_hz = freq_hz

    def close(self) -> None:
        """Fall silent."""
        self.freq_hz = 0.0
        super().close()


class FakeValve(_Device):
    """A valve that keeps the rig's bounds: one pulse, the pause between two, and the water of a session.

    A pulse that is asked for while another runs begins when that one and the pause after it are over: no drop is lost,
    and the valve never stays open longer than one pulse.

    Attributes
    ----------
    pulses : list of (int, int)
        Start and end of each opening, ns.
    """

    def __init__(self, settings: OutputSettings, fail_on: int | None = None) -> None:
        super().__init__("valve", fail_on)
        self._settings = settings
        self._open_ns = 0
        self.pulses: list[tuple[int, int]] = []

    def pulse(self, duration_s: float, time_ns: int) -> None:
        """Open for ``duration_s``. Raises OutputError when the pulse or the session's water is too much."""
        self._use(time_ns)
        bounds = self._settings
        if not 0 < duration_s <= bounds.max_pulse_s:
            raise OutputError(f"valve: a pulse of {duration_s} s is refused; max_pulse_s is {bounds.max_pulse_s}")
        length = as_ns(duration_s)
        if self._open_ns + length > as_ns(bounds.max_session_water_s):
            raise OutputError(
                f"valve: {(self._open_ns + length) / 1e9:g} s of water in one session is refused; "
                f"max_session_water_s is {bounds.max_session_water_s:g}"
            )
        start = max(time_ns, self.pulses[-1][1] + as_ns(bounds.min_pulse_gap_s)) if self.pulses else time_ns
        self._open_ns += length
        self.pulses.append((start, start + length))


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
