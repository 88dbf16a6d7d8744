"""What every output must refuse, whatever stands behind it: a fake, a simulated mouse, a driver. Pure rules."""

from __future__ import annotations

import math

from core.errors import OutputError
from core.values import as_ns

HIGHEST_TONE_HZ = 96_000.0
"""Half of the fastest sample rate of audio hardware in use (192 kHz): no tone above it can be played."""

DUTY_WINDOW_NS = 10_000_000_000
"""Span of time of which ``max_duty`` is a share, ns."""


def longest_opening_ns(max_duty: float) -> int:
    """Return the longest single opening that ``max_duty`` (a share) lets out, ns."""
    return math.floor(max_duty * DUTY_WINDOW_NS)


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
    """The openings of a valve, kept within bounds: one pulse, the pause between two, duty, water of session and day.

    A pulse that is asked for while another runs begins when that one and the pause after it are over: no drop is lost,
    and the valve never stays open longer than one pulse. A pulse that would make the valve open for more than
    ``max_duty`` of any 10 s waits too. What is too much for one pulse, one session or one day is refused.

    Parameters
    ----------
    max_pulse_s, min_pulse_gap_s, max_session_water_s, max_duty, max_day_water_s : float
        See ``hardware.settings.OutputSettings``, s (``max_duty``: a share).
    session_s, day_s : float
        Water that this session and this day have had already, s.

    Attributes
    ----------
    pulses : list of (int, int)
        Start and end of each opening, ns, in order.
    """

    def __init__(
        self, max_pulse_s: float, min_pulse_gap_s: float, max_session_water_s: float, *,
        max_duty: float = 1.0, max_day_water_s: float = math.inf, session_s: float = 0.0, day_s: float = 0.0,
    ) -> None:  # fmt: skip
        self._max_pulse_s = max_pulse_s
        self._max_duty = max_duty
        self._gap_ns = as_ns(min_pulse_gap_s)
        self._duty_ns = longest_opening_ns(max_duty)
        self._water = {
            "session": (max_session_water_s, as_ns(session_s)),
            "day": (max_day_water_s, as_ns(day_s)),
        }
        self._taken_ns = 0
        self.pulses: list[tuple[int, int]] = []

    @property
    def session_s(self) -> float:
        """Water of the session so far, s, what is still to come included."""
        return (self._water["session"][1] + self._taken_ns) / 1e9

    @property
    def day_s(self) -> float:
        """Water of the day so far, s, what is still to come included."""
        return (self._water["day"][1] + self._taken_ns) / 1e9

    def count_day(self, day_s: float) -> None:
        """Take note that the day has had this much water at least, s."""
        limit_s, before_ns = self._water["day"]
        self._water["day"] = (limit_s, max(before_ns, as_ns(day_s) - self._taken_ns))

    def add(self, duration_s: float, time_ns: int) -> tuple[int, int]:
        """Return start and end (ns) of an opening that is asked for at ``time_ns``. Raises OutputError."""
        length = self.take(duration_s)
        start = self.earliest(length, time_ns)
        self.note(start, start + length)
        return self.pulses[-1]

    def take(self, duration_s: float) -> int:
        """Count an opening as water and return its length, ns; when it comes is open. Raises OutputError."""
        if refusal := self.refusal(duration_s):
            raise OutputError(refusal)
        length = as_ns(duration_s)
        self._taken_ns += length
        return length

    def refusal(self, duration_s: float, drops: int = 1) -> str:
        """Return why the last of so many openings would be refused, were they asked for now; empty: it would not."""
        if not 0 < duration_s <= self._max_pulse_s or not as_ns(duration_s):
            return f"valve: a pulse of {duration_s} s is refused; max_pulse_s is {self._max_pulse_s}"
        length = as_ns(duration_s)
        if length > self._duty_ns:
            return f"valve: a pulse of {duration_s} s is refused; max_duty is {self._max_duty:g}, of any 10 s"
        for span, (limit_s, before_ns) in self._water.items():
            had_ns = before_ns + self._taken_ns + (drops - 1) * length
            if had_ns + length > limit_s * 1e9:
                return (
                    f"valve: a drop of {duration_s:g} s is refused, as the {span}'s water is used up: "
                    f"{had_ns / 1e9:g} s so far, and max_{span}_water_s is {limit_s:g}"
                )
        return ""

    def give_back(self, length_ns: int) -> None:
        """Take off the count what was not given after all, ns."""
        self._taken_ns -= length_ns

    def earliest(self, length_ns: int, time_ns: int) -> int:
        """Return when, at ``time_ns`` or later, an opening of ``length_ns`` may begin after those noted, ns.

        The 10 s that end with the new opening hold the most water of all that it is in: of these only what is left of
        ``max_duty`` may have been open before it.
        """
        start = max(time_ns, self.pulses[-1][1] + self._gap_ns) if self.pulses else time_ns
        to_window = length_ns - DUTY_WINDOW_NS
        left_ns = self._duty_ns - length_ns
        for begin, end in reversed(self.pulses):
            if end <= start + to_window:
                break
            if end - begin > left_ns:
                return max(start, end - left_ns - to_window)
            left_ns -= end - begin
        return start

    def note(self, start_ns: int, end_ns: int) -> None:
        """Note an opening, after all others."""
        self.pulses.append((start_ns, end_ns))

    def ended(self, end_ns: int) -> None:
        """Note when the last opening ended, or was cut."""
        self.pulses[-1] = (self.pulses[-1][0], end_ns)
