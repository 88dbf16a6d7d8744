"""Images in the size a pose model sees them in, and the same turned, scaled, shifted and lit otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Lt

from analysis.pose_training_labels import Labels
from core.errors import InputError

Image = npt.NDArray[np.uint8]
WIDEST = 320
"""Images are halved until they are no wider than this, px: what a CPU learns from within a quarter of an hour."""
SMALLEST = 32
CANVAS = 160
"""Of an image that is larger, a part of so many px a side is learnt from at a time."""
ABOUT_POINTS = 0.75
"""Share of these parts that are taken about a body part."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How much a frame is changed before it is learnt from. Each amount is drawn evenly up to these bounds."""

    turn_deg: Annotated[float, Ge(0)] = 20.0
    scale: Annotated[float, Ge(0), Lt(1)] = 0.2
    shift: Annotated[float, Ge(0), Lt(1)] = 0.15
    """Share of the image's width and height."""
    gain: Annotated[float, Ge(0), Lt(1)] = 0.3
    offset: Annotated[float, Ge(0)] = 25.0
    """Grey values of 255."""


@dataclass(frozen=True, slots=True)
class Sized:
    """Labelled images in the size of the model.

    Attributes
    ----------
    images : ndarray, (frames, height, width, 3) uint8
        RGB.
    points : ndarray, (frames, parts, 2) float64
        px of these images, 0 at the centre of the first pixel; NaN where not known, or outside of the image.
    resize : float
        The factor, as DLCLive takes it.
    original : (width, height)
        Of the files.
    outside : int
        Labels that lay outside of their image, and so are not known.
    """

    images: Image
    points: npt.NDArray[np.float64]
    resize: float
    original: tuple[int, int]
    outside: int


def choose_resize(original: tuple[int, int], size: tuple[int, int] | None) -> float:
    """Return the factor that makes images of (width, height) ``size``; None: halved until no wider than ``WIDEST``.

    Raises InputError for a size of another shape than the images, one that is larger, or one too small to see in.
    """
    width, height = original
    if size is None:
        factor = 1.0
        while width * factor > WIDEST:
            factor /= 2
        size = (int(width * factor), int(height * factor))
    factor = size[0] / width
    if factor > 1 or abs(height * factor - size[1]) > 1:
        wanted, fits = "x".join(map(str, size)), f"{size[0]}x{round(height * factor)}"
        cure = "no size is larger" if factor > 1 else f"a size of their shape is {fits}"
        raise InputError(f"--size {wanted}: the images are {width}x{height}; {cure}")
    if min(int(width * factor), int(height * factor)) < SMALLEST:
        raise InputError(f"--size {size[0]}x{size[1]}: a model sees nothing in it; {SMALLEST} px a side at least")
    return factor


def resize_frame(image: Image, resize: float) -> Image:
    """Return the image as DLCLive hands it to its model, but for the order of colours (dlclive 1.1.0, utils.py)."""
    import cv2

    height, width = image.shape[:2]
    resized: Any = cv2.resize(image, (int(width * resize), int(height * resize))) if resize != 1 else image
    return np.asarray(resized, np.uint8)


def read_image(path: Path) -> Image:
    """Return an image, (height, width, 3) uint8 BGR. Raises InputError if it is missing or no image."""
    import cv2

    image: Any = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if image is None:
        what = "is no image that OpenCV reads" if path.is_file() else "is missing"
        raise InputError(f"{path}: {what}; the labels' images lie beside their CSV")
    return np.asarray(image, np.uint8)


def load_sized(labels: Labels, size: tuple[int, int] | None) -> Sized:
    """Read the images of the labels. Raises InputError for one that is missing, or of another size than the first."""
    images: list[Image] = []
    original = resize = None
    for path in labels.images:
        image = read_image(path)
        seen = (image.shape[1], image.shape[0])
        if original is None or resize is None:
            original, resize = seen, choose_resize(seen, size)
        if seen != original:
            raise InputError(
                f"{path} is {seen[0]}x{seen[1]}, but {labels.images[0]} is {original[0]}x{original[1]}; "
                f"train on images of one size"
            )
        images.append(np.ascontiguousarray(resize_frame(image, resize)[:, :, ::-1]))
    if original is None or resize is None:
        raise InputError("no labelled frames; label some")
    known = np.isfinite(labels.points).all(2)
    inside = ((labels.points > -0.5) & (labels.points < np.array(original) - 0.5)).all(2)
    points = np.where(inside[:, :, None], labels.points, np.nan)
    return Sized(np.stack(images), (points + 0.5) * resize - 0.5, resize, original, int((known & ~inside).sum()))


def draw_centre(
    points: npt.NDArray[np.float64], size: tuple[int, int], canvas: tuple[int, int], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return the centre of a part of the image to learn from: mostly about one of its points, else anywhere.

    A mouse fills little of a frame; what is learnt of the rest, again and again, costs time. The part lies within the
    image: of one that is no larger than the canvas, it is the image.
    """
    width_height, canvas_px = np.array(size), np.array(canvas)
    known = points[np.isfinite(points).all(1)]
    centre = rng.uniform(0, width_height)
    if len(known) and rng.random() < ABOUT_POINTS:
        centre = known[rng.integers(len(known))] + rng.uniform(-0.4, 0.4, 2) * canvas_px
    return np.clip(centre, (canvas_px - 1) / 2, width_height - (canvas_px + 1) / 2)


def draw_matrix(
    centre: npt.NDArray[np.float64], canvas: tuple[int, int], amounts: Augmentation, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return the (2, 3) matrix of one turn and scaling about ``centre``, which comes to the canvas's, and a shift."""
    angle = np.deg2rad(rng.uniform(-amounts.turn_deg, amounts.turn_deg))
    scale = rng.uniform(1 - amounts.scale, 1 + amounts.scale)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = rng.uniform(-amounts.shift, amounts.shift, 2) * canvas
    return np.column_stack([linear, (np.array(canvas) - 1) / 2 + shift - linear @ centre])


def move_points(points: npt.NDArray[np.float64], matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return where (parts, 2) points are after ``matrix``."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float64)


def augment(
    image: Image,
    points: npt.NDArray[np.float64],
    canvas: tuple[int, int],
    amounts: Augmentation,
    rng: np.random.Generator,
) -> tuple[Image, npt.NDArray[np.float64]]:
    """Return a part of the image, turned, scaled, shifted and lit otherwise, and where its points are then.

    Points that leave the canvas (width, height) are NaN. What comes in from outside of the image is the colour of its
    border.
    """
    import cv2

    centre = draw_centre(points, (image.shape[1], image.shape[0]), canvas, rng)
    matrix = draw_matrix(centre, canvas, amounts, rng)
    warped: Any = cv2.warpAffine(image, matrix, canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    gain, offset = 1 + amounts.gain * rng.uniform(-1, 1), amounts.offset * rng.uniform(-1, 1)
    lit: Any = cv2.LUT(warped, np.clip(np.arange(256) * gain + offset, 0, 255).astype(np.uint8))
    moved = move_points(points, matrix)
    inside = ((moved > -0.5) & (moved < np.array(canvas) - 0.5)).all(1)
    return np.asarray(lit, np.uint8), np.where(inside[:, None], moved, np.nan)
