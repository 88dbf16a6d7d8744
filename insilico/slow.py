"""Slow spontaneous fluctuations of cortical regions, correlated as mesoscale imaging shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from insilico.preparation import Place

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SlowSettings:
    """One fluctuation per region, with mean 0 and standard deviation 1.

    Spontaneous activity of awake mice is bilaterally symmetric (Mohajerani et al. 2010, J Neurosci 30:3745; Ma et al.
    2016, PNAS 113:E8463), correlated among neighbours, and slow: most of its power lies below 1 Hz (Vanni et al. 2017,
    J Neurosci 37:7513: two modes, below 1 Hz and around 3 Hz).

    Attributes
    ----------
    tau_s : float
        Time constant of the fluctuations, s. A corner of 1/(2 pi tau) = 0.23 Hz; chosen to lie within the slow mode.
    mirror : float
        Correlation of a region with the same place in the other hemisphere. Chosen within 0.6 to 0.95, the range of
        homotopic correlations as they are usually reported.
    shared : float
        Correlation of the most distant places: what all of cortex has in common; chosen.
    reach_mm : float
        Distance over which the correlation of neighbours falls by 1/e towards ``shared``, mm; chosen so that
        neighbours (1.5 mm) correlate with about 0.6.
    """

    tau_s: float = 0.7
    mirror: float = 0.8
    shared: float = 0.25
    reach_mm: float = 2.0

    def __post_init__(self) -> None:
        wrong = [
            (not self.tau_s > 0, f"tau_s is {self.tau_s}; give more than 0"),
            (not self.reach_mm > 0, f"reach_mm is {self.reach_mm}; give more than 0"),
            (not 0 <= self.mirror < 1, f"mirror is {self.mirror}; give 0 or more, below 1"),
            (not 0 <= self.shared < 1, f"shared is {self.shared}; give 0 or more, below 1"),
        ]
        problems = [text for bad, text in wrong if bad]
        if problems:
            raise InputError("slow fluctuations: " + "; ".join(problems))


def correlations(settings: SlowSettings, places: Sequence[Place]) -> Floats:
    """Return the correlation of every region with every other, (n, n).

    ``shared + (1 - shared) * k(distance)``, with an exponential kernel k of the distance within a hemisphere. Across
    the midline the distance is that to the mirrored place, and k is smaller by such a factor that a place and its
    mirror correlate with ``mirror`` (with ``shared``, where that is more). What both hemispheres have in common, and
    what differs in sign between them, are two kernels whose sum is positive definite; a place on the midline has the
    first only.
    """
    ap, ml = np.asarray(places, float).reshape(-1, 2).T
    fold = np.hypot(ap[:, None] - ap, np.abs(ml)[:, None] - np.abs(ml))
    factor = max(0.0, (settings.mirror - settings.shared) / (1 - settings.shared))
    sides = (1 + factor) / 2 + (1 - factor) / 2 * np.sign(ml)[:, None] * np.sign(ml)
    size = np.sqrt(np.diag(sides))
    near = np.exp(-fold / settings.reach_mm) * sides / (size[:, None] * size)
    return np.asarray(settings.shared + (1 - settings.shared) * near)


class SlowDrive:
    """Ornstein-Uhlenbeck processes with those correlations, exact for any step.

    Parameters
    ----------
    settings : SlowSettings
    places : sequence of (float, float)
    rng : numpy.random.Generator

    Attributes
    ----------
    value : ndarray, (n,) float64
        Now; stationary from the start.
    """

    def __init__(self, settings: SlowSettings, places: Sequence[Place], rng: np.random.Generator) -> None:
        self._tau_s = settings.tau_s
        self._rng = rng
        # Eigenvalues, not Cholesky: two regions at one place make the matrix singular.
        eigenvalues, vectors = np.linalg.eigh(correlations(settings, places))
        self._mix = vectors * np.sqrt(np.clip(eigenvalues, 0, None))
        self.value: Floats = self._mix @ rng.standard_normal(len(places))

    def step(self, dt_s: float) -> None:
        """Go ``dt_s`` (s) on."""
        keep = math.exp(-dt_s / self._tau_s)
        fresh = self._mix @ self._rng.standard_normal(len(self.value))
        self.value = keep * self.value + math.sqrt(1 - keep * keep) * fresh
