"""The calcium indicator: spikes become fluorescence, each with the rise and decay of GCaMP6s."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class IndicatorSettings:
    """Fluorescence after one spike: ``peak * shape(t)``, ``shape ~ (1 - exp(-t/rise)) * exp(-t/decay)``, 1 at its peak.

    The defaults are GCaMP6s after one action potential in mouse visual cortex: peak dF/F 23 %, reached after 179 ms,
    half of it left 550 ms after that (Chen et al. 2013, Nature 499:295, supplementary table 3, as recalled: the table
    itself could not be read): rise and decay are solved for these two times. Spikes add up; the indicator's saturation
    and its cooperativity are left out, which is right for the small changes of a population's rate.

    Attributes
    ----------
    peak : float
        dF/F of one cell after one spike.
    rise_s, decay_s : float
        Time constants, s.
    """

    peak: float = 0.23
    rise_s: float = 0.0787
    decay_s: float = 0.686

    def __post_init__(self) -> None:
        for name in ("peak", "rise_s", "decay_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"calcium indicator: {name} is {value}; give more than 0")

    @property
    def peak_s(self) -> float:
        """Time from the spike to the peak, s."""
        return self.rise_s * math.log1p(self.decay_s / self.rise_s)

    @property
    def area_s(self) -> float:
        """Integral of the response to one spike, dF/F times s: a rate times this is the mean dF/F."""
        return self.peak * self._scale * (self.decay_s - self._fast_s)

    @property
    def _fast_s(self) -> float:
        return 1 / (1 / self.rise_s + 1 / self.decay_s)

    @property
    def _scale(self) -> float:
        t = self.peak_s
        return 1 / (math.exp(-t / self.decay_s) - math.exp(-t / self._fast_s))


class Indicator:
    """The fluorescence of many cells: two exponentials each, exact between steps.

    Parameters
    ----------
    settings : IndicatorSettings
    n : int
        Number of cells.
    """

    def __init__(self, settings: IndicatorSettings, n: int) -> None:
        self._slow = np.zeros(n)
        self._fast = np.zeros(n)
        self._decay_s = settings.decay_s
        self._fast_s = settings._fast_s
        self._gain = settings.peak * settings._scale

    def step(self, spikes: npt.NDArray[np.int64], dt_s: float) -> None:
        """Go ``dt_s`` (s) on, in which each cell fired ``spikes`` (n,) times.

        Spikes are taken to have come in the middle of the step: exact to second order in its length.
        """
        half_slow = math.exp(-0.5 * dt_s / self._decay_s)
        half_fast = math.exp(-0.5 * dt_s / self._fast_s)
        for state, half in ((self._slow, half_slow), (self._fast, half_fast)):
            state *= half
            state += spikes
            state *= half

    def dff(self) -> Floats:
        """Return the fluorescence of each cell above that of a cell without spikes, as a fraction of it; (n,)."""
        return self._gain * (self._slow - self._fast)
