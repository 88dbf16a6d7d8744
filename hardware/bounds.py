"""From the settings of a rig to the bounds of its water; the client, the guardian and the fake keep the same ones."""

from __future__ import annotations

from core.outputs import DUTY_WINDOW_NS, Openings
from hardware.settings import OutputSettings

_MOST_KEPT = 256


def openings(settings: OutputSettings, session_s: float = 0.0, day_s: float = 0.0) -> Openings:
    """Return the bounds of a valve of which session and day have had this much water already, s."""
    return Openings(
        settings.max_pulse_s,
        settings.min_pulse_gap_s,
        settings.max_session_water_s,
        max_duty=settings.max_duty,
        max_day_water_s=settings.max_day_water_s,
        session_s=session_s,
        day_s=day_s,
    )


def last_openings(pulses: list[tuple[int, int]], now_ns: int) -> list[tuple[int, int]]:
    """Return the openings (start and end, ns, in order) of which ``max_duty`` still knows.

    They fit into one message: of very many the oldest become one, as long as all of them and as late as the last.
    """
    recent = [pulse for pulse in pulses if pulse[1] > now_ns - DUTY_WINDOW_NS]
    old, new = recent[:-_MOST_KEPT], recent[-_MOST_KEPT:]
    if old:
        end_ns = old[-1][1]
        new.insert(0, (end_ns - sum(end - start for start, end in old), end_ns))
    return new
