"""dF/F of every pixel of a stream of frames, to be looked at; the session's own signal is that of ``brain.dff``.

The baseline F0 of a pixel is an exponential mean of the frames before, not the mean of those in the history: one image
is kept in place of all of them. Its time constant is half of ``dff_history``, so that the mean age of what is in it is
that of the history, and until that much time has gone by each frame has the same weight. What is shown is green less
blue dF/F, or green alone where ``dff_mode`` is ``green``. Green less blue is also shown for ``blue_regressed``: the
slopes of that mode belong to ROIs, and a pixel has none.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from brain.exposure import used_channels
from brain.settings import DffSettings
from core.values import Image, as_ns

Float32 = npt.NDArray[np.float32]


class DffMap:
    """A running baseline of whole frames. A frame costs two passes over each channel that is used.

    Parameters
    ----------
    settings : DffSettings
    frame_shape : (height, width, 3)
    """

    def __init__(self, settings: DffSettings, frame_shape: tuple[int, int, int]) -> None:
        self._channels = [channel.value for channel in used_channels(settings.dff_mode)]
        self._span_ns = as_ns(settings.dff_history) / 2
        self._baseline: Float32 = np.zeros((len(self._channels), *frame_shape[:2]), np.float32)
        self._change: Float32 = np.empty_like(self._baseline[0])
        self._frames = 0
        self._last_ns = 0

    def against_baseline(self, image: Image) -> Float32:
        """Return dF/F of an image against the frames that were remembered.

        Parameters
        ----------
        image : (height, width, 3) uint8 or uint16
            BGR.

        Returns
        -------
        (height, width) float32
            A fraction; NaN where the baseline of a channel is 0, and everywhere before the first frame.
        """
        green, *blue = (self._ratio(image, place) for place in range(len(self._channels)))
        return green - blue[0] if blue else green

    def remember(self, image: Image, time_ns: int) -> None:
        """Take a frame into the baseline. One that is not later than the last (capture time, ns) is left out."""
        if self._frames and time_ns <= self._last_ns:
            return
        # The mean of the frames so far, until the exponential weight of a frame is the larger one.
        weight = max(1 / (self._frames + 1), -math.expm1(-(time_ns - self._last_ns) / self._span_ns))
        weight = weight if self._frames else 1.0
        self._frames += 1
        self._last_ns = time_ns
        for baseline, channel in zip(self._baseline, self._channels, strict=True):
            np.subtract(image[:, :, channel], baseline, out=self._change, dtype=np.float32)
            self._change *= np.float32(weight)
            baseline += self._change

    def _ratio(self, image: Image, place: int) -> Float32:
        """Return (F - F0) / F0 of one channel, NaN where F0 is 0."""
        baseline = self._baseline[place]
        change = image[:, :, self._channels[place]] - baseline
        ratio: Float32 = np.divide(change, baseline, out=np.full_like(baseline, np.nan), where=baseline > 0)
        return ratio
