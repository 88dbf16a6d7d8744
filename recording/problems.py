"""Why a file could not be written, and what to do about it, in words."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

# What h5py raises when HDF5 fails, depending on the call; OSError also covers plain files, the last two odd values.
FILE_ERRORS = (OSError, RuntimeError, ValueError, TypeError)

DISK_FULL = "disk_full"
IMAGE_FILE_FAILED = "image_file_failed"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_CURES = {
    errno.ENOSPC: "free space on that disk, or set data_root to another one",
    errno.EDQUOT: "the quota is used up: delete old sessions, or set data_root elsewhere",
    errno.EFBIG: "the file may not grow further: raise the limit (ulimit -f), or set data_root to another file system",
    errno.EROFS: "the disk is mounted read-only: remount it for writing, or set data_root to another one",
    errno.EACCES: "give this user the right to write there, or set data_root to a folder of its own",
    errno.EPERM: "give this user the right to write there, or set data_root to a folder of its own",
    errno.EEXIST: "it exists already and is never overwritten: give another name, or start a new session",
    errno.ENOENT: "make the folder first, or set data_root to one that exists",
    errno.ENOTDIR: "a file stands where a folder is needed: set data_root to a folder",
    errno.EIO: "the disk or card is failing: replace it, and check the recording",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EISDIR: "a folder stands where a file is needed: give another name",
    errno.ELOOP: "its links lead in a circle: remove them, or give another name",
    errno.ENOLCK: "files cannot be locked on that disk: set data_root to another one",
    errno.EOPNOTSUPP: "files cannot be locked on that disk: set data_root to another one",
}
_CHOSEN_CURES = _CURES | {
    errno.ENOSPC: "free space on that disk, or choose another place",
    errno.EDQUOT: "the quota is used up: delete what is not needed, or choose another place",
    errno.EFBIG: "the file may not grow further: raise the limit (ulimit -f), or choose another file system",
    errno.EROFS: "the disk is mounted read-only: remount it for writing, or choose another place",
    errno.EACCES: "give this user the right to write there, or choose another place",
    errno.EPERM: "give this user the right to write there, or choose another place",
    errno.EEXIST: "it exists already and is never overwritten: give another name",
    errno.ENOENT: "make the folder first, or choose another place",
    errno.ENOTDIR: "a file stands where a folder is needed: choose another place",
    errno.EIO: "the disk or card is failing: choose another place",
    errno.ENOLCK: "files cannot be locked on that disk: choose another place",
    errno.EOPNOTSUPP: "files cannot be locked on that disk: choose another place",
}
"""Of exports and figures, which lie where a person wants them, whatever data_root is."""
_READ_CURES = {
    errno.ENOENT: "check the path",
    errno.EACCES: "give this user the right to read it",
    errno.EPERM: "give this user the right to read it",
}


def error_number(error: BaseException) -> int | None:
    """Return the errno behind ``error``, also where HDF5 only mentions it in its text; None where there is none."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    found = re.search(r"errno = (\d+)", str(error))
    return int(found.group(1)) if found else None


def end_cause(error: BaseException) -> str:
    """Return what ended a file of images: ``disk_full`` (also a quota, or a limit on its size), else its failure."""
    return DISK_FULL if error_number(error) in _FULL else IMAGE_FILE_FAILED


def describe(action: str, path: Path, error: BaseException, *, chosen: bool = False) -> str:
    """Return one line that names the file, the cause and the cure.

    Parameters
    ----------
    action : str
        What failed: ``"read"``, or another word for what was to be made or written.
    path : Path
        The file or folder.
    error : BaseException
        What was raised.
    chosen : bool
        Whether a person chose the place of just this, an export or a figure, so that data_root does not matter.
    """
    number = error_number(error)
    cause = os.strerror(number) if number else f"{type(error).__name__}: {error}".splitlines()[0]
    if action == "read":
        cure = _READ_CURES.get(number or 0, "restore it from a copy")
    else:
        cure = (_CHOSEN_CURES if chosen else _CURES).get(number or 0, "check the disk and its cable")
    return f"cannot {action} {path}: {cause}; {cure}"
