"""What the lick process asks of a sensor, and the sensors: a beam-break, an MPR121 polled, one that interrupts."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Protocol

from core.errors import OutputError
from core.ports import Clock
from hardware.debounce import Touch
from hardware.edge_watch import EdgeWatch
from hardware.mpr121 import Mpr121
from hardware.settings import LickSettings
from hardware.smbus import Bus

LOOK_S = 0.05
"""A line that interrupts is looked at this often besides, s: an edge may be lost while the line is being claimed."""
CHECK_NS = 1_000_000_000
"""Time between two looks at whether the MPR121 still has its settings."""


class Feeler(Protocol):
    """One sensor. All verbs are called by the lick process's only thread."""

    @property
    def name(self) -> str:
        """The sensor and how it is asked, for messages and the session's record."""

    @property
    def handles(self) -> tuple[int, ...]:
        """File descriptors that become readable when there is something to look at."""

    @property
    def pause_s(self) -> float:
        """Longest time between two looks, s."""

    def start(self) -> None:
        """Take the sensor into use. Raises OutputError."""

    def look(self) -> list[Touch]:
        """Return touches and releases since the last look, oldest first. Raises OSError, OutputError."""

    def notes(self) -> list[str]:
        """Return what else has happened since the last call, a line each."""

    def close(self) -> None:
        """Release the sensor, at any time; twice is legal. Raises OSError."""


class BeamFeeler:
    """A light beam before the spout, on a line with a pull-up.

    Parameters
    ----------
    gpio : module
        See ``EdgeWatch``.
    numbering, pin : int
    broken_low : bool
        Whether the line is low while the tongue breaks the beam.
    """

    pause_s = 0.25

    def __init__(self, gpio: Any, numbering: int, pin: int, broken_low: bool, clock: Clock) -> None:
        self.name = f"beam-break on pin {pin}, {'low' if broken_low else 'high'} when broken"
        self._open = (gpio, numbering, pin, broken_low)
        self._clock = clock
        self._watch: EdgeWatch | None = None
        self._lost = 0
        self._last: Touch | None = None

    @property
    def handles(self) -> tuple[int, ...]:
        """The watch's."""
        return () if self._watch is None else (self._watch.handle,)

    def start(self) -> None:
        """Claim the line. Raises OutputError, also where the beam is broken now."""
        self._watch = EdgeWatch(*self._open)
        if self._watch.touching:
            self.close()
            raise OutputError(
                f"lick sensor: the {self.name} is broken now, without a mouse; align it, check its supply, or the "
                "level that means broken (lick_beam_broken)"
            )

    def look(self) -> list[Touch]:
        """Return the edges; two that say the same had another between them, shorter than the library's delay."""
        watch = self._watched()
        found: list[Touch] = []
        edges = watch.take()
        if not edges and watch.touching != (self._last is not None and self._last.touching):
            edges = [Touch(self._clock.now_ns(), watch.touching), *watch.take()]
        for edge in edges:
            if edge.touching == (self._last is not None and self._last.touching):
                found.append(Touch(edge.time_ns, not edge.touching))
            found.append(edge)
            self._last = edge
        return found

    def notes(self) -> list[str]:
        """Return how many edges were lost."""
        lost = self._watched().lost
        new, self._lost = lost - self._lost, lost
        return [f"{new} edges of the {self.name} were lost"] if new else []

    def close(self) -> None:
        """Release the line."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _watched(self) -> EdgeWatch:
        if self._watch is None:
            raise OutputError(f"lick sensor: the {self.name} is not in use; call start() first")
        return self._watch


class PolledFeeler:
    """An MPR121 that is asked every ``lick_poll_s``."""

    handles: tuple[int, ...] = ()

    def __init__(self, bus: Bus, settings: LickSettings, clock: Clock) -> None:
        self._bus: Bus | None = bus
        self._clock = clock
        self._chip = Mpr121(bus, settings, clock)
        self._last = False
        self._check_ns = 0
        self._notes: list[str] = []
        self.name = f"{self._chip.name}, channel {settings.lick_channel}"
        self.pause_s = settings.lick_poll_s

    def start(self) -> None:
        """Set the chip up. Raises OutputError."""
        self._chip.start()
        self._check_ns = self._clock.now_ns() + CHECK_NS

    def look(self) -> list[Touch]:
        """Ask the chip once. The time of a touch is when the question began: it came since the one before."""
        now = self._clock.now_ns()
        if now >= self._check_ns:
            self._check(now)
        return self.ask(now)

    def ask(self, time_ns: int) -> list[Touch]:
        """Return what has changed, as of ``time_ns``."""
        touching = self._chip.touching()
        if touching == self._last:
            return []
        self._last = touching
        return [Touch(time_ns, touching)]

    def notes(self) -> list[str]:
        """Return how often the chip had to be set up anew."""
        taken, self._notes = self._notes, []
        return taken

    def close(self) -> None:
        """Have the chip sleep, and close the bus."""
        if self._bus is not None:
            bus, self._bus = self._bus, None
            try:
                self._chip.stop()
            finally:
                bus.close()

    def _check(self, now: int) -> None:
        self._check_ns = now + CHECK_NS
        if not self._chip.running():
            self._chip.set_up()
            self._notes.append(f"{self._chip.name} had lost its settings, and was set up anew: check its supply")


class InterruptFeeler:
    """An MPR121 whose interrupt line falls when something has changed; reading its status lets the line rise."""

    pause_s = LOOK_S

    def __init__(self, polled: PolledFeeler, gpio: Any, numbering: int, pin: int, clock: Clock) -> None:
        self._polled = polled
        self._open = (gpio, numbering, pin, True)
        self._watch: EdgeWatch | None = None
        self._clock = clock
        self.name = f"{polled.name}, interrupts on pin {pin}"

    @property
    def handles(self) -> tuple[int, ...]:
        """The watch's."""
        return () if self._watch is None else (self._watch.handle,)

    def start(self) -> None:
        """Claim the line, then set the chip up. Raises OutputError."""
        self._watch = EdgeWatch(*self._open)
        try:
            self._polled.start()
        except OutputError:
            with suppress(OSError):
                self.close()
            raise

    def look(self) -> list[Touch]:
        """Ask the chip; a change has the time of the first fall of the line since the last look."""
        falls = [edge.time_ns for edge in self._watch.take() if edge.touching] if self._watch is not None else []
        if falls:
            return self._polled.ask(falls[0])
        return self._polled.look()

    def notes(self) -> list[str]:
        """Return the chip's."""
        return self._polled.notes()

    def close(self) -> None:
        """Release line, chip and bus."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._polled.close()
