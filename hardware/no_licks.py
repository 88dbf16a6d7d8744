"""A rig without a lick sensor."""

from __future__ import annotations

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
