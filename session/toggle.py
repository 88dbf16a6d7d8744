"""Switches each connected output on and off, one after the other, for a person (or a scope) to watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.clock import MonotonicClock
from core.ports import Clock
from core.values import Line, Pulse, Report, as_ns
from hardware.ledger_rows import Purpose
from session.rig_outputs import rig_guard
from session.settings import Settings

SHOW_S = 1.0
"""How long a line is high, s: a person looks up."""
DROP_S = 0.05
GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Toggled:
    """What became of one output.

    Attributes
    ----------
    name : str
    pin : int
        0: not connected, nothing was done.
    high_s : float
        How long it was high by the guardian's own stamps, s; 0 where no edge was told.
    """

    name: str
    pin: int
    high_s: float

    @property
    def failed(self) -> bool:
        """Whether it is connected, and did not do what it was told to."""
        return bool(self.pin) and not self.high_s

    def text(self) -> str:
        """Return it as a line for a person."""
        if not self.pin:
            return f"{self.name:14} not connected, or left alone"
        if self.failed:
            cure = "see that nothing else drives that pin (gpioinfo), run rigloop doctor, and toggle again"
            return f"{self.name:14} pin {self.pin}: NO EDGE was told; {cure}"
        return f"{self.name:14} pin {self.pin}: was high for {self.high_s:.3f} s"


def toggle(settings: Settings, valve: bool, stop: Callable[[], bool], clock: Clock | None = None) -> Iterator[Toggled]:
    """Raise each line for ``SHOW_S``, the valve (only if ``valve``) for ``DROP_S``; yield what the guardian told.

    The sync line is not raised here: the guardian pulses it by itself, and one pulse of it is awaited. The guardian
    writes the drop into the rig's own log. Raises InputError for a rig in a session, OutputError for lines that cannot
    be had.
    """
    clock = clock or MonotonicClock()
    with rig_guard(settings, Purpose.prime, settings.outputs, for_mouse=False) as guard:
        for line in Line:
            pin = getattr(settings.pins, f"pin_{line.value}")
            if stop():
                return
            if pin:
                guard.lines.pulse(Pulse(line, SHOW_S), clock.now_ns())
            yield Toggled(line.value, pin, _high_s(guard, line.value, SHOW_S, clock, stop) if pin else 0.0)
        if stop():
            return
        pin, (_, longest_s) = settings.pins.pin_sync, settings.pins.sync_interval_s
        yield Toggled("sync", pin, _high_s(guard, "sync", longest_s, clock, stop) if pin else 0.0)
        if stop():
            return
        pin = settings.pins.pin_valve if valve else 0
        if pin:
            guard.valve.pulse(DROP_S, clock.now_ns())
        told = Toggled("valve", pin, _high_s(guard, "valve", DROP_S, clock, stop) if pin else 0.0)
    yield told


def _high_s(guard: object, name: str, expected_s: float, clock: Clock, stop: Callable[[], bool]) -> float:
    """Wait for the line to rise and fall; return how long it was high, s."""
    up_ns = 0
    # Edges of the sync line are reports of a kind of their own.
    rise, fall = (("sync", "1"), ("sync", "0")) if name == "sync" else (("edge", f"{name} 1"), ("edge", f"{name} 0"))
    end_ns = clock.now_ns() + as_ns(expected_s + GRACE_S)
    while clock.now_ns() < end_ns and not stop():
        guard.alive()  # type: ignore[attr-defined]
        clock.sleep_until_ns(clock.now_ns() + 20_000_000)
        reports: tuple[Report, ...] = guard.reports()  # type: ignore[attr-defined]
        for report in reports:
            if (report.kind, report.detail) == rise:
                up_ns = report.time_ns
            elif (report.kind, report.detail) == fall and up_ns:
                return (report.time_ns - up_ns) / 1e9
    return 0.0
