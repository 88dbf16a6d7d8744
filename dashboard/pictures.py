"""What the page shows of an image: the camera's picture, and dF/F of every pixel, as JPEG."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from brain.dff_map import DffMap, Float32
from brain.settings import DffMode, DffSettings
from core.errors import RecordingError
from core.values import Image

WIDEST_PX = 640
"""A picture is made smaller until it is no wider; chosen because it fills half of a 1280 px wide screen."""
QUALITY = 80
DFF_QUALITY = 90
"""An error of a grey value is one of dF/F, and a browser may show a fiftieth of the range in full colour."""
DFF_END = 0.25
"""dF/F at the ends of the grey values: 25 %, more than GCaMP shows in widefield imaging."""
BLUR_SHARE = 1 / 128
"""The map is blurred by a Gaussian of this share of its width, since single pixels are noise."""

Pixel = TypeVar("Pixel", np.uint8, np.float32)


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
            # Of what is shown: of all pixels of a large image it would take longer than there is between two updates.
            height, width = _small(np.empty(shape, np.uint8)).shape[:2]
            self._map = DffMap(dff, (height, width, 3))

    def camera(self, image: Image) -> bytes:
        """Return an image, (height, width, 3) uint8 or uint16 BGR, as JPEG; 16 bits are stretched to their range."""
        if image.dtype == np.uint16:
            top = max(int(image.max()), 255)
            image = (image * (255 / top)).astype(np.uint8)
        return _jpeg(_small(image), QUALITY)

    def dff(self, image: Image, time_ns: int) -> bytes | None:
        """Return the map of dF/F as grey JPEG, and take the image into its baseline; None in movement sessions.

        The grey value is that of ``dff_code``, which the browser turns into the colours of the range that it shows. A
        pixel without a baseline is in the middle.
        """
        if self._map is None:
            return None
        import cv2

        image = _small(image)
        ratio = self._map.against_baseline(image)
        self._map.remember(image, time_ns)
        ratio = np.nan_to_num(ratio, nan=0.0, posinf=0.0, neginf=0.0)
        blurred = cv2.GaussianBlur(ratio, (0, 0), max(0.5, ratio.shape[1] * BLUR_SHARE))
        return _jpeg(dff_code(blurred.astype(np.float32, copy=False)), DFF_QUALITY)


def dff_code(ratio: Float32) -> npt.NDArray[np.uint8]:
    """Return dF/F (a fraction) as grey values: the root of its size, so that small values are told apart finely.

    128 is none; 1 and 255 are ``DFF_END`` below and above. A step is 0.002 % of dF/F at 0, and 0.18 % at 5 %.
    """
    root = np.sqrt(np.minimum(np.abs(ratio) / DFF_END, 1.0))
    code: npt.NDArray[np.uint8] = np.round(128 + np.copysign(root, ratio) * 127).astype(np.uint8)
    return code


def _small(image: npt.NDArray[Pixel]) -> npt.NDArray[Pixel]:
    """Return an image that is ``WIDEST_PX`` wide at most."""
    import cv2

    height, width = image.shape[:2]
    if width <= WIDEST_PX:
        return image
    size = (WIDEST_PX, picture_height(height, width))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(image.dtype, copy=False)


def picture_height(height: int, width: int) -> int:
    """Return the height of the picture of an image that is wider than ``WIDEST_PX``."""
    return max(1, round(height * WIDEST_PX / width))


def _jpeg(image: npt.NDArray[np.uint8], quality: int) -> bytes:
    import cv2

    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RecordingError(f"an image of {image.shape} cannot be made a JPEG; look at the camera's settings")
    return bytes(data)
