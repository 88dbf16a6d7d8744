"""When one tone takes the place of another, in a recording. Pure.

The recording is turned down to the frequency of the new tone and averaged over a window that holds whole periods of
both, so that the old tone averages out; where that envelope passes half of its height lies the change, since the
window is symmetric. Noise of a tenth of the tone moves the result by a tenth of the window at most.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PERIODS = 4
"""Periods of the lower tone in a window: 4 ms at 1 kHz."""
HEIGHT = 0.5


def envelope(samples: npt.NDArray[np.float64], rate_hz: float, freq_hz: float, window: int) -> npt.NDArray[np.float64]:
    """Return the amplitude of ``freq_hz`` in ``samples`` (n,), averaged over ``window`` samples round each; (n,)."""
    phase = np.exp(-2j * np.pi * freq_hz / rate_hz * np.arange(len(samples)))
    summed = np.concatenate([[0], np.cumsum(samples * phase)])
    centre = np.arange(len(samples))
    first = np.clip(centre - window // 2, 0, len(samples))
    last = np.clip(centre - window // 2 + window, 0, len(samples))
    return np.asarray(2 * np.abs(summed[last] - summed[first]) / window)


def onsets(
    samples: npt.NDArray[np.float64], rate_hz: float, low_hz: float, high_hz: float, least_s: float = 0.03
) -> list[float]:
    """Return where the high tone begins, in samples from the first (a fraction interpolated), rising.

    Parameters
    ----------
    samples : (n,) float64
        One channel.
    rate_hz : float
        Samples/s.
    low_hz, high_hz : float
        The two tones that take turns, Hz.
    least_s : float
        A high tone that is shorter is taken for noise, s.
    """
    window = max(8, round(PERIODS * rate_hz / low_hz))
    if len(samples) < 4 * window:
        return []
    high = envelope(samples - samples.mean(), rate_hz, high_hz, window)
    low = envelope(samples - samples.mean(), rate_hz, low_hz, window)
    top = float(np.quantile(high, 0.98))
    # A recording without the high tone has noise at both frequencies alike.
    if top <= 0 or top < 0.1 * float(np.quantile(low, 0.98)):
        return []
    above = high > HEIGHT * top
    rises = np.flatnonzero(~above[:-1] & above[1:])
    falls = np.flatnonzero(above[:-1] & ~above[1:])
    found = []
    for rise in rises:
        later = falls[falls > rise]
        end = int(later[0]) if len(later) else len(samples)
        if end - rise >= least_s * rate_hz:
            step = high[rise + 1] - high[rise]
            found.append(float(rise + (HEIGHT * top - high[rise]) / step))
    return found
