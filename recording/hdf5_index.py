"""Looks at where the images of an HDF5 dataset lie in their file, without reading them."""

from __future__ import annotations

from math import prod
from typing import Any


def misplaced(data: Any, first: int, last: int, file_bytes: int) -> str:
    """Return what is wrong with the places of images ``first`` to ``last``; an empty text where nothing is.

    HDF5 itself gives zeros for an image that was never written, and for one behind the end of a file that was cut. The
    whole index is walked, so that damage in it is met here; 0.1 s for 100 000 images.

    Parameters
    ----------
    data : h5py.Dataset, (frames, height, width, 3)
    first, last : int
        The images that will be asked for.
    file_bytes : int
        Length of the file.

    Raises
    ------
    What h5py raises on a damaged index.
    """
    if data.chunks is None:
        begin = data.id.get_offset()  # None where the images lie in other files
        ends = begin is not None and begin + data.nbytes > file_bytes
        return f"the file ends before image {last}" if ends else ""
    if not hasattr(data.id, "chunk_iter"):  # h5py on an HDF5 older than 1.12.3; reading the images has to do
        return ""
    return _Walk(data, first, last, file_bytes).result()


def whole_images(data: Any, file_bytes: int) -> int:
    """Return how many images from the first on lie whole in the file; parameters and errors as of ``misplaced``.

    For the recording of a computer that went down: its index may name images that did not reach the disk any more.
    """
    count = int(data.shape[0])
    if data.chunks is None or not hasattr(data.id, "chunk_iter"):
        return count
    whole: set[int] = set()
    left = _chunks(data)

    def look(chunk: Any) -> bool | None:
        nonlocal left
        left -= 1
        if chunk.byte_offset + chunk.size <= file_bytes:
            whole.add(int(chunk.chunk_offset[0]))
        return None if left else True

    data.id.chunk_iter(look)
    return next((begin for begin in range(0, count, int(data.chunks[0])) if begin not in whole), count)


def _chunks(data: Any) -> int:
    """Return how many chunks the dataset has; an index that leads back into itself names more, and never ends."""
    return prod(-(-size // chunk) for size, chunk in zip(data.shape, data.chunks, strict=True))


class _Walk:
    """One walk over all chunks of a dataset."""

    def __init__(self, data: Any, first: int, last: int, file_bytes: int) -> None:
        self._data = data
        self._first = first
        self._last = last
        self._file_bytes = file_bytes
        self._step = int(data.chunks[0])
        self._left = _chunks(data)
        self._unseen = {image - image % self._step for image in (first, last)}
        self._wrong = ""

    def result(self) -> str:
        """Walk; return what is wrong."""
        self._data.id.chunk_iter(self._look)
        if not self._wrong and self._unseen:
            self._wrong = f"image {min(self._unseen)} was never written"
        return self._wrong

    def _look(self, chunk: Any) -> bool | None:
        """Take one chunk; a value that is not None ends the walk."""
        begin = int(chunk.chunk_offset[0])
        self._left -= 1
        self._unseen.discard(begin)
        wanted = begin <= self._last and begin + self._step > self._first
        if self._left < 0:
            self._wrong = "its index names more images than it holds"
        elif wanted and chunk.byte_offset + chunk.size > self._file_bytes:
            self._wrong = f"the file ends before image {max(begin, self._first)}"
        return True if self._wrong else None
