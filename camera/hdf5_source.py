"""Images in HDF5: CLoPy's folders and files, and the image file of our own sessions."""

from __future__ import annotations

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
from recording.schema import CLOPY_LOG, IMAGES

BLOCK_FRAMES = 64
BLOCK_BYTES = 32 * 2**20
_DTYPES = ("uint8", "uint16")
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
        If it is not HDF5, or holds no such dataset, or one that is compressed with a filter not installed here.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
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
            self._file.close()
            raise

    def get(self, index: int) -> Image:
        """Return image ``index``, (height, width, 3). Raises CameraError when it cannot be read."""
        block = self._block
        if block is None or not self._start <= index < self._start + len(block):
            self._start = index - index % self._block_frames
            try:
                raw = self._data[self._start : self._start + self._block_frames]
                block = np.ascontiguousarray(raw, np.dtype(self.frame_dtype))  # copies foreign byte orders only
            except (OSError, RuntimeError) as error:
                raise CameraError(
                    f"{self._path}: image {index} cannot be read ({error}); is the file damaged?"
                ) from error
            self._block = block
        image: Image = block[index - self._start]
        return image

    def close(self) -> None:
        """Close the file; twice is legal."""
        self._block = None
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
        with _open_file(path) as file:
            return IMAGES in file
    except SourceError:
        return False


def _open_file(path: Path) -> Any:
    """Open for reading; SWMR first, which alone can open a file whose writer was killed."""
    import h5py

    path.open("rb").close()  # h5py takes a file that may not be read for one that is not HDF5
    if not h5py.is_hdf5(path):
        raise SourceError(f"{path}: is not an HDF5 file, or is damaged; give a file with {_WANTED}")
    # SWMR first: it alone opens a file whose writer was killed. Files from before SWMR (CLoPy's, PyTables) refuse it.
    for options in ({"swmr": True, "libver": "latest"}, {}):
        try:
            return h5py.File(path, "r", locking=False, **options)
        except (OSError, RuntimeError, ValueError) as error:
            reason = error
    raise SourceError(
        f"{path}: cannot be opened ({reason}); if its writer was killed, repair a copy of it: h5clear -s COPY"
    )


def _find_images(file: Any, path: Path) -> Any:
    """Return dataset ``raw_images``, checked for shape and type."""
    import h5py

    data = file.get(IMAGES)
    if not isinstance(data, h5py.Dataset):
        held = ", ".join(sorted(file)) or "nothing"
        raise SourceError(f"{path}: has no dataset {IMAGES} (it holds {held}); give a file with {_WANTED}")
    if data.ndim != 4:
        raise SourceError(f"{path}: {IMAGES} has {data.ndim} dimensions, {data.shape}; give a file with {_WANTED}")
    if data.shape[3] != 3:
        raise SourceError(f"{path}: {IMAGES} has {data.shape[3]} channels, {data.shape}; give a file with {_WANTED}")
    if 0 in data.shape[1:]:
        raise SourceError(f"{path}: the frames of {IMAGES} have no pixels, {data.shape}; give a file with {_WANTED}")
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
