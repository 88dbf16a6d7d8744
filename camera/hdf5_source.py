"""Images in HDF5: CLoPy's folders and files, and the image file of our own sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from camera.clopy_log import LOG_CURE, read_times
from camera.source import Source, SourceKind
from camera.stamps import check_times, complete, index_times
from core.errors import CameraError, SourceError
from core.values import Image
from recording.hdf5 import is_marked, is_shut_by_mark, open_finished, open_growing
from recording.hdf5_index import misplaced, whole_images
from recording.schema import CLOPY_LOG, IMAGES

BLOCK_FRAMES = 64
BLOCK_BYTES = 32 * 2**20
MAX_IMAGES = 10_000_000
"""Chosen because a day at 100 frames/s is 8.6 million; the count in a damaged header must not ask for gigabytes."""
MAX_SIDE_PX = 16_384
"""As ``roi_manager.MAX_COORDINATE_PX``, and for the same reason as ``MAX_IMAGES``."""
_DTYPES = ("uint8", "uint16")
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
)
"""What h5py raises, on damaged metadata, as the damage may have it."""
_DAMAGE_CURE = "restore it from a copy, or give another recording"
_WANTED = f"a root dataset {IMAGES}, (frames, height, width, 3) uint8 or uint16 BGR"


class Hdf5Images:
    """Dataset ``raw_images`` of a file, contiguous, chunked or compressed, read ahead in blocks.

    One call into HDF5 costs tens of microseconds and a compressed chunk is decoded as a whole, so 64 frames (at most
    32 MiB, always whole chunks) are read at once. Each block is memory of its own: frames handed out stay valid.

    Parameters
    ----------
    path : Path
        An HDF5 file; it is opened for reading without a lock, also while or after a writer that was killed had it.

    Raises
    ------
    SourceError
        If it is not HDF5, is damaged, or holds no such dataset, or one compressed with a filter not installed here.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _told_as_damage(path):
            self._file = _open_file(path)
            try:
                self._data = _find_images(self._file, path)
                self.n_images = int(self._data.shape[0])
                height, width = int(self._data.shape[1]), int(self._data.shape[2])
                self.frame_shape = (height, width, 3)
                self.frame_dtype = str(self._data.dtype.name)
                self._block_frames = _block_frames(self._data)
                self._start = 0
                self._block: Image | None = None
                _check_filters(self._data, path)
            except BaseException:
                self.close()
                raise

    def get(self, index: int) -> Image:
        """Return image ``index``, (height, width, 3). Raises CameraError when it cannot be read."""
        try:
            return self._read(index)
        except _DAMAGE:
            # Another image of the block may be the damaged one.
            return self._read_alone(index)

    def whole(self) -> int:
        """Return how many images from the first on are whole in the file. Raises SourceError."""
        with _told_as_damage(self._path):
            return whole_images(self._data, self._path.stat().st_size)

    def check(self, first: int, last: int) -> None:
        """Look where images ``first`` to ``last`` lie, which will be asked for, and read the blocks of these two.

        A header can be whole where the images are not. Raises SourceError.
        """
        with _told_as_damage(self._path):
            wrong = misplaced(self._data, first, last, self._path.stat().st_size)
        if wrong:
            raise SourceError(f"{self._path}: is damaged ({wrong}); {_DAMAGE_CURE}")
        for index in (last, first):  # in this order, since the block that stays in memory is the one wanted next
            try:
                self._read(index)
            except _DAMAGE as error:
                block = f"{self._start} to {min(self._start + self._block_frames, self.n_images) - 1}"
                raise SourceError(
                    f"{self._path}: is damaged (one of images {block} cannot be read: {_one_line(error)}); "
                    f"{_DAMAGE_CURE}"
                ) from error

    def _read_alone(self, index: int) -> Image:
        """Return image ``index`` without its block. Raises CameraError when it cannot be read."""
        try:
            return np.ascontiguousarray(self._data[index], np.dtype(self.frame_dtype))
        except _DAMAGE as error:
            raise CameraError(
                f"{self._path}: image {index} cannot be read ({_one_line(error)}); is the file damaged?"
            ) from error

    def _read(self, index: int) -> Image:
        """Return image ``index``, with its block if that is not at hand. Raises what h5py raises."""
        block = self._block
        if block is None or not self._start <= index < self._start + len(block):
            self._block = None  # at most one is in memory
            self._start = index - index % self._block_frames
            raw = self._data[self._start : self._start + self._block_frames]
            block = np.ascontiguousarray(raw, np.dtype(self.frame_dtype))  # copies foreign byte orders only
            self._block = block
        image: Image = block[index - self._start]
        return image

    def close(self) -> None:
        """Close the file; twice is legal."""
        self._block = None
        with suppress(*_DAMAGE):  # nothing was written, so nothing is lost
            self._file.close()


def open_hdf5(path: Path, framerate: float) -> Source:
    """Open ``path``, an HDF5 file of images; times from VideoTimestamp.txt beside it, else from ``framerate`` (1/s).

    Raises
    ------
    SourceError
        If the file or the log beside it cannot be replayed.
    """
    images = Hdf5Images(path)
    try:
        if images.n_images == 0:
            raise SourceError(f"{path}: {IMAGES} holds no frames; give a recording with at least one")
        images.check(0, images.n_images - 1)
        log = path.with_name(CLOPY_LOG)
        if log.exists():
            stamps = complete(read_times(log, images.n_images))
            check_times(stamps, log, LOG_CURE)
        else:
            stamps = complete(index_times(images.n_images, framerate))
        return Source(path, SourceKind.hdf5, stamps, np.arange(images.n_images), images)
    except BaseException:
        images.close()
        raise


def holds_images(path: Path) -> bool:
    """Return whether a file can be opened as HDF5 and has something named ``raw_images``."""
    try:
        with _told_as_damage(path), _open_file(path) as file:
            return IMAGES in file
    except SourceError:
        return False


@contextmanager
def _told_as_damage(path: Path) -> Iterator[None]:
    """Turn whatever h5py raises on damaged metadata into SourceError; errors that have their own words pass."""
    try:
        yield
    except (SourceError, PermissionError):
        raise
    except _DAMAGE as error:
        raise SourceError(f"{path}: is damaged ({_one_line(error)}); {_DAMAGE_CURE}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _open_file(path: Path) -> Any:
    """Open for reading; as SWMR where it is marked as being written, as that of a killed writer is for ever."""
    import h5py

    path.open("rb").close()  # h5py takes a file that may not be read for one that is not HDF5
    if not h5py.is_hdf5(path):
        raise SourceError(f"{path}: is not an HDF5 file, or is damaged; give a file with {_WANTED}")
    # Plain first: HDF5 repeats what it cannot read from a file opened as SWMR, and a finished file has no need of that.
    try:
        return open_finished(path)
    except _DAMAGE as error:
        finished = error
    try:
        return open_growing(path)
    except _DAMAGE as error:
        growing = error
    if is_shut_by_mark(finished, growing):
        raise SourceError(
            f"{path}: is marked as being written; wait for its writer, or if that was killed, take the mark off a "
            "copy: h5clear -s COPY"
        )
    reason = growing if is_marked(finished) else finished
    raise SourceError(f"{path}: is damaged ({_one_line(reason)}); {_DAMAGE_CURE}") from reason


def _find_images(file: Any, path: Path) -> Any:
    """Return dataset ``raw_images``, checked for shape and type."""
    import h5py

    data = file[IMAGES] if IMAGES in file else None  # noqa: SIM401 - get() takes a damaged one for none
    if not isinstance(data, h5py.Dataset):
        held = ", ".join(sorted(file)) or "nothing"
        raise SourceError(f"{path}: has no dataset {IMAGES} (it holds {held}); give a file with {_WANTED}")
    if data.ndim != 4:
        raise SourceError(f"{path}: {IMAGES} has {data.ndim} dimensions, {data.shape}; give a file with {_WANTED}")
    if data.shape[3] != 3:
        raise SourceError(f"{path}: {IMAGES} has {data.shape[3]} channels, {data.shape}; give a file with {_WANTED}")
    if 0 in data.shape[1:]:
        raise SourceError(f"{path}: the frames of {IMAGES} have no pixels, {data.shape}; give a file with {_WANTED}")
    if data.shape[0] > MAX_IMAGES or max(data.shape[1:3]) > MAX_SIDE_PX:
        raise SourceError(
            f"{path}: {IMAGES} is of shape {data.shape}; is the file damaged? Give one of at most {MAX_IMAGES} frames "
            f"of {MAX_SIDE_PX} x {MAX_SIDE_PX} px"
        )
    if data.dtype.name not in _DTYPES:
        raise SourceError(f"{path}: {IMAGES} is of type {data.dtype.name}; give a file with {_WANTED}")
    return data


def _check_filters(data: Any, path: Path) -> None:
    """Raise SourceError unless HDF5 can undo every compression of the dataset.

    Reading a frame would not tell: HDF5 leaves chunks that do not shrink as they are, and fails at a later one.
    """
    import h5py

    plist = data.id.get_create_plist()
    filters = [plist.get_filter(k) for k in range(plist.get_nfilters())]
    if all(h5py.h5z.filter_avail(code) for code, *_ in filters):
        return
    if find_spec("hdf5plugin") is not None:
        import_module("hdf5plugin")  # which registers its filters with h5py
    for code, _, _, name in filters:
        if not h5py.h5z.filter_avail(code):
            raise SourceError(
                f"{path}: {IMAGES} is compressed with {name.decode() or 'a filter'} (HDF5 filter {code}), which is not "
                "installed here; pip install hdf5plugin, or repack the file: h5repack -f NONE IN OUT"
            )


def _block_frames(data: Any) -> int:
    """Return how many frames to read at once: about BLOCK_FRAMES, within BLOCK_BYTES, and whole chunks."""
    frame_bytes = int(np.prod(data.shape[1:])) * data.dtype.itemsize
    wanted = max(1, min(BLOCK_FRAMES, BLOCK_BYTES // frame_bytes))
    chunk = int(data.chunks[0]) if data.chunks else 1
    chunks: int = max(1, round(wanted / chunk))
    return chunks * chunk
