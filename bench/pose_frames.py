"""Frames of a drawn mouse for the benchmark of the pose: made beforehand, played round and round."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from camera.stamps import frame_time_ns
from camera.synthetic_limb import SyntheticLimbCamera
from core.values import Frame
from insilico.limb_settings import LimbSceneSettings

Images = npt.NDArray[np.uint8]
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


class Drawn:
    """A camera port over frames drawn beforehand.

    Parameters
    ----------
    images : ndarray, (frames, height, width, 3) uint8
    framerate : float
        Frames per second, of which the frames' times are made.
    """

    frame_dtype = "uint8"
    expected_frames = None

    def __init__(self, images: Images, framerate: float) -> None:
        self.frame_shape: tuple[int, int, int] = (images.shape[1], images.shape[2], 3)
        self._images = images
        self._framerate = framerate
        self._number = 0

    def start(self) -> None:
        """Nothing to start."""

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame at once."""
        del timeout_s
        k, self._number = self._number, self._number + 1
        return Frame(self._images[k % len(self._images)], k + 1, frame_time_ns(k, self._framerate))

    def close(self) -> None:
        """Nothing to close."""
