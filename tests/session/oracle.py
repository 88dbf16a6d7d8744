"""An independent computation of a neurofeedback session on a recording. Imports h5py and numpy, nothing of the project.

Written from the words of the design, with whole-history means in float64 and a plain loop: slow, and easy to check by
reading.
"""

from __future__ import annotations

import h5py
import numpy as np


def dff(path, roi, fps, history_s):
    """Green minus blue dF/F of a rectangle (x, y, w, h) for every frame; NaN where the history is not full."""
    x, y, w, h = roi
    with h5py.File(path, "r") as file:
        crop = file["raw_images"][:, y : y + h, x : x + w, :2].astype(np.float64)
    times = np.array([round(k * 1e9 / fps) for k in range(len(crop))])
    signal = np.full(len(crop), np.nan)
    for k in range(len(crop)):
        if times[k] - times[0] < history_s * 1e9:
            continue
        before = (times >= times[k] - history_s * 1e9) & (times < times[k])
        base = crop[before].mean(axis=0)
        change = (crop[k] - base) / base
        signal[k] = (change[..., 1] - change[..., 0]).mean()
    return times / 1e9, signal


def rewards(times, signal, *, threshold, trials, initial_rest, max_trial, success_rest, fail_rest, reward_delay):
    """Frame indices (0-based) at which water comes, and the outcome of each trial."""
    water, outcomes = [], []
    tiny = 1e-9
    rest_from, rest_for = times[0], initial_rest
    began = crossed = None
    for k in range(1, len(times)):
        now = times[k]
        if began is None:
            if len(outcomes) == trials:
                break
            if now - rest_from >= rest_for - tiny and not np.isnan(signal[k]):
                began, crossed = now, None
        if began is None:
            continue
        rising = signal[k - 1] < threshold <= signal[k]
        if crossed is None and rising and now - began <= max_trial + tiny:
            crossed = now
        if crossed is not None and now - crossed >= reward_delay - tiny:
            water.append(k)
            outcomes.append(1)
            began, rest_from, rest_for = None, now, success_rest
        elif crossed is None and now - began >= max_trial - tiny:
            outcomes.append(-1)
            began, rest_from, rest_for = None, now, fail_rest
    return water, outcomes
