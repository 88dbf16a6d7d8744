"""Finds the markers of drawn mice, in the plainest way."""

import cv2
import numpy as np


def marker_at(image, hue):
    """Return column and row of the middle of a marker of this hue, (2,) float64 px, weighted by how much it covers."""
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV).astype(int)
    near = np.abs((hsv[..., 0] - hue + 90) % 180 - 90) <= 10
    rows, cols = np.nonzero(near & (hsv[..., 1] >= 120) & (hsv[..., 2] >= 80))
    return np.array([cols.mean(), rows.mean()])
