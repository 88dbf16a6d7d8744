"""Rows of the tables of a session as text, and back.

One record is one line that ends with LF, whatever the text in it, so that a line cut short by a power failure is known
by its missing LF. Floats are written by ``repr`` and come back bit for bit; NaN is ``nan``; booleans are 0 and 1.
Control characters in a text become spaces (the one thing that does not come back).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from core.errors import SourceError
from recording.problems import describe
from recording.schema import PART_PREFIXES, SIDE_TABLES, FrameRow, MissingRow, SideRow, TimingRow

_SHOWN = 80
"""Most characters of what a damaged file holds that a line for a person has."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _text(value: str) -> str:
    plain = _CONTROL.sub(" ", str(value)).encode("utf-8", "backslashreplace").decode("utf-8")
    return '"' + plain.replace('"', '""') + '"' if '"' in plain or "," in plain else plain


_WRITE: dict[Any, Callable[[Any], str]] = {
    int: lambda value: str(int(value)),
    float: lambda value: repr(float(value)),
    bool: lambda value: "1" if value else "0",
    str: _text,
    tuple[float, ...]: lambda values: ",".join([repr(float(value)) for value in values]),
}


def _writers(row: type[Any]) -> tuple[Callable[[Any], str], ...]:
    hints = get_type_hints(row)
    return tuple(_WRITE[hints[field]] for field in row._fields)


_FRAME = _writers(FrameRow)
_TIMING = _writers(TimingRow)
_SIDE = {kind: _writers(kind)[: len(columns)] for kind, _, columns in SIDE_TABLES}
_PARTS = FrameRow._fields.index("parts")


def frame_line(row: Sequence[Any], n_parts: int) -> str:
    """Return a FrameRow (or a tuple of its fields) as a line.

    Raises
    ------
    ValueError
        The row has another number of parts than the header.
    """
    if len(row[_PARTS]) != n_parts:
        raise ValueError(f"frame {row[0]} has {len(row[_PARTS])} parts, the header of frames.csv {n_parts}")
    cells = [write(value) for write, value in zip(_FRAME, row, strict=True)]
    if not n_parts:
        del cells[_PARTS]
    return ",".join(cells) + "\n"


def timing_line(row: Sequence[Any]) -> str:
    """Return a TimingRow as a line."""
    return ",".join([write(value) for write, value in zip(_TIMING, row, strict=True)]) + "\n"


def side_lines(row: SideRow) -> str:
    """Return an event or an input as a line, a MissingRow as a line for each of its numbers."""
    if isinstance(row, MissingRow):
        return "".join([_side_line(row._replace(frame=row.frame + n)) for n in range(row.numbers)])
    return _side_line(row)


def _side_line(row: SideRow) -> str:
    # zip: a column for each writer; a MissingRow's ``numbers`` has none.
    return ",".join([write(value) for write, value in zip(_SIDE[type(row)], row, strict=False)]) + "\n"


def header_line(columns: Sequence[str]) -> str:
    """Return the header line of a table."""
    return ",".join(_text(column) for column in columns) + "\n"


def read_table(path: Path) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return header and cells of a CSV file written by the recorder; a last line without LF was cut short: left out.

    Raises
    ------
    SourceError
        The file is missing, has no header, or a line has another number of columns.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(describe("read", path, error)) from error
    whole = data[: data.rfind(b"\n") + 1]
    lines = whole.decode("utf-8", "replace").split("\n")[:-1]
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise SourceError(f"{path} is damaged: {error}; restore it from a copy") from error
    if not rows:
        raise SourceError(f"{path} has no header; restore it from a copy")
    header = tuple(rows[0])
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise SourceError(
                f"{path} line {number} has {len(row)} columns instead of {len(header)}; restore it from a copy"
            )
    return header, rows[1:]


def part_names(header: Sequence[str], path: Path) -> tuple[str, ...]:
    """Return the names of the parts from the header of frames.csv.

    Raises
    ------
    SourceError
        The other columns are not the ones this version writes.
    """
    before, after = FrameRow._fields[:_PARTS], FrameRow._fields[_PARTS + 1 :]
    parts = header[len(before) : len(header) - len(after)]
    if tuple(header[: len(before)]) != before or tuple(header[len(before) + len(parts) :]) != after:
        raise SourceError(
            f"{path} has the columns {shown(', '.join(header))}; expected {', '.join(FrameRow._fields)}: "
            "read it with the version that wrote it (session.json names it), or restore it from a copy"
        )
    return tuple(_without_prefix(name) for name in parts)


def _without_prefix(column: str) -> str:
    """Return a part's name; only one prefix is taken off, as the name may begin like the other."""
    return next((column[len(prefix) :] for prefix in PART_PREFIXES if column.startswith(prefix)), column)


def shown(found: object) -> str:
    """Return what a file holds as any screen takes it: one line of ASCII that is not long."""
    text = ascii(str(found)[: _SHOWN + 1])[1:-1]
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def numbers(cells: Iterator[str] | Sequence[str], kind: Callable[[str], Any], path: Path, column: str) -> list[Any]:
    """Return a column as numbers.

    Raises
    ------
    SourceError
        A cell is not a number, or a whole one of more than 64 bits.
    """
    try:
        found = [kind(cell) for cell in cells]
    except ValueError as error:
        raise SourceError(f"{path}, column {column}: {shown(error)}; restore it from a copy") from error
    if kind is int:
        for line, value in enumerate(found, start=2):
            if not -(2**63) <= value < 2**63:
                raise SourceError(
                    f"{path} line {line}, column {column}: {str(value)[:50]} is too large; restore it from a copy"
                )
    return found


def count_recorded(path: Path) -> tuple[int, int]:
    """Count rows and images that frames.csv vouches for.

    The writer flushes images before the rows that name them, so every index in the file can be read.

    Returns
    -------
    tuple of int
        Rows; images. Both 0 where the file is missing or damaged.
    """
    try:
        header, rows = read_table(path)
        column = header.index("image")
        return len(rows), 1 + max((int(row[column]) for row in rows), default=-1)
    except (SourceError, ValueError):
        return 0, 0
