"""What all pose estimators share: frames of 8 bits in, points as ``core.values.Pose`` wants them out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.errors import PoseError
from core.values import Frame, Image

Points = npt.NDArray[np.float64]
Shape = tuple[int, int, int]

DTYPES = ("uint8", "uint16")


def not_found(parts: int) -> Points:
    """Return the (parts, 3) points of parts of which none was found."""
    points = np.full((parts, 3), np.nan)
    points[:, 2] = 0.0
    return points


def tidy(points: npt.ArrayLike) -> Points:
    """Return points of any estimator as the port wants them: an own array in which a part is found or is not.

    Parameters
    ----------
    points : array_like, (parts, 3 or more)
        Column, row (px) and likelihood.

    Returns
    -------
    ndarray, (parts, 3) float64
        A row with a number that is not finite, or without likelihood, is NaN, NaN, 0; likelihoods end at 1.
    """
    tidied = np.array(points, np.float64)[:, :3]
    lost = ~(np.isfinite(tidied).all(axis=1) & (tidied[:, 2] > 0))
    np.minimum(tidied[:, 2], 1.0, out=tidied[:, 2])
    tidied[lost] = np.nan, np.nan, 0.0
    return tidied


def check_frame(frame: Frame, shape: Shape, dtype: str) -> None:
    """Raise PoseError for an image that is not as the camera said its frames would be."""
    if frame.image.shape != shape or frame.image.dtype != dtype:
        raise PoseError(
            f"pose: frame {frame.number} is {frame.image.shape} {frame.image.dtype}, and not {shape} {dtype} as the "
            "camera said; check resolution and the camera's pixel format"
        )


def copy_8_bits(image: Image, into: npt.NDArray[np.uint8]) -> None:
    """Copy an image into one of 8 bits; of 16 bits the upper 8 are taken, so that 65535 is 255.

    A camera that fills fewer than 16 bits makes dark frames here: set it to a format of 8 bits.
    """
    if image.dtype == np.uint8:
        np.copyto(into, image)
    else:
        np.right_shift(image, 8, out=into, casting="unsafe")
