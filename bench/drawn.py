"""A camera over frames that were drawn beforehand, so that their making is in no figure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from camera.stamps import frame_time_ns
from core.values import Frame

Images = npt.NDArray[np.uint8]


class Drawn:
    """A camera port over frames drawn beforehand.

    Parameters
    ----------
    images : ndarray, (frames, height, width, 3) uint8
        Played round and round.
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
