"""The threshold a mouse would reach by itself: found in a resting session, for a wanted rate or share of successes.

Counts what the trial logic counts: an upward crossing is a valid signal at or above the threshold after a valid one
below it. Every step up from a to b is a crossing of each threshold in (a, b], so that counts for all thresholds come
from two sorted lists.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Resting:
    """The signal of a resting session.

    Parameters
    ----------
    time_ns : ndarray, (n,) int64
        Frame times, increasing.
    value : ndarray, (n,) float64
        The signal, dF/F or mm/s.
    valid : ndarray, (n,) bool
        Frames that are not valid are left out, and so is the warm-up.

    Raises
    ------
    InputError
        If fewer than two frames are valid.
    """

    def __init__(self, time_ns: Ints, value: Floats, valid: npt.NDArray[np.bool_]) -> None:
        time_ns, value = time_ns[valid], value[valid]
        if len(value) < 2:
            raise InputError(
                "the session has no valid signal; see the column reason of its frames.csv, and record another"
            )
        rises = value[1:] > value[:-1]
        self._low: Floats = value[:-1][rises]
        self._high: Floats = value[1:][rises]
        self._rise_ns: Ints = time_ns[1:][rises]
        self._start_ns = int(time_ns[0])
        self.duration_s = float(time_ns[-1] - time_ns[0]) / 1e9

    def crossings(self, thresholds: Floats) -> Ints:
        """Return how often each threshold is crossed upwards in the session."""
        return _crossings(self._low, self._high, thresholds)

    def threshold_for_rate(self, per_minute: float) -> float:
        """Return the highest threshold that is crossed at least ``per_minute`` times a minute.

        Raises InputError if no threshold is crossed that often.
        """
        if not per_minute > 0:
            raise InputError(f"rate {per_minute:g}: give crossings per minute above 0")
        wanted = per_minute * self.duration_s / 60
        thresholds = np.unique(self._high)
        counts = self.crossings(thresholds)
        enough = counts >= wanted
        if not enough.any():
            best = counts.max(initial=0) * 60 / self.duration_s
            raise InputError(
                f"rate {per_minute:g}: this mouse crosses no threshold more than {best:.2f} times a minute"
            )
        return float(thresholds[enough][-1])

    def success(self, thresholds: Floats, trial_s: float) -> Floats:
        """Return the share of trials, cut back to back out of the session, in which each threshold is crossed.

        Raises InputError if the session is shorter than one trial.
        """
        n_trials = int(self.duration_s // trial_s)
        if n_trials < 1:
            raise InputError(
                f"the session has {self.duration_s:.1f} s of valid signal, less than one trial (max_trial_dur "
                f"{trial_s:g} s); record a longer one"
            )
        trial = ((self._rise_ns - self._start_ns) / (trial_s * 1e9)).astype(np.int64)
        hits = np.zeros(len(thresholds))
        for n in range(n_trials):
            inside = trial == n
            hits += _crossings(self._low[inside], self._high[inside], thresholds) > 0
        return np.asarray(hits / n_trials, np.float64)

    def threshold_for_success(self, share: float, trial_s: float) -> float:
        """Return the highest threshold that is crossed in at least ``share`` of the trials.

        Raises InputError if none is, or the share is not in (0, 1].
        """
        if not 0 < share <= 1:
            raise InputError(f"success {share:g}: give a share of trials above 0, at most 1 (0.25 is a quarter)")
        thresholds = np.unique(self._high)
        shares = self.success(thresholds, trial_s)
        enough = shares >= share
        if not enough.any():
            raise InputError(
                f"success {share:g}: no threshold is crossed in more than {shares.max(initial=0):.2f} of trials"
            )
        return float(thresholds[enough][-1])


def _crossings(low: Floats, high: Floats, thresholds: Floats) -> Ints:
    """Return the number of steps (low, high] that hold each threshold."""
    above_high = len(high) - np.searchsorted(np.sort(high), thresholds, "left")
    above_low = len(low) - np.searchsorted(np.sort(low), thresholds, "left")
    return np.asarray(above_high - above_low, np.int64)
