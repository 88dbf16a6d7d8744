"""The rig of a replay: fakes that give the recorded licks, and refuse the drops that were refused."""

from __future__ import annotations

from core.errors import OutputError
from core.values import Lick
from hardware.fake import FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputSettings
from session.replay_inputs import InputScript


class RecordedLicks:
    """LickSensor: with each frame the licks that were recorded with it."""

    def __init__(self, script: InputScript) -> None:
        self._licks = script.licks

    def read(self, until_ns: int) -> tuple[Lick, ...]:
        """Return the licks of the frame of this time."""
        return self._licks.get(until_ns, ())

    def close(self) -> None:
        """Nothing to release."""


class RefusingValve:
    """Valve: refuses the drops that were refused when the session was recorded.

    Parameters
    ----------
    script : InputScript
    bounds : OutputSettings or None
        The rig's bounds, for drops that the recorded session did not ask for; None: none but the recorded refusals.
    """

    def __init__(self, script: InputScript, bounds: OutputSettings | None = None) -> None:
        self._refused = script.refused
        self._bounded = None if bounds is None else FakeValve(bounds)
        self._time_ns = -1
        self._drops = 0

    def pulse(self, duration_s: float, time_ns: int) -> None:
        """Take a drop. Raises OutputError for one that was, or that these bounds would have, refused."""
        if time_ns != self._time_ns:
            self._time_ns, self._drops = time_ns, 0
        self._drops += 1
        if time_ns in self._refused and self._drops > self._refused[time_ns]:
            raise OutputError("valve: refused this drop when it was recorded")
        if self._bounded is not None:
            self._bounded.pulse(duration_s, time_ns)

    def close(self) -> None:
        """Nothing to release."""


def replay_rig(script: InputScript, bounds: OutputSettings | None = None) -> Rig:
    """Return a rig that gives back a session's inputs; for ``bounds`` see ``RefusingValve``."""
    return Rig(FakeSpeaker(), RefusingValve(script, bounds), FakeLines(), RecordedLicks(script))
