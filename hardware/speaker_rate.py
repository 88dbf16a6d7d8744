"""The rate a sound card really runs at, from the times at which it asked for samples. Pure.

A card, a server or a driver that takes one rate and plays at another shifts every tone. Cards ask in bursts, so one
second tells little; the line through all requests of a few seconds tells the rate to a few hundredths of a percent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import OutputError

TOLERANCE = 1e-3
"""A card's own crystal is within 1e-4; the rest is what can be told in ``LONGEST_S`` on a loaded computer."""
HOPELESS = 5e-2
"""So far off is no matter of patience."""
SHORTEST_S, LONGEST_S = 2.0, 12.0
RECENT_S = 4.0
"""A card that ran out of samples on a busy computer has lost time, which makes it look slow: the last 4 s count alone,
too."""
STEADY_S, PAUSE_S = 0.2, 0.04
"""Opened, a stream fills its buffers first, and a busy computer pauses: the measurement begins this long after."""

Stamps = Sequence[tuple[int, int]]
"""Time of each request (ns), and the frames that were asked for before it."""


def steady_from(stamps: Stamps) -> int:
    """Return the first request after the last pause and the time a stream takes to settle; ``len`` if there is none."""
    times = np.array([time for time, _ in stamps], np.int64)
    intervals = np.diff(times)
    # The interval that a random moment lies in: the card's own period, however many blocks it asks for at once.
    ordered = np.sort(intervals)
    usual = ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)] if len(ordered) else 0
    pauses = np.flatnonzero(intervals > max(PAUSE_S * 1e9, 3 * usual))
    begin = int(pauses[-1]) + 1 if len(pauses) else 0
    return int(np.searchsorted(times, times[begin] + STEADY_S * 1e9)) if len(times) else 0


def measured_rate(stamps: Stamps) -> tuple[float, float]:
    """Return the rate (Hz), and over what time (s) it was measured; (0, 0) of fewer than ten steady requests."""
    steady = np.array(stamps[steady_from(stamps) :], np.float64).reshape(-1, 2)
    if len(steady) < 10:
        return 0.0, 0.0
    seconds = (steady[:, 0] - steady[0, 0]) / 1e9
    return float(np.polyfit(seconds, steady[:, 1] - steady[0, 1], 1)[0]), float(seconds[-1])


def _last(stamps: Stamps, seconds: float) -> Stamps:
    times = np.array([time for time, _ in stamps], np.int64)
    return stamps[int(np.searchsorted(times, times[-1] - seconds * 1e9)) :]


def judge_rate(stamps: Stamps, rate: int, name: str) -> float | None:
    """Return the rate measured (Hz) when it is that which was asked for; None when it takes longer to tell.

    Raises OutputError when the card ``name`` runs at another rate.
    """
    measured, seconds = measured_rate(stamps)
    if seconds < SHORTEST_S:
        return None
    recent, recent_s = measured_rate(_last(stamps, RECENT_S + STEADY_S))
    for each in (measured, recent) if recent_s > SHORTEST_S else (measured,):
        if abs(each / rate - 1) <= TOLERANCE:
            return each
    off = abs(measured / rate - 1)
    if off < HOPELESS and seconds < LONGEST_S:
        return None
    raise OutputError(
        f"speaker: '{name}' was opened at {rate} samples/s and runs at {measured:.1f}, so that every tone would be off "
        f"by {100 * (measured / rate - 1):+.2f} %; set sample_rate to one it really has, or another sound_device"
    )
