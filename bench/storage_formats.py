"""Ways to keep a session's images, each as a file that grows by one image at a time."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.values import Image
from recording.files import ImageFile
from recording.recorded import open_images
from recording.schema import IMAGES
from recording.settings import VideoCodec
from recording.video_file import VideoFile
from recording.video_read import VideoImages

Shape = tuple[int, int, int]


class Writer(Protocol):
    """A file that grows.

    Attributes
    ----------
    flushed : int
        Images that survive this process, as the file's maker promises.
    """

    flushed: int

    def append(self, image: Image, time_ns: int) -> int:
        """Write an image; return its index."""

    def flush(self) -> None:
        """Bring all images to where they survive this process, if they are not there yet."""

    def close(self) -> int:
        """Finish the file."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way.

    Attributes
    ----------
    name, suffix : str
    write : callable
        Makes the writer of a new file, from path, shape and dtype.
    wide : bool
        Whether it takes uint16.
    """

    name: str
    suffix: str
    write: Callable[[Path, Shape, str], Writer]
    wide: bool = True


class Hdf5:
    """An HDF5 file that is filled through HDF5's chunk cache and filters.

    Parameters
    ----------
    path, shape, dtype
        Of the new file.
    swmr : bool
        Whether it can be read while it grows.
    filters : keywords of ``create_dataset``
    """

    def __init__(self, path: Path, shape: Shape, dtype: str, swmr: bool, **filters: Any) -> None:
        import h5py

        self._file: Any = h5py.File(path, "x", libver="latest" if swmr else None, locking=False)
        self._images: Any = self._file.create_dataset(
            IMAGES, shape=(0, *shape), maxshape=(None, *shape), chunks=(1, *shape), dtype=dtype, **filters
        )
        if swmr:
            self._file.swmr_mode = True
        self._count = 0
        self.flushed = 0

    def append(self, image: Image, time_ns: int) -> int:
        """Write an image."""
        del time_ns
        self._images.resize(self._count + 1, axis=0)
        self._images[self._count] = image
        self._count += 1
        return self._count - 1

    def flush(self) -> None:
        """Flush; without SWMR this promises nothing by HDF5's own word, and is measured as if it did."""
        self._file.flush()
        self.flushed = self._count

    def close(self) -> int:
        """Close the file."""
        self._file.close()
        return self._count


RAW_SUFFIX = ".raw"
_ENTRY = np.dtype([("offset", "<i8"), ("time_ns", "<i8")])


class Raw:
    """Pixels in one file, and in another beside it a line of JSON with their form, and an entry per image."""

    def __init__(self, path: Path, shape: Shape, dtype: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._pixels = os.open(path, flags, 0o644)
        self._index = os.open(raw_index(path), flags, 0o644)
        os.write(self._index, json.dumps({"shape": shape, "dtype": dtype}).encode() + b"\n")
        self.flushed = 0

    def append(self, image: Image, time_ns: int) -> int:
        """Write an image, then its entry."""
        data = np.ascontiguousarray(image).data.cast("B")
        size = len(data)
        while data:
            data = data[os.write(self._pixels, data) :]
        os.write(self._index, np.array((self.flushed * size, time_ns), _ENTRY).tobytes())
        self.flushed += 1
        return self.flushed - 1

    def flush(self) -> None:
        """Do nothing: the operating system has all of it."""

    def close(self) -> int:
        """Close both files."""
        os.close(self._pixels)
        os.close(self._index)
        return self.flushed


class RawImages:
    """The images of such a pair of files, by index."""

    def __init__(self, path: Path) -> None:
        head, _, entries = raw_index(path).read_bytes().partition(b"\n")
        form = json.loads(head)
        self._shape, self._dtype = tuple(form["shape"]), np.dtype(form["dtype"])
        self._size = int(np.prod(self._shape)) * self._dtype.itemsize
        whole = len(entries) // _ENTRY.itemsize
        self._offsets = np.frombuffer(entries, _ENTRY, whole)["offset"]
        self._pixels = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._count = min(whole, os.fstat(self._pixels).st_size // self._size)

    def __len__(self) -> int:
        """Return how many images are whole."""
        return self._count

    def __getitem__(self, index: int) -> Image:
        """Return an image, (height, width, 3)."""
        data = os.pread(self._pixels, self._size, int(self._offsets[index]))
        return np.frombuffer(data, self._dtype).reshape(self._shape)

    def close(self) -> None:
        """Close the pixels."""
        os.close(self._pixels)


def raw_index(path: Path) -> Path:
    """Return the file of entries that stands beside a file of pixels."""
    return path.with_suffix(".index")


def begin(kind: Format, path: Path, image: Image) -> Writer:
    """Return the writer of a new file for images such as this one."""
    height, width, channels = image.shape
    return kind.write(path, (height, width, channels), image.dtype.name)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Any]:
    """Open a file of any of the formats, as a session's reader would; yields images by index.

    Raises SourceError where it cannot be opened.
    """
    if path.suffix == RAW_SUFFIX:
        raw = RawImages(path)
        try:
            yield raw
        finally:
            raw.close()
        return
    file = open_images(path)
    try:
        yield file if isinstance(file, VideoImages) else file[IMAGES]
    finally:
        file.close()


def read(images: Any, index: int) -> Image:
    """Return image ``index``, (height, width, 3), from what ``reading`` yields."""
    image: Image = np.asarray(images[index])
    return image


def size_of(path: Path) -> int:
    """Return the bytes of a file and of the index beside it."""
    return sum(each.stat().st_size for each in (path, raw_index(path)) if each.is_file())


_GZIP: dict[str, Any] = {"compression": "gzip", "compression_opts": 1}
OURS = "HDF5 SWMR, raw chunks"
OUR_VIDEO = "H.264, Matroska"

FORMATS = (
    Format(OURS, ".hdf5", ImageFile),
    Format("HDF5 SWMR, lzf", ".hdf5", lambda path, shape, dtype: Hdf5(path, shape, dtype, True, compression="lzf")),
    Format("HDF5 SWMR, gzip-1", ".hdf5", lambda path, shape, dtype: Hdf5(path, shape, dtype, True, **_GZIP)),
    Format("HDF5 without SWMR", ".hdf5", lambda path, shape, dtype: Hdf5(path, shape, dtype, False)),
    Format("raw file and index", RAW_SUFFIX, Raw),
    Format("FFV1, Matroska", ".mkv", lambda path, shape, dtype: VideoFile(path, shape, dtype, VideoCodec.ffv1)),
    Format(OUR_VIDEO, ".mkv", lambda path, shape, dtype: VideoFile(path, shape, dtype, VideoCodec.h264), wide=False),
)
