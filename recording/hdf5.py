"""Opens an HDF5 file for reading, whether its writer finished it, is at work, or was killed."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path
from typing import Any

READ_ATTEMPTS = 20
"""Tries to read metadata that a writer may be changing; HDF5 waits 1, 2, 4 ... ns between them, 1 ms in all. Its own
100 tries would never end on metadata that is damaged."""
_MARKED = "file is already open for write"
_NO_SWMR_WRITER = "not already open for SWMR"
"""HDF5's words for a file that is marked as being written, and for one whose mark is not that of an SWMR writer. There
is no error number for either; the tests meet both in files that HDF5 itself has made."""


def open_finished(path: Path) -> Any:
    """Open a file that nobody writes. Raises what h5py raises, also on a file that is marked as being written."""
    import h5py

    return h5py.File(path, "r", locking=False)


def open_growing(path: Path) -> Any:
    """Open as SWMR a file that is marked as being written, as that of a killed writer is for ever.

    h5py.File would do, but for the number of attempts, which h5py has no word for. Raises what h5py raises.
    """
    import h5py

    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    access.set_file_locking(False, True)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    with suppress(AttributeError, OSError):  # where h5py's library does not show HDF5's functions, HDF5's number stays
        hdf5 = ctypes.CDLL(h5py.h5p.__file__)
        hdf5.H5Pset_metadata_read_attempts(ctypes.c_int64(access.id), ctypes.c_uint(READ_ATTEMPTS))
    flags = h5py.h5f.ACC_RDONLY | h5py.h5f.ACC_SWMR_READ
    return h5py.File(h5py.h5f.open(bytes(path), flags, access))


def is_marked(finished: BaseException) -> bool:
    """Return whether ``open_finished`` failed with ``finished`` because the file is marked as being written."""
    return _MARKED in str(finished)


def is_shut_by_mark(finished: BaseException, growing: BaseException) -> bool:
    """Return whether the mark alone keeps a file shut: it was written, but not as SWMR, and never closed.

    Parameters
    ----------
    finished, growing : BaseException
        What ``open_finished`` and ``open_growing`` raised. ``h5clear -s`` takes the mark away; it cures nothing else.
    """
    return is_marked(finished) and _NO_SWMR_WRITER in str(growing)
