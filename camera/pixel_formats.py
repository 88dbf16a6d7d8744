"""Pixel formats of GenICam cameras, and how each becomes (height, width, 3) BGR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from camera.opencv import load_cv2
from core.values import Image


class PixelFormat(NamedTuple):
    """A format that can be read.

    Attributes
    ----------
    name : str
        As in the GenICam Pixel Format Naming Convention.
    dtype : {"uint8", "uint16"}
    channels : int
        Samples per pixel.
    code : str
        OpenCV's name of the conversion to BGR; empty for none.
    """

    name: str
    dtype: str
    channels: int
    code: str


# What GenICam names after the first two pixels of the first row, OpenCV's older names take from the second: these are
# its newer names, which give both rows.
_MOSAICS = {"RG": "RGGB", "BG": "BGGR", "GR": "GRBG", "GB": "GBRG"}
_BAYER8 = tuple(PixelFormat(f"Bayer{k}8", "uint8", 1, f"COLOR_Bayer{v}2BGR") for k, v in _MOSAICS.items())
_BAYER16 = tuple(
    PixelFormat(f"Bayer{k}{bits}", "uint16", 1, f"COLOR_Bayer{v}2BGR")
    for bits in (10, 12, 16)
    for k, v in _MOSAICS.items()
)
_MONO16 = tuple(PixelFormat(f"Mono{bits}", "uint16", 1, "COLOR_GRAY2BGR") for bits in (10, 12, 14, 16))
_PACKED = (PixelFormat("BGR8", "uint8", 3, ""), PixelFormat("RGB8", "uint8", 3, "COLOR_RGB2BGR"))
_OLD_NAMES = (
    PixelFormat("BGR8Packed", "uint8", 3, ""),
    PixelFormat("RGB8Packed", "uint8", 3, "COLOR_RGB2BGR"),
)
FORMATS = {
    each.name: each
    for each in (
        *_PACKED, *_OLD_NAMES, *_BAYER8, PixelFormat("Mono8", "uint8", 1, "COLOR_GRAY2BGR"), *_BAYER16, *_MONO16,
    )
}  # fmt: skip
"""By name, the best first: colour before grey, and only 8 bits unless more is asked for."""


def choose(wanted: str, offered: Sequence[str]) -> PixelFormat | None:
    """Return the format that is wanted, or for "" the best 8-bit one, among those that a camera offers; else None."""
    if wanted:
        return FORMATS.get(wanted) if wanted in offered else None
    return next((each for each in FORMATS.values() if each.dtype == "uint8" and each.name in offered), None)


def dtype_of(wanted: str) -> str:
    """Return the dtype of the frames that ``camera_format`` asks for; what it does not name has 8 bits."""
    return FORMATS[wanted].dtype if wanted in FORMATS else "uint8"


def to_bgr(data: bytes, pixels: PixelFormat, height: int, width: int) -> Image:
    """Return an image as (height, width, 3) BGR of the format's dtype; samples keep their values.

    Raises ValueError when ``data`` has another length, as with padded lines.
    """
    flat = np.frombuffer(data, pixels.dtype)
    if flat.size != height * width * pixels.channels:
        raise ValueError(
            f"{len(data)} bytes for {width}x{height} px of {pixels.name}, which take "
            f"{height * width * pixels.channels * flat.itemsize}"
        )
    shape = (height, width) if pixels.channels == 1 else (height, width, pixels.channels)
    image: Image = flat.reshape(shape)
    if pixels.code:
        cv2 = load_cv2()
        image = cv2.cvtColor(image, getattr(cv2, pixels.code))
    return image
