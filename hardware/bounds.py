"""From the settings of a rig to the bounds of its water; the client, the guardian and the fake keep the same ones."""

from __future__ import annotations

from core.outputs import Openings
from hardware.settings import OutputSettings


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
