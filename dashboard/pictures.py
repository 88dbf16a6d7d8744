"""What the page shows of an image: the camera's picture, and dF/F as a map in colours, as JPEG."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from brain.dff_map import DffMap
from brain.settings import DffMode, DffSettings
from core.errors import RecordingError
from core.values import Image

WIDEST_PX = 640
"""A picture is made smaller until it is no wider; chosen because it fills half of a 1280 px wide screen."""
QUALITY = 80
DFF_RANGE = 0.05
"""dF/F at the ends of the colour scale: 5 %."""
BLUR_SHARE = 1 / 128
"""The map is blurred by a Gaussian of this share of its width, since single pixels are noise."""

_LOW, _MIDDLE, _HIGH = (133, 69, 0), (247, 247, 247), (0, 97, 230)
"""Blue, white and orange, as BGR: told apart by people who are colour-blind, too."""


def _scale() -> npt.NDArray[np.uint8]:
    """Return (256, 1, 3): the colours of dF/F from the lowest to the highest."""
    stops = np.array([_LOW, _MIDDLE, _HIGH], np.float64)
    at = np.linspace(0, 2, 256)
    colours = np.stack([np.interp(at, (0, 1, 2), stops[:, channel]) for channel in range(3)], axis=1)
    scale: npt.NDArray[np.uint8] = np.round(colours).astype(np.uint8).reshape(256, 1, 3)
    return scale


class Pictures:
    """The pictures of one session.

    Parameters
    ----------
    about : dict
        ``session.live_status.live_about`` of it.
    """

    def __init__(self, about: dict[str, Any]) -> None:
        shape, settings = tuple(about["shape"]), about["settings"]
        self._map = None
        if about["kind"] == "clnf":
            dff = DffSettings(float(settings["dff_history"]), DffMode(settings["dff_mode"]))
            self._map = DffMap(dff, shape)
        self._scale = _scale()

    def camera(self, image: Image) -> bytes:
        """Return an image, (height, width, 3) uint8 or uint16 BGR, as JPEG; 16 bits are stretched to their range."""
        if image.dtype == np.uint16:
            top = max(int(image.max()), 255)
            image = (image * (255 / top)).astype(np.uint8)
        return _jpeg(_small(image))

    def dff(self, image: Image, time_ns: int) -> bytes | None:
        """Return the map of dF/F as JPEG, and take the image into its baseline; None in movement sessions.

        A pixel without a baseline is in the scale's middle.
        """
        if self._map is None:
            return None
        import cv2

        ratio = self._map.against_baseline(image)
        self._map.remember(image, time_ns)
        ratio = np.nan_to_num(ratio, nan=0.0, posinf=0.0, neginf=0.0)
        place = cv2.GaussianBlur(ratio, (0, 0), max(0.5, ratio.shape[1] * BLUR_SHARE)) * (127.5 / DFF_RANGE) + 127.5
        indexed = np.clip(place, 0, 255).astype(np.uint8)
        return _jpeg(_small(self._scale[indexed][:, :, 0]))


def _small(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return an image that is ``WIDEST_PX`` wide at most."""
    import cv2

    height, width = image.shape[:2]
    if width <= WIDEST_PX:
        return image
    size = (WIDEST_PX, picture_height(height, width))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def picture_height(height: int, width: int) -> int:
    """Return the height of the picture of an image that is wider than ``WIDEST_PX``."""
    return max(1, round(height * WIDEST_PX / width))


def _jpeg(image: npt.NDArray[np.uint8]) -> bytes:
    import cv2

    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise RecordingError(f"an image of {image.shape} cannot be made a JPEG; look at the camera's settings")
    return bytes(data)
