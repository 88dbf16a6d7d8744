"""Switches each connected output on and off, one after the other, for a person (or a scope) to watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.clock import MonotonicClock
from core.ports import Clock
from core.values import Line, Pulse, as_ns
from hardware.ledger_rows import Purpose
from session.rig_outputs import rig_guard
from session.settings import Settings

if TYPE_CHECKING:
    from hardware.guard import Guard

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
    be had, Interrupted where ``stop`` says so before they are. What ``stop`` cuts short is not told.
    """
    clock = clock or MonotonicClock()
    with rig_guard(settings, Purpose.prime, settings.outputs, lambda: not stop(), for_mouse=False) as guard:
        for line in Line:
            pin = getattr(settings.pins, f"pin_{line.value}")
            if stop():
                return
            if pin:
                guard.lines.pulse(Pulse(line, SHOW_S), clock.now_ns())
            yield from _watched(guard, line.value, pin, SHOW_S, clock, stop)
        if stop():
            return
        pin, (_, longest_s) = settings.pins.pin_sync, settings.pins.sync_interval_s
        yield from _watched(guard, "sync", pin, longest_s, clock, stop)
        if stop():
            return
        pin = settings.pins.pin_valve if valve else 0
        if pin:
            guard.valve.pulse(DROP_S, clock.now_ns())
        told = _watched(guard, "valve", pin, DROP_S, clock, stop)
    yield from told


def _watched(
    guard: Guard, name: str, pin: int, expected_s: float, clock: Clock, stop: Callable[[], bool]
) -> tuple[Toggled, ...]:
    """Return what became of one output; nothing where ``stop`` cut it short."""
    high_s = _high_s(guard, name, expected_s, clock, stop) if pin else 0.0
    return () if high_s is None else (Toggled(name, pin, high_s),)


def _high_s(guard: Guard, name: str, expected_s: float, clock: Clock, stop: Callable[[], bool]) -> float | None:
    """Wait for the line to rise and fall; return how long it was high, s. None where ``stop`` did not let it."""
    up_ns = 0
    # Edges of the sync line are reports of a kind of their own.
    rise, fall = (("sync", "1"), ("sync", "0")) if name == "sync" else (("edge", f"{name} 1"), ("edge", f"{name} 0"))
    end_ns = clock.now_ns() + as_ns(expected_s + GRACE_S)
    while clock.now_ns() < end_ns:
        if stop():
            return None
        guard.alive()
        clock.sleep_until_ns(clock.now_ns() + 20_000_000)
        for report in guard.reports():
            if (report.kind, report.detail) == rise:
                up_ns = report.time_ns
            elif (report.kind, report.detail) == fall and up_ns:
                return (report.time_ns - up_ns) / 1e9
    return 0.0
