"""When the mouse licks: a bout after water, and sometimes one without."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.values import as_ns


@dataclass(frozen=True, slots=True)
class LickSettings:
    """Licking.

    Attributes
    ----------
    rate_hz : float
        Licks per second within a bout. C57BL/6J mice lick 8.5 times a second at a lickometer (Boughter et al. 2007),
        intervals of 18 strains are 94 to 127 ms (St John et al. 2017, Physiol Behav 177:34); 7 chosen because
        head-fixed mice are slower.
    jitter : float
        Standard deviation of an interval, as a fraction of it; chosen.
    latency_s : (float, float)
        Shortest and longest time from the water to the first lick, s; chosen, as for a drop that can be heard.
    bout_licks : (int, int)
        Fewest and most licks of a bout after water; chosen: at 0.55 to 1.15 ul a lick (Dotson and Spector, by width of
        the spout) a drop of a few ul takes about as many.
    spontaneous_per_min : float
        Bouts without water per minute; chosen.
    spontaneous_licks : (int, int)
        Fewest and most licks of such a bout; chosen.
    """

    rate_hz: float = 7.0
    jitter: float = 0.1
    latency_s: tuple[float, float] = (0.1, 0.3)
    bout_licks: tuple[int, int] = (6, 14)
    spontaneous_per_min: float = 1.5
    spontaneous_licks: tuple[int, int] = (1, 4)

    def __post_init__(self) -> None:
        wrong = [
            (not 0 < self.rate_hz <= 20, f"rate_hz is {self.rate_hz}; give more than 0, 20 at most"),
            (not 0 <= self.jitter <= 0.3, f"jitter is {self.jitter}; give 0 to 0.3"),
            (not 0 <= self.latency_s[0] <= self.latency_s[1], f"latency_s is {self.latency_s}; give two, rising"),
            (not 1 <= self.bout_licks[0] <= self.bout_licks[1], f"bout_licks is {self.bout_licks}; give two, rising"),
            (not self.spontaneous_per_min >= 0, f"spontaneous_per_min is {self.spontaneous_per_min}; give 0 or more"),
            (
                not 1 <= self.spontaneous_licks[0] <= self.spontaneous_licks[1],
                f"spontaneous_licks is {self.spontaneous_licks}; give two, rising",
            ),
        ]
        problems = [text for bad, text in wrong if bad]
        if problems:
            raise InputError("licking: " + "; ".join(problems))


class Licker:
    """Draws the licks. Where two bouts meet, a lick within half an interval of another is left out: one tongue.

    Parameters
    ----------
    settings : LickSettings
    rng : numpy.random.Generator
    """

    def __init__(self, settings: LickSettings, rng: np.random.Generator) -> None:
        self._settings = settings
        self._rng = rng
        self._coming: list[int] = []
        self._last_ns = -(2**62)
        self._next_own_ns = self._draw_own(0)

    def water(self, start_ns: int) -> None:
        """Take note of water that begins to flow at ``start_ns``."""
        low, high = self._settings.bout_licks
        first_ns = start_ns + as_ns(self._rng.uniform(*self._settings.latency_s))
        self._bout(first_ns, int(self._rng.integers(low, high + 1)))

    def take(self, until_ns: int) -> tuple[int, ...]:
        """Return the times of the licks up to ``until_ns`` that have not been returned yet, ns, rising."""
        while self._next_own_ns <= until_ns:
            low, high = self._settings.spontaneous_licks
            self._bout(self._next_own_ns, int(self._rng.integers(low, high + 1)))
            self._next_own_ns = self._draw_own(self._next_own_ns)
        licks = []
        shortest = as_ns(0.5 / self._settings.rate_hz)
        while self._coming and self._coming[0] <= until_ns:
            time_ns = heapq.heappop(self._coming)
            if time_ns - self._last_ns >= shortest:
                self._last_ns = time_ns
                licks.append(time_ns)
        return tuple(licks)

    def _bout(self, start_ns: int, licks: int) -> None:
        mean_s = 1 / self._settings.rate_hz
        time_ns = start_ns
        for _ in range(licks):
            heapq.heappush(self._coming, time_ns)
            time_ns += as_ns(max(0.5 * mean_s, mean_s * (1 + self._settings.jitter * self._rng.standard_normal())))

    def _draw_own(self, after_ns: int) -> int:
        per_s = self._settings.spontaneous_per_min / 60
        return after_ns + as_ns(self._rng.exponential(1 / per_s)) if per_s else 2**62
