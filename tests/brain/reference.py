"""dF/F once more, as it is defined: from all frames of the history, in plain float64, without running sums."""

import statistics

import numpy as np

from brain.dff import DARK_ROI, TOO_FEW_FRAMES
from brain.settings import DffMode
from core.values import WARM_UP, as_ns


class ReferenceDff:
    """dF/F of one ROI."""

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
        if inside:
            baseline = np.mean([self.frames[k][1] for k in inside], axis=0)
            lit = baseline[:, 1] > 0
            if self.mode is not DffMode.green:
                lit &= baseline[:, 0] > 0
            if lit.any():
                change = pixels[lit] - baseline[lit]
                green = np.mean(change[:, 1] / baseline[lit, 1])
                if self.mode is DffMode.green:
                    value = green
                else:
                    blue = np.mean(change[:, 0] / baseline[lit, 0])
                    value = green - self.beta(inside) * blue
        reason = self.reason(time_ns, [self.frames[k][0] for k in inside], value)
        self.frames.append((time_ns, pixels))
        self.pairs.append((green, blue))
        return value, reason

    def beta(self, inside):
        if self.mode is DffMode.green_minus_blue:
            return 1.0
        pairs = np.array([self.pairs[k] for k in inside])
        green, blue = pairs[~np.isnan(pairs).any(axis=1)].T
        if len(blue) < 2 or np.ptp(blue) == 0:
            return 0.0
        blue = blue - blue.mean()
        return np.sum(blue * (green - green.mean())) / np.sum(blue * blue)

    def reason(self, time_ns, times, value):
        if not self.frames or time_ns - self.frames[0][0] < self.history_ns:
            return WARM_UP
        interval = statistics.median_low(np.diff(times).tolist()) if len(times) > 1 else self.nominal_ns
        if len(times) < 4:
            interval = min(interval, self.nominal_ns)
        if len(times) < self.history_ns / interval / 2:
            return TOO_FEW_FRAMES
        return DARK_ROI if np.isnan(value) else ""
