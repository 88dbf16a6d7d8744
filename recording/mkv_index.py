"""How many frames of a Matroska video are whole in the file, read off its structure without decoding it.

The headers of a file whose writer was killed tell nothing of its length, and a decoder makes a picture even of a frame
whose end is missing. The blocks tell: each has its size. Source: RFC 8794 (EBML) and RFC 9559 (Matroska).
"""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import SourceError
from recording.problems import describe

_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_FRAMES = frozenset({0xA3, 0xA0})  # SimpleBlock, BlockGroup
_EBML = 0x1A45DFA3
_HEAD = 12  # longest identifier and size, bytes


def whole_frames(path: Path) -> int:
    """Return how many frames from the first on are whole in a Matroska file with one track.

    Raises
    ------
    SourceError
        It cannot be read, or is no Matroska file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _Walk(handle).count(path)
        finally:
            os.close(handle)
    except OSError as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(describe("read", path, error)) from error


class _Walk:
    """A walk through the elements of a file."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._size = os.fstat(handle).st_size

    def count(self, path: Path) -> int:
        """Count the blocks in the whole clusters."""
        first = self._element(0)
        if first is None or first[0] != _EBML:
            raise SourceError(f"{path} is no Matroska video, or is damaged; restore it from a copy")
        frames = 0
        at = first[2]
        while (element := self._element(at)) is not None:
            kind, begin, end = element
            if kind == _SEGMENT:
                at = begin
                continue
            if end > self._size:
                break
            if kind == _CLUSTER:
                frames += self._blocks(begin, end)
            at = end
        return frames

    def _blocks(self, at: int, end: int) -> int:
        blocks = 0
        while at < end and (element := self._element(at)) is not None:
            blocks += element[0] in _FRAMES
            at = element[2]
        return blocks

    def _element(self, at: int) -> tuple[int, int, int] | None:
        """Return identifier, begin and end of the content of the element at ``at``; None where there is no more."""
        head = os.pread(self._handle, _HEAD, at)
        if not head or not head[0]:
            return None
        id_length = 9 - head[0].bit_length()
        if len(head) <= id_length or not head[id_length]:
            return None
        size_length = 9 - head[id_length].bit_length()
        begin = id_length + size_length
        if id_length > 4 or len(head) < begin:
            return None
        size = int.from_bytes(head[id_length:begin], "big") - (1 << 7 * size_length)
        if size == (1 << 7 * size_length) - 1:  # not known: as far as the file goes
            size = self._size - at - begin
        return int.from_bytes(head[:id_length], "big"), at + begin, at + begin + size
