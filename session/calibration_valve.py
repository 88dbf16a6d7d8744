"""How much water one opening of the valve gives: a line through weighed series of drops. Pure.

A drop's volume grows with the opening time in a straight line; the line does not go through zero, since a valve takes a
few ms to open and to close. A scale errs by about the same on every series, so one drop of a series of n is known to
1/n of that error: the line is fitted with weights n squared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.errors import InputError

UL_PER_G = 1001.8
"""Volume of 1 g of water at 20 degrees C, ul (its density there is 0.9982 g/ml; between 15 and 30 degrees it changes by
0.4 %, less than a scale's error on a series)."""
LARGEST_DROP_UL = 1000.0
"""A drop above this is taken for a slip, such as milligrams given as grams: rewards are a few ul."""
LEAST_DROP_UL = 0.005
"""A drop below this is taken for a slip, such as kilograms given as grams."""
LARGEST_RESIDUAL = 0.05
"""A series this share off the line is told; chosen because air in the tube or a missed drop does more, a scale less."""
LEAST_R2 = 0.98
FEW_DROPS = 20


class Weighing(NamedTuple):
    """One series of equal drops, and what they weighed together.

    Attributes
    ----------
    duration_ms : float
        Opening time of each drop, ms.
    pulses : int
    grams : float
        Weight of all its drops together.
    """

    duration_ms: float
    pulses: int
    grams: float

    @property
    def drop_ul(self) -> float:
        """Return the volume of one drop, ul."""
        return self.grams * UL_PER_G / self.pulses


@dataclass(frozen=True, slots=True)
class ValveCalibration:
    """What a rig's valve gives.

    Attributes
    ----------
    date : str
        Local ISO time of the weighing.
    rig : str
    ul_per_ms, offset_ul : float
        A drop of t ms has ``offset_ul + ul_per_ms * t`` ul.
    r2 : float
        Weighted share of the drops' variance that the line explains, 1 is all.
    range_ms : (float, float)
        Shortest and longest opening that was weighed, ms.
    weighings : tuple of Weighing
    residuals_ul : tuple of float
        Volume of a drop less what the line says, ul, one per weighing.
    """

    date: str
    rig: str
    ul_per_ms: float
    offset_ul: float
    r2: float
    range_ms: tuple[float, float]
    weighings: tuple[Weighing, ...]
    residuals_ul: tuple[float, ...]

    def duration_s(self, volume_ul: float) -> float:
        """Return the opening time for a drop of ``volume_ul``, s, rounded to 0.01 ms. Not bounded by ``range_ms``."""
        return round((volume_ul - self.offset_ul) / self.ul_per_ms / 1000, 5)

    def volume_ul(self, duration_s: float) -> float:
        """Return the volume of one drop, ul."""
        return self.offset_ul + self.ul_per_ms * 1000 * duration_s

    def range_ul(self) -> tuple[float, float]:
        """Return the smallest and largest drop within what was weighed, ul."""
        low, high = self.range_ms
        return self.volume_ul(low / 1000), self.volume_ul(high / 1000)

    def warnings(self) -> list[str]:
        """Return what a person should know before trusting it, a line each."""
        lines = [
            f"{each.duration_ms:g} ms: {each.drop_ul:.3g} ul a drop is {residual:+.2g} ul off the line; look for air "
            "in the tube or a missed drop, and weigh this series again"
            for each, residual in zip(self.weighings, self.residuals_ul, strict=True)
            if abs(residual) > LARGEST_RESIDUAL * each.drop_ul
        ]
        if len({each.duration_ms for each in self.weighings}) == 2:
            lines.append("two durations always fit a line; weigh three or more to see whether it is one")
        elif self.r2 < LEAST_R2:
            lines.append(f"the line explains {100 * self.r2:.1f} % of the drops' variance; weigh longer series")
        if few := [f"{each.pulses} of {each.duration_ms:g} ms" for each in self.weighings if each.pulses < FEW_DROPS]:
            lines.append(f"series of few drops ({', '.join(few)}); {FEW_DROPS} or more weigh more than a scale's error")
        return lines

    def text(self) -> list[str]:
        """Return the fit as lines for a person."""
        rows = [
            f"{each.duration_ms:8g} ms  {each.pulses:5d} drops  {each.grams:8.4f} g  {each.drop_ul:8.3f} ul/drop  "
            f"{residual:+7.3f} ul off the line"
            for each, residual in zip(self.weighings, self.residuals_ul, strict=True)
        ]
        low, high = self.range_ul()
        return [
            *rows,
            f"line        {self.ul_per_ms:.5g} ul/ms, offset {self.offset_ul:+.4g} ul, r2 {self.r2:.5f}",
            f"range       {low:.3g} to {high:.3g} ul ({self.range_ms[0]:g} to {self.range_ms[1]:g} ms)",
        ]


def fit_valve(weighings: Sequence[Weighing], rig: str, date: str) -> ValveCalibration:
    """Fit volume against opening time, weighted least squares.

    Raises
    ------
    InputError
        Fewer than two durations, a weight that cannot be, or drops that do not grow with the opening time.
    """
    for each in weighings:
        check_weighing(each)
    durations = np.array([each.duration_ms for each in weighings], float)
    if len(np.unique(durations)) < 2:
        raise InputError(f"series of {len(np.unique(durations))} duration(s) make no line; weigh two or more durations")
    volumes = np.array([each.drop_ul for each in weighings])
    drops = np.array([each.pulses for each in weighings], float)
    design = np.stack([durations, np.ones_like(durations)], axis=1)
    # Rows scaled by n: least squares with weights n squared.
    (slope, offset), *_ = np.linalg.lstsq(design * drops[:, None], volumes * drops, rcond=None)
    if not slope > 1e-9 * volumes.max() / durations.max():
        raise InputError(
            f"drops do not grow with the opening time ({slope:.3g} ul/ms): check that each weight stands beside its "
            "own duration and that the valve opens; nothing was stored"
        )
    residuals = volumes - design @ (slope, offset)
    return ValveCalibration(
        date=date,
        rig=rig,
        ul_per_ms=float(slope),
        offset_ul=float(offset),
        r2=_r2(volumes, residuals, drops**2),
        range_ms=(float(durations.min()), float(durations.max())),
        weighings=tuple(weighings),
        residuals_ul=tuple(float(each) for each in residuals),
    )


def _r2(volumes: np.ndarray, residuals: np.ndarray, weights: np.ndarray) -> float:  # type: ignore[type-arg]
    """Return 1 less the weighted share of the variance that is left."""
    spread = float(np.sum(weights * (volumes - np.average(volumes, weights=weights)) ** 2))
    return 1.0 - float(np.sum(weights * residuals**2)) / spread


def check_weighing(weighing: Weighing) -> None:
    """Raise InputError for a series that cannot be."""
    head = f"series of {weighing.pulses} drops of {weighing.duration_ms:g} ms, {weighing.grams:g} g"
    if weighing.pulses < 1 or not 0 < weighing.duration_ms < math.inf:
        raise InputError(f"{head}: give one drop or more, of more than 0 ms")
    if not 0 < weighing.grams < math.inf:
        raise InputError(f"{head}: give the water's own weight in g, above 0 (tare the vessel first)")
    if weighing.drop_ul > LARGEST_DROP_UL:
        raise InputError(f"{head}: that is {weighing.drop_ul:.0f} ul a drop; give grams, not milligrams")
    if weighing.drop_ul < LEAST_DROP_UL:
        raise InputError(
            f"{head}: that is {weighing.drop_ul:.2g} ul a drop, less than any valve gives; give grams of all drops "
            "together"
        )
