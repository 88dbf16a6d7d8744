"""How a paw moves under its muscles: spikes become force, force moves a mass on a spring."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from core.errors import InputError

MUSCLES: Mapping[str, tuple[int, float]] = {
    "extend": (0, 1.0),
    "retract": (0, -1.0),
    "lift": (1, 1.0),
    "lower": (1, -1.0),
}
"""Axis and direction of each muscle: 0 from start to target, 1 across it, upwards."""
NEEDED = ("extend", "retract")
SUBSTEP_S = 1e-3


@dataclass(frozen=True, slots=True)
class LimbSettings:
    """Muscles and mechanics. Lengths are parts of the way from start to target, so that any target can be reached.

    Attributes
    ----------
    activation_s : float
        Time constant with which a muscle follows the rate of its cells, s; 30 ms, about the twitch of a fast muscle
        of a mouse; chosen.
    threshold_hz : float
        Rate, spikes/s per cell, below which a muscle has no force: a mouse whose motor cells fire at rest is still.
    force_per_hz : float
        Displacement that each spike/s above that would hold the paw at, as a part of the way to the target.
    across : float
        The same of lift and lower, over that of extend and retract.
    natural_hz : float
        Natural frequency of the limb, Hz; chosen so that reaches take 100 to 200 ms, as those of mice do.
    damping : float
        Damping ratio; 1 is critical.
    furthest : (float, float)
        How far the paw gets behind its place of rest, and towards the target and beyond.
    widest : float
        How far it gets to either side.
    """

    activation_s: float = 0.03
    threshold_hz: float = 10.0
    force_per_hz: float = 0.023
    across: float = 0.4
    natural_hz: float = 6.0
    damping: float = 0.8
    furthest: tuple[float, float] = (-0.3, 1.2)
    widest: float = 0.5

    def __post_init__(self) -> None:
        ranges = {
            "activation_s": (1e-3, 10.0),
            "threshold_hz": (0.0, 1e4),
            "force_per_hz": (0.0, 1e3),
            "across": (0.0, 1e3),
            "natural_hz": (0.1, 40.0),
            "damping": (0.0, 3.0),
            "widest": (0.0, 10.0),
        }
        wrong = [
            f"{each.name} is {getattr(self, each.name)}; give {ranges[each.name][0]:g} to {ranges[each.name][1]:g}"
            for each in fields(self)
            if each.name in ranges and not ranges[each.name][0] <= getattr(self, each.name) <= ranges[each.name][1]
        ]
        if not -10 <= self.furthest[0] <= 0 <= self.furthest[1] <= 10:
            wrong.append(f"furthest is {self.furthest}; give one of -10 to 0 and one of 0 to 10")
        if wrong:
            raise InputError("limb: " + "; ".join(wrong))


class Limb:
    """The state of one limb.

    Parameters
    ----------
    settings : LimbSettings
    muscles : mapping of str to int
        The cells of each muscle that there is.

    Attributes
    ----------
    place : list of float
        How far along the way to the target (1 is there) and across it (upwards) the paw is.
    """

    def __init__(self, settings: LimbSettings, muscles: Mapping[str, int]) -> None:
        self._settings = settings
        self._cells = muscles
        self._active = dict.fromkeys(muscles, 0.0)
        self._speed = [0.0, 0.0]
        self._walls = (settings.furthest, (-settings.widest, settings.widest))
        self.place = [0.0, 0.0]

    def step(self, spikes: Mapping[str, int], dt_s: float) -> None:
        """Go ``dt_s`` (s) on; ``spikes`` of each muscle's cells fell into it, evenly."""
        rates = {name: spikes[name] / (cells * dt_s) for name, cells in self._cells.items()}
        steps = max(1, math.ceil(dt_s / SUBSTEP_S - 1e-9))
        part_s = dt_s / steps
        keep = math.exp(-part_s / self._settings.activation_s)
        for _ in range(steps):
            for name, rate in rates.items():
                self._active[name] = rate + (self._active[name] - rate) * keep
            for axis in (0, 1):
                self._move(axis, part_s)

    def _move(self, axis: int, dt_s: float) -> None:
        """Move along one axis, the speed first, which keeps the oscillation of a spring bounded."""
        made = self._settings
        omega = 2 * math.pi * made.natural_hz
        pull = omega * omega * (self._force(axis) - self.place[axis]) - 2 * made.damping * omega * self._speed[axis]
        self._speed[axis] += pull * dt_s
        at = self.place[axis] + self._speed[axis] * dt_s
        low, high = self._walls[axis]
        if not low <= at <= high:
            at, self._speed[axis] = min(max(at, low), high), 0.0
        self.place[axis] = at

    def _force(self, axis: int) -> float:
        """Return where the muscles of an axis would hold the paw."""
        made = self._settings
        force = 0.0
        for name, active in self._active.items():
            of, sign = MUSCLES[name]
            if of == axis:
                force += sign * max(0.0, active - made.threshold_hz)
        return force * made.force_per_hz * (made.across if axis else 1.0)
