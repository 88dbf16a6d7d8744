"""What every output must refuse, whatever stands behind it: a fake, a simulated mouse, a driver. Pure rules."""

from __future__ import annotations

import math

from core.errors import OutputError
from core.values import as_ns

HIGHEST_TONE_HZ = 96_000.0
"""Half of the fastest sample rate of audio hardware in use (192 kHz): no tone above it can be played."""


class OutputUse:
    """An output's open or closed state, and its time, which does not go back.

    Parameters
    ----------
    name : str
        The output, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._last_ns = -1
        self.closed = False

    def note(self, time_ns: int) -> None:
        """Take note of one call. Raises OutputError if the output is closed or time goes back."""
        if self.closed:
            raise OutputError(f"{self._name}: used after it was closed; the loop must end before its outputs")
        if time_ns < self._last_ns:
            raise OutputError(f"{self._name}: time went back from {self._last_ns} to {time_ns} ns")
        self._last_ns = time_ns


def check_tone(freq_hz: float) -> None:
    """Raise OutputError for a frequency (Hz, 0 is silence) that no speaker can play."""
    if not (math.isfinite(freq_hz) and 0 <= freq_hz <= HIGHEST_TONE_HZ):
        raise OutputError(f"speaker: {freq_hz} Hz cannot be played; use 0 (silence) to {HIGHEST_TONE_HZ:.0f} Hz")


class Openings:
    """The openings of a valve, kept within bounds: one pulse, the pause between two, the water of a session.

    A pulse that is asked for while another runs begins when that one and the pause after it are over: no drop is lost,
    and the valve never stays open longer than one pulse.

    Parameters
    ----------
    max_pulse_s, min_pulse_gap_s, max_session_water_s : float
        See ``hardware.settings.OutputSettings``, s.

    Attributes
    ----------
    pulses : list of (int, int)
        Start and end of each opening, ns.
    """

    def __init__(self, max_pulse_s: float, min_pulse_gap_s: float, max_session_water_s: float) -> None:
        self._max_pulse_s = max_pulse_s
        self._gap_ns = as_ns(min_pulse_gap_s)
        self._max_water_s = max_session_water_s
        self._open_ns = 0
        self.pulses: list[tuple[int, int]] = []

    def add(self, duration_s: float, time_ns: int) -> tuple[int, int]:
        """Return start and end (ns) of an opening that is asked for at ``time_ns``. Raises OutputError."""
        if not 0 < duration_s <= self._max_pulse_s:
            raise OutputError(f"valve: a pulse of {duration_s} s is refused; max_pulse_s is {self._max_pulse_s}")
        length = as_ns(duration_s)
        if self._open_ns + length > as_ns(self._max_water_s):
            raise OutputError(
                f"valve: {(self._open_ns + length) / 1e9:g} s of water in one session is refused; "
                f"max_session_water_s is {self._max_water_s:g}"
            )
        start = max(time_ns, self.pulses[-1][1] + self._gap_ns) if self.pulses else time_ns
        self._open_ns += length
        self.pulses.append((start, start + length))
        return self.pulses[-1]
