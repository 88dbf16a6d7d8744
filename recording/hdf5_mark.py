"""Takes the mark off an HDF5 file that says it is being written, which that of a killed writer keeps for ever.

HDF5's own way (``h5clear -s``) opens the file for writing, and at closing cuts it where its superblock says that it
ends, which a killed writer had not brought up to date. Here the superblock alone is replaced: 48 bytes at the file's
start, which lie in one sector of the disk. What the new one leads to is looked at before it is written. Source: HDF5
file format specification 3.0, II.A "Format Signature and Superblock"; its checksum is Bob Jenkins' lookup3 (public
domain), ``hashlittle``.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from core.errors import RecordingError, SourceError
from recording.hdf5 import open_finished, open_growing
from recording.problems import FILE_ERRORS, describe
from recording.schema import IMAGES

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BYTES = 48
_HEAD = _SIGNATURE + bytes((3, 8, 8))
"""What the superblock of every file of ours begins with: its version, and 8 bytes for addresses and for lengths."""
_FLAGS_AT, _END_AT, _SUM_AT = 11, 28, 44
_MASK = 0xFFFFFFFF
_DAMAGE = (*FILE_ERRORS, ArithmeticError, AttributeError, LookupError, MemoryError, SystemError)
"""What h5py raises, on damaged metadata, as the damage may have it."""


def has_mark(path: Path) -> bool:
    """Return whether an HDF5 file of the recorder is marked as being written. Raises SourceError if it is none."""
    return _read_superblock(path)[_FLAGS_AT] != 0


@contextmanager
def open_without_mark(path: Path) -> Iterator[Any]:
    """Open a marked file as it will read without the mark, as an h5py.File; the file itself stays as it is.

    Raises
    ------
    SourceError
        It cannot be read, here or in the body of ``with``: it is damaged.
    """
    import h5py

    view = _View(path, _unmarked(_read_superblock(path), path.stat().st_size))
    try:
        with closing(view), h5py.File(view, "r") as file:
            yield file
    except _DAMAGE as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(describe("read", path, error)) from error


def take_mark_off(path: Path) -> None:
    """Let every program open a file again whose writer is dead. Nothing but its first 48 bytes changes.

    Raises
    ------
    SourceError
        It is damaged; it is as it was.
    RecordingError
        It cannot be written; it is as it was, or marked no more.
    """
    old = _read_superblock(path)
    if not old[_FLAGS_AT]:
        return
    expected = _count_marked(path)
    with open_without_mark(path) as file:
        if expected not in (None, found := _count(file)):
            raise SourceError(f"{path}: damaged; {found} of its {expected} images would be read without its mark")
    try:
        with path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), _unmarked(old, os.fstat(file.fileno()).st_size), 0)
            try:
                with open_finished(path) as again:
                    _count(again)
            except _DAMAGE:
                os.pwrite(file.fileno(), old, 0)
                raise
            os.fsync(file.fileno())
    except _DAMAGE as error:
        raise RecordingError(describe("write", path, error)) from error


def _count_marked(path: Path) -> int | None:
    """Return how many images are read with the mark; None where its writer had not come to be read meanwhile."""
    try:
        with open_growing(path) as file:
            return _count(file)
    except _DAMAGE:
        return None


def _count(file: Any) -> int:
    return int(file[IMAGES].shape[0]) if IMAGES in file else 0


def _read_superblock(path: Path) -> bytes:
    """Return the first 48 bytes. Raises SourceError where they are not such a superblock."""
    try:
        with path.open("rb") as file:
            block = file.read(_BYTES)
    except OSError as error:
        raise SourceError(describe("read", path, error)) from error
    if len(block) < _BYTES or not block.startswith(_HEAD) or _sum_of(block) != block[_SUM_AT:]:
        raise SourceError(f"{path}: damaged, or no HDF5 file of the recorder; restore it from a copy")
    return block


def _unmarked(block: bytes, file_bytes: int) -> bytes:
    """Return the superblock without the mark, of a file that ends where it does."""
    new = bytearray(block)
    new[_FLAGS_AT] = 0
    new[_END_AT : _END_AT + 8] = struct.pack("<Q", file_bytes)
    new[_SUM_AT:] = _sum_of(new)
    return bytes(new)


def _sum_of(block: bytes | bytearray) -> bytes:
    return struct.pack("<I", lookup3(bytes(block[:_SUM_AT])))


def lookup3(data: bytes) -> int:
    """Return the 32-bit lookup3 checksum (``hashlittle``, initial value 0) that HDF5 keeps of its metadata."""
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    if not data:
        return c
    words = list(struct.unpack(f"<{-(-len(data) // 12) * 3}I", data.ljust(-(-len(data) // 12) * 12, b"\0")))
    for at in range(0, len(words), 3):
        a, b, c = ((x + y) & _MASK for x, y in zip((a, b, c), words[at : at + 3], strict=True))
        a, b, c = _last_mix(a, b, c) if at + 3 == len(words) else _mix(a, b, c)
    return c


def _turn(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & _MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for bits in (4, 6, 8, 16, 19, 4):
        a = (a - c & _MASK) ^ _turn(c, bits)
        c = c + b & _MASK
        a, b, c = b, c, a
    return a, b, c


def _last_mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = (c ^ b) - _turn(b, bits) & _MASK
        a, b, c = b, c, a
    return c, a, b


class _View:
    """A file, read-only, that begins with other bytes than on disk; what h5py needs of a file object."""

    def __init__(self, path: Path, head: bytes) -> None:
        self._file = path.open("rb")
        self._head = head

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        at = self._file.tell()
        data = self._file.read(size)
        return self._head[at : at + len(data)] + data[max(0, len(self._head) - at) :]

    def close(self) -> None:
        self._file.close()
