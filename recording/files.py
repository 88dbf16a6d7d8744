"""The files of a session as the writer process fills them: lines of text, and images. Neither overwrites anything."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.values import Image
from recording.problems import FILE_ERRORS
from recording.schema import IMAGES


class LineFile:
    """A text file that grows by whole lines. All methods raise OSError.

    Parameters
    ----------
    path : Path
        Must not exist.
    header : str
        First line, on disk when the constructor returns.
    """

    def __init__(self, path: Path, header: str) -> None:
        self.path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.append([header])

    def append(self, lines: Sequence[str]) -> None:
        """Hand lines to the operating system: they survive the death of this process."""
        data = memoryview("".join(lines).encode("utf-8"))
        while data:
            data = data[os.write(self._handle, data) :]

    def close(self) -> None:
        """Close; the ``Syncer`` syncs."""
        os.close(self._handle)


class ImageFile:
    """``image_stream.hdf5`` while it grows: SWMR, so that what was flushed can be read whenever this process ends.

    Each image is one uncompressed chunk, written past HDF5's cache: a full disk shows at the image it hits, and the
    images before it are whole.

    Parameters
    ----------
    path : Path
        Must not exist.
    shape : tuple of int
        (height, width, 3).
    dtype : str
        ``"uint8"`` or ``"uint16"``.
    """

    def __init__(self, path: Path, shape: tuple[int, int, int], dtype: str) -> None:
        import h5py

        self.path = path
        self.count = 0
        self.flushed = 0
        self._file: Any = h5py.File(path, "x", libver="latest", locking=False)
        self._images: Any = self._file.create_dataset(
            IMAGES, shape=(0, *shape), maxshape=(None, *shape), chunks=(1, *shape), dtype=dtype
        )
        self._file.swmr_mode = True
        self._file.flush()

    def append(self, image: Image, time_ns: int) -> int:
        """Write an image, (height, width, 3); return its index. Raises one of FILE_ERRORS.

        Its time stands in frames.csv, not here.
        """
        del time_ns
        self._images.resize(self.count + 1, axis=0)
        self._images.id.write_direct_chunk((self.count, 0, 0, 0), image)
        self.count += 1
        return self.count - 1

    def flush(self) -> None:
        """Make all images readable for others. Raises one of FILE_ERRORS."""
        if self.flushed < self.count:
            self._file.flush()
            self.flushed = self.count

    def close(self) -> int:
        """Close the file, open it again and count its images. Raises one of FILE_ERRORS."""
        import h5py

        self._file.close()
        with h5py.File(self.path, "r", locking=False) as file:
            return int(file[IMAGES].shape[0])

    def give_up(self) -> int:
        """After an error: close as well as can be, return how many images can be read.

        HDF5 may refuse to close a file it could not write, and would crash this process at its exit; the writer leaves
        by ``os._exit`` for that reason. What was flushed stays readable.
        """
        with contextlib.suppress(*FILE_ERRORS):
            self._images.resize(self.count, axis=0)
        with contextlib.suppress(*FILE_ERRORS):
            return min(self.count, self.close())
        return self.flushed


class Syncer(threading.Thread):
    """Asks the disk to keep what the files hold, every few seconds, from a thread of its own.

    An fsync may take seconds on an SD card. Here it holds up nobody: it releases the interpreter, and the writer goes
    on filling the same files. Owns its own descriptors; ends with ``stop``.

    Attributes
    ----------
    failed : dict of Path to OSError
        The first error of each file that the disk would not keep.
    """

    def __init__(self, paths: Sequence[Path], period_s: float) -> None:
        super().__init__(name="recorder-sync", daemon=True)
        self.failed: dict[Path, OSError] = {}
        self._period_s = period_s
        self._ended = threading.Event()
        self._handles = [(path, os.open(path, os.O_RDONLY | os.O_CLOEXEC)) for path in paths]

    def run(self) -> None:
        """Sync until told to stop."""
        while not self._ended.wait(self._period_s):
            self._sync()

    def _sync(self) -> None:
        for path, handle in self._handles:
            try:
                os.fsync(handle)
            except OSError as error:
                self.failed.setdefault(path, error)

    def stop(self) -> None:
        """Sync a last time and end. Called once."""
        self._ended.set()
        self.join()
        self._sync()
        for _, handle in self._handles:
            os.close(handle)
