"""Frames of a drawn mouse for the benchmark of the pose: made beforehand, played round and round."""

from __future__ import annotations

import numpy as np

from bench.drawn import Images
from camera.synthetic_limb import SyntheticLimbCamera
from insilico.limb_settings import LimbSceneSettings

DRAWN_FPS = 30.0
MARKERS = "fl_l 50-70, fl_r 170-10"
"""The key ``markers`` for the hues of ``LimbSceneSettings``."""


def scene(height: int, width: int) -> LimbSceneSettings:
    """Return a mouse whose left paw rests in the middle; it has the same size relative to each frame."""
    return LimbSceneSettings((width / 2, 0.62 * height), (width / 2, 0.38 * height), ppmm=height / 45)


def draw(height: int, width: int, frames: int) -> Images:
    """Draw frames; (frames, height, width, 3) uint8 BGR."""
    camera = SyntheticLimbCamera(scene(height, width), height, width, DRAWN_FPS, seed=1)
    return np.stack([camera.render(k) for k in range(frames)])
