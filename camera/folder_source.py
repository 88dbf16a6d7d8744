"""A folder of images as a source of frames."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from camera.opencv import load_cv2
from camera.source import Source, SourceKind
from camera.stamps import complete, index_times
from core.errors import CameraError, SourceError
from core.values import Image

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})
_DTYPES = ("uint8", "uint16")


class FolderImages:
    """The images of a folder, ``img2.png`` before ``img10.png``. Grey ones get three equal channels; alpha goes."""

    def __init__(self, files: tuple[Path, ...], shape: tuple[int, int, int], dtype: str) -> None:
        self._files = files
        self.frame_shape = shape
        self.frame_dtype = dtype

    def get(self, index: int) -> Image:
        """Return image ``index``, (height, width, 3) BGR. Raises CameraError when it has changed since then."""
        path = self._files[index]
        image = decode(path)
        if image is None or image.shape != self.frame_shape or image.dtype.name != self.frame_dtype:
            raise CameraError(f"{path}: the image is gone or has changed since the folder was opened")
        return image

    def close(self) -> None:
        """Do nothing: no file stays open."""


def open_folder(folder: Path, framerate: float) -> Source:
    """Open a folder of images as frames at ``framerate`` (1/s).

    Every image is decoded once before, so that one of another size is found here and not in the middle of a session.

    Raises
    ------
    SourceError
        If one cannot be decoded, or differs in size or type from the first.
    """
    files = list_images(folder)
    shape, dtype = _scan(files, tuple(file.stat().st_mtime_ns for file in files))
    stamps = complete(index_times(len(files), framerate))
    return Source(folder, SourceKind.images, stamps, np.arange(len(files)), FolderImages(files, shape, dtype))


def list_images(folder: Path) -> tuple[Path, ...]:
    """Return the images of a folder, sorted so that numbers in names count as numbers; hidden files are left out."""
    files = (f for f in folder.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith("."))
    return tuple(sorted(files, key=_natural))


def decode(path: Path) -> Image | None:
    """Return an image as (height, width, 3) BGR of its own type, or None where it cannot be decoded."""
    cv2 = load_cv2()
    try:
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # such as a header that says 2**31 pixels
        return None
    if image is None:
        return None
    if image.ndim == 2:
        return np.repeat(image[:, :, None], 3, axis=2)
    return np.ascontiguousarray(image[:, :, :3]) if image.shape[2] >= 3 else None


def _natural(path: Path) -> list[tuple[bool, int, str]]:
    """Return a sorting key in which img2 comes before img10."""
    parts = re.split(r"([0-9]+)", path.name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part.lower()) for part in parts]


@lru_cache(maxsize=8)
def _scan(files: tuple[Path, ...], _mtimes_ns: tuple[int, ...]) -> tuple[tuple[int, int, int], str]:
    """Return the shape and type that all the images share; remembered as long as none of them is changed."""
    shape, dtype = _look(files[0])
    for file in files[1:]:
        other, other_dtype = _look(file)
        if other != shape:
            raise SourceError(
                f"{file}: is {other[1]}x{other[0]} px, but {files[0].name} is {shape[1]}x{shape[0]}; "
                "give a folder of images of one size"
            )
        if other_dtype != dtype:
            raise SourceError(
                f"{file}: is {other_dtype}, but {files[0].name} is {dtype}; give a folder of images of one type"
            )
    return shape, dtype


def _look(path: Path) -> tuple[tuple[int, int, int], str]:
    """Return shape and type of an image, checked."""
    cv2 = load_cv2()
    if path.suffix.lower() in (".tif", ".tiff") and cv2.imcount(str(path)) > 1:
        raise SourceError(f"{path}: holds several images; give a folder with one image per file, or an .hdf5 file")
    image = decode(path)
    if image is None:
        raise SourceError(f"{path}: cannot be decoded as an image; replace it, or take it out of the folder")
    if image.dtype.name not in _DTYPES:
        raise SourceError(f"{path}: is of type {image.dtype.name}; give images of 8 or 16 bits per channel")
    return (int(image.shape[0]), int(image.shape[1]), 3), str(image.dtype.name)
