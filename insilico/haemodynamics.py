"""Blood in a simulated cortex: total haemoglobin rises after activity, and it swings by itself.

Two parts are added, both kept as a few numbers of state, without a history, and exact whatever the steps of time:

- vasomotion: a damped oscillator that noise drives. Its spectrum has one peak, of given frequency and width, and falls
  with the fourth power of frequency above it, so that blood never jitters from frame to frame;
- functional hyperaemia: activity through three equal low-pass stages in a row, whose response to a short burst is
  ``t**2 * exp(-t / tau)``, with its peak at ``2 * tau`` (the gamma function of Boynton et al. 1996, n = 3).

There is neither heartbeat nor breathing. A mouse's heart beats some 10 times a second: an exposure of a whole frame at
15 Hz averages most of it away, and what is left would alias to a line in the spectrum whose place depends on the frame
rate. Blue takes it off green like all other blood.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class HaemodynamicSettings:
    """How the blood of a simulated cortex moves.

    Attributes
    ----------
    vasomotion_sd : float
        Standard deviation of total haemoglobin by vasomotion, a fraction. Chosen because blue reflectance then swings
        by some 0.3 %, which is what it is there to remove.
    vasomotion_hz : float
        Where the spectrum peaks, Hz. Mateo et al. 2017 (Neuron 96:936, abstract): intrinsic fluctuations of arteriole
        diameter of mouse cortex at 0.1 Hz.
    vasomotion_width_hz : float
        Full width of that peak at half power, Hz. Chosen because vasomotion is a rhythm that loses its phase within a
        few cycles.
    hyperaemia_gain : float
        Fractional rise of total haemoglobin per dF/F of the cortex that lasts. Chosen because a dF/F of 0.05 then
        brings 1 %, as much as vasomotion.
    hyperaemia_peak_s : float
        When the response to a short burst of activity peaks, s. Chosen: haemoglobin of rat cortex peaks 2 s after a
        stimulus under anaesthesia (Prakash et al. 2007, NeuroImage 37:S27, abstract), and responses of mouse cortex are
        twice as fast awake as under anaesthesia (Pisauro et al. 2013, J. Neurosci. 33:18343, abstract).
    """

    vasomotion_sd: float = 0.01
    vasomotion_hz: float = 0.1
    vasomotion_width_hz: float = 0.04
    hyperaemia_gain: float = 0.2
    hyperaemia_peak_s: float = 1.2

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InputError("haemodynamics: " + "; ".join(problems))

    def _problems(self) -> Iterator[str]:
        above = ("vasomotion_hz", "vasomotion_width_hz", "hyperaemia_peak_s")
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if name in above and not 0 < value < math.inf:
                yield f"{name} is {value}; give a finite number above 0"
            elif not 0 <= value < math.inf:
                yield f"{name} is {value}; give a finite number, 0 or more"


class _Stride(NamedTuple):
    """What one step of an oscillator of standard deviation 1 does: ``next = move @ now + draw @ normals``."""

    move: tuple[float, float, float, float]
    draw: tuple[float, float, float]


class Haemodynamics:
    """Total haemoglobin of the whole cortex, as a fractional change from its mean.

    Parameters
    ----------
    settings : HaemodynamicSettings
    rng : numpy.random.Generator
        Draws vasomotion; it belongs to this object from now on.
    """

    def __init__(self, settings: HaemodynamicSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self._rng = rng
        self._damping = math.pi * settings.vasomotion_width_hz
        # The spectrum of a damped oscillator peaks below its natural frequency.
        self._natural = math.hypot(2 * math.pi * settings.vasomotion_hz, math.sqrt(2) * self._damping)
        place, speed = rng.standard_normal(2).tolist()
        self._swing: tuple[float, float] = (place, self._natural * speed)
        self._stages = (0.0, 0.0, 0.0)
        self._strides: tuple[float, _Stride] = (0.0, self._stride(0.0))

    @property
    def vasomotion(self) -> float:
        """Total haemoglobin by vasomotion after the last step, a fraction; stationary from the beginning."""
        return self.settings.vasomotion_sd * self._swing[0]

    @property
    def hyperaemia(self) -> float:
        """Total haemoglobin by past activity after the last step, a fraction; 0 at the beginning."""
        return self.settings.hyperaemia_gain * self._stages[2]

    def step(self, dt_s: float, activity: float) -> float:
        """Go on by ``dt_s`` and return the fractional change of total haemoglobin, about 0.01.

        Parameters
        ----------
        dt_s : float
            Time since the last step, s; 0 or more.
        activity : float
            Mean dF/F of the cortex in that time, relative to its mean state, a fraction.

        Raises
        ------
        ValueError
            If the time is negative, or one of the two is not finite.
        """
        if not (0 <= dt_s < math.inf and math.isfinite(activity)):
            raise ValueError(
                f"a step of {dt_s} s with activity {activity}; give finite numbers and a time of 0 or more"
            )
        self._oscillate(dt_s)
        self._respond(dt_s, activity)
        return self.vasomotion + self.hyperaemia

    def _oscillate(self, dt_s: float) -> None:
        if dt_s != self._strides[0]:
            self._strides = (dt_s, self._stride(dt_s))
        (a, b, c, d), (e, f, g) = self._strides[1]
        first, second = self._rng.standard_normal(2).tolist()
        place, speed = self._swing
        self._swing = (a * place + b * speed + e * first, c * place + d * speed + f * first + g * second)

    def _stride(self, dt_s: float) -> _Stride:
        """Return the exact step: the oscillator's own motion, and the normal noise that keeps it stationary."""
        damping, natural = self._damping, self._natural
        damped = math.sqrt(natural**2 - damping**2)
        fade, cos, sin = math.exp(-damping * dt_s), math.cos(damped * dt_s), math.sin(damped * dt_s) / damped
        move = np.array([[cos + damping * sin, sin], [-(natural**2) * sin, cos - damping * sin]]) * fade
        stationary = np.diag([1.0, natural**2])
        lost = stationary - move @ stationary @ move.T
        # For tiny steps rounding may leave a little less than nothing.
        first = math.sqrt(max(lost[0, 0], 0.0))
        both = float(lost[0, 1]) / first if first > 0 else 0.0
        second = math.sqrt(max(lost[1, 1] - both**2, 0.0))
        a, b, c, d = move.ravel().tolist()
        return _Stride((a, b, c, d), (first, both, second))

    def _respond(self, dt_s: float, activity: float) -> None:
        """Take the three stages on, exactly for activity that is constant in the step."""
        past = dt_s / (self.settings.hyperaemia_peak_s / 2)
        fade = math.exp(-past)
        one, two, three = (stage - activity for stage in self._stages)
        self._stages = (
            activity + fade * one,
            activity + fade * (two + past * one),
            activity + fade * (three + past * two + past**2 / 2 * one),
        )
