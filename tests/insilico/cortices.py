"""Simulated cortices for tests, and a renderer of the plainest kind to compare with."""

import numpy as np

from helper import Position
from insilico.optics import OpticsSettings, Widefield
from roi_manager import Rect

PLAIN = {"vignette": 0.0, "texture": 0.0, "vessel_darkness": 0.0, "vessel_blood": 0.0}
SILENT = {"electrons_per_count": 1e12, "read_noise_e": 0.0}
"""Settings without structure, and without noise."""


def patch(centre, n, radius, seed=1):
    """Return n neurons in a disc; (n, 2) float64, px."""
    rng = np.random.default_rng(seed)
    angle, far = rng.uniform(0, 2 * np.pi, n), radius * np.sqrt(rng.random(n))
    return np.stack([centre[0] + far * np.sin(angle), centre[1] + far * np.cos(angle)], axis=1)


def make(shape=(64, 80), neurons=None, region=None, ppmm=25.6, seed=7, **changes):
    """Return a Widefield; by default with 20 neurons of one region in the middle."""
    if neurons is None:
        neurons = patch((shape[0] / 2, shape[1] / 2), 20, 8)
    if region is None:
        region = np.zeros(len(neurons), np.int32)
    return Widefield(OpticsSettings(**changes), shape, neurons, region, ppmm, np.random.default_rng(seed))


def frames(optics, count, dff=None, blood=0.0):
    """Return ``count`` frames, (count, height, width, 3) uint8."""
    if dff is None:
        dff = np.zeros(optics._amounts.size)
    out = np.empty((count, *optics.shape, 3), np.uint8)
    for frame in out:
        optics.render(dff, blood, frame)
    return out


def square_mask(shape, neurons, ppmm, side_mm=0.3):
    """Return the pixels of a square at the mean of the neurons, as a session's ROI has them."""
    side = max(1, round(side_mm * ppmm))
    rect = Rect.around(Position(*neurons.mean(axis=0).tolist()), side, side)
    mask = np.zeros(shape, bool)
    mask[rect.y : rect.y + rect.h, rect.x : rect.x + rect.w] = True
    return mask


def dense_activity(settings, shape, neurons, region, ppmm, dff):
    """Return dF/F of every pixel, (height, width) float64: every neuron on every pixel, nothing cut, nothing clever."""
    spread = np.hypot(settings.scatter_um, settings.arbor_um) / 1000 * ppmm / 2.3548200450309493
    row, col = np.mgrid[: shape[0], : shape[1]]
    total = np.zeros(shape)
    for label in np.unique(region):
        own = region == label
        each = [np.exp(-((row - r) ** 2 + (col - c) ** 2) / (2 * spread**2)) for r, c in neurons[own]]
        mask = square_mask(shape, neurons[own], ppmm, settings.roi_mm)
        even = np.sum(each, axis=0)[mask].mean()
        total += settings.contrast / even * np.tensordot(dff[own], each, 1)
    return total
