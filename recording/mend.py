"""Mends what a kill or a power failure may leave at the end of a session's tables. Each file stays whole at any moment.

Nothing that can be read is lost: a line that was cut short is left out by every reader, and so is an image that a row
names and the file has not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from core.errors import RecordingError, SourceError
from recording.csvrows import header_line
from recording.folder import replace_bytes
from recording.problems import describe
from recording.schema import FRAMES_CSV, SIDE_TABLES, TIMING_COLUMNS, TIMING_CSV, FrameRow, frame_columns

TABLES = (FRAMES_CSV, TIMING_CSV, *(name for _, name, _ in SIDE_TABLES))
_SIDE_COLUMNS = {TIMING_CSV: TIMING_COLUMNS, **{name: columns for _, name, columns in SIDE_TABLES}}
_IMAGE_AT = FrameRow._fields.index("image")
_BLOCK = 1 << 16


def is_begun(path: Path) -> bool:
    """Return whether a table has its header. Raises SourceError where it cannot be read."""
    try:
        return path.is_file() and _whole_bytes(path) > 0
    except RecordingError as error:
        raise SourceError(str(error)) from error


def lacking(folder: Path) -> tuple[str, ...]:
    """Return the tables that have no header: not there, or begun only.

    Raises
    ------
    SourceError
        One holds something else than the beginning of its header, such as the zeros that a broken disk may leave.
    """
    lacks = []
    for name, columns in {**_SIDE_COLUMNS, FRAMES_CSV: FrameRow._fields[: FrameRow._fields.index("parts")]}.items():
        path = folder / name
        if is_begun(path):
            continue
        lacks.append(name)
        header = ",".join(columns).encode()
        if (left := _first_bytes(path, len(header))) and not header.startswith(left):
            cure = "" if name == FRAMES_CSV else ", or move it away to go on without it"
            raise SourceError(f"{path} holds something else than a table; restore it from a copy{cure}")
    return tuple(lacks)


def begin_tables(folder: Path, names: Sequence[str], part_names: tuple[str, ...], part_prefix: str) -> None:
    """Give a session these tables, which it has not, with their headers alone. Raises RecordingError."""
    headers = {FRAMES_CSV: frame_columns(part_names, part_prefix), **_SIDE_COLUMNS}
    for name in names:
        replace_bytes(folder / name, header_line(headers[name]).encode(), sync=True)


def cut_half_line(path: Path) -> int:
    """Cut off a last line that has no end; return how many bytes. Raises RecordingError, the file being as it was."""
    whole = _whole_bytes(path)
    try:
        half = path.stat().st_size - whole
        if half:
            with path.open("r+b") as file:
                file.truncate(whole)
                os.fsync(file.fileno())
    except OSError as error:
        raise RecordingError(describe("write", path, error)) from error
    return half


def forget_images(frames_csv: Path, images: int) -> int:
    """Write -1 into the rows of frames.csv whose image is none of the first ``images``; return how many they are.

    Raises RecordingError, the file being as it was.
    """
    try:
        lines = frames_csv.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise RecordingError(describe("read", frames_csv, error)) from error
    changed = 0
    for number, line in enumerate(lines[1:], start=1):
        cells = line.split(b",", _IMAGE_AT + 1)
        if int(cells[_IMAGE_AT]) >= images:
            cells[_IMAGE_AT] = b"-1"
            lines[number] = b",".join(cells)
            changed += 1
    if changed:
        replace_bytes(frames_csv, b"".join(lines), sync=True)
    return changed


def _first_bytes(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise SourceError(describe("read", path, error)) from error


def _whole_bytes(path: Path) -> int:
    """Return how many bytes there are up to the end of the last line that has one."""
    try:
        with path.open("rb") as file:
            at = file.seek(0, os.SEEK_END)
            while at > 0:
                begin = max(0, at - _BLOCK)
                file.seek(begin)
                found = file.read(at - begin).rfind(b"\n")
                if found >= 0:
                    return begin + found + 1
                at = begin
    except OSError as error:
        raise RecordingError(describe("read", path, error)) from error
    return 0
