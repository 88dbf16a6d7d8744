"""Devices that a rig does not have, or that were not opened."""

from __future__ import annotations

from core.errors import OutputError
from core.outputs import OutputUse
from core.values import Lick


class NoLickSensor:
    """Feels nothing, ever: ``lick_sensor = none``."""

    def __init__(self) -> None:
        self._state = OutputUse("lick sensor")

    def read(self, until_ns: int) -> tuple[Lick, ...]:
        """Return no licks. Raises OutputError once closed."""
        self._state.note(until_ns)
        return ()

    def close(self) -> None:
        """There is nothing to release; twice is legal."""
        self._state.closed = True


class NoSpeaker:
    """Plays nothing and says so: a preview opens no sound card."""

    def set_tone(self, freq_hz: float, time_ns: int) -> None:
        """Take silence; raise OutputError for a tone."""
        del time_ns
        if freq_hz:
            raise OutputError(f"speaker: {freq_hz:g} Hz is asked for, but no sound card was opened; run a session")

    def close(self) -> None:
        """There is nothing to release; twice is legal."""
