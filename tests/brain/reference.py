"""dF/F once more, as it is defined: from all frames of the history, without running sums, the slope in fractions."""

import math
import statistics
from fractions import Fraction

import numpy as np

from brain.dff import DARK_ROI, TOO_FEW_FRAMES
from brain.regression import MIN_BLUE_SD_BITS
from brain.settings import DffMode
from core.values import WARM_UP, as_ns

ROUNDING = 1e-12
"""Ours and this may differ by so much in the mean dF/F of an ROI."""


class ReferenceDff:
    """dF/F of one ROI.

    Attributes
    ----------
    error : float
        How far two ways of computing the last value may differ. The slope between nearly equal values of blue has their
        rounding in it, divided by their spread.
    """

    def __init__(self, shape, settings, framerate):
        self.shape, self.mode = shape, settings.dff_mode
        self.history_ns, self.nominal_ns = as_ns(settings.dff_history), round(1e9 / framerate)
        self.frames = []
        self.pairs = []

    def update(self, image, time_ns):
        x0, y0, x1, y1 = self.shape.bounds()
        pixels = image[y0:y1, x0:x1][self.shape.mask()].astype(np.float64)
        inside = [k for k, (t, _) in enumerate(self.frames) if time_ns - self.history_ns <= t < time_ns]
        value = green = blue = np.nan
        self.error = ROUNDING
        if inside:
            baseline = np.mean([self.frames[k][1] for k in inside], axis=0)
            lit = baseline[:, 1] > 0
            if self.mode is not DffMode.green:
                lit &= baseline[:, 0] > 0
            if lit.any():
                change = pixels[lit] - baseline[lit]
                value = green = np.mean(change[:, 1] / baseline[lit, 1])
                if self.mode is not DffMode.green:
                    blue = np.mean(change[:, 0] / baseline[lit, 0])
                    beta, sd = self.beta(inside)
                    value = green - beta * blue
                    self.error *= 1 + abs(beta) + abs(blue) * (1 + abs(beta)) / sd
        reason = self.reason(time_ns, [self.frames[k][0] for k in inside], value)
        self.frames.append((time_ns, pixels))
        self.pairs.append((green, blue))
        return value, reason

    def beta(self, inside):
        """Return the factor of blue and what the rounding of the pairs is divided by in it."""
        if self.mode is DffMode.green_minus_blue:
            return 1.0, 1.0
        pairs = [(Fraction(float(g)), Fraction(float(b))) for g, b in map(self.pairs.__getitem__, inside) if g == g]
        n = len(pairs)
        mean_green, mean_blue = (sum(column) / n for column in zip(*pairs, strict=True)) if n else (0, 0)
        variance = sum((b - mean_blue) ** 2 for _, b in pairs) / n if n else 0
        if variance < Fraction(1, 2**MIN_BLUE_SD_BITS) ** 2:
            return 0.0, 1.0
        covariance = sum((b - mean_blue) * (g - mean_green) for g, b in pairs) / n
        return float(covariance / variance), math.sqrt(variance)

    def reason(self, time_ns, times, value):
        if not self.frames or time_ns - self.frames[0][0] < self.history_ns:
            return WARM_UP
        interval = statistics.median_low(np.diff(times).tolist()) if len(times) > 1 else self.nominal_ns
        if len(times) < 4:
            interval = min(interval, self.nominal_ns)
        if len(times) < self.history_ns / interval / 2:
            return TOO_FEW_FRAMES
        return DARK_ROI if np.isnan(value) else ""
