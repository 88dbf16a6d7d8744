"""A recorded session's rows as columns of numpy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import numpy as np
import numpy.typing as npt

from recording.schema import FrameRow, TimingRow

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

_BLOCK = 1024
"""So many rows at a time are in memory as Python's own values."""


@dataclass(frozen=True, eq=False)
class FrameTable:
    """The rows of frames.csv; field by field what ``FrameRow`` says, each (n,) but for ``parts``, (n, k)."""

    frame: Ints
    time_ns: Ints
    sensor_ns: Ints
    dropped: Ints
    image: Ints
    signal: Floats
    parts: Floats
    valid: Bools
    reason: Texts
    threshold: Floats
    freq_hz: Floats
    phase: Texts
    trial: Ints
    audio: Ints
    outcome: Ints
    water: Ints
    licks: Ints

    def __len__(self) -> int:
        return len(self.frame)

    def rows(self) -> Iterator[FrameRow]:
        """Yield the rows as they were given to the recorder, but for ``image``, which the writer sets."""
        columns = [getattr(self, field.name) for field in fields(self)]
        for start in range(0, len(self), _BLOCK):
            for cells in zip(*[column[start : start + _BLOCK].tolist() for column in columns], strict=True):
                row = FrameRow(*cells)
                yield row._replace(parts=tuple(row.parts))


@dataclass(frozen=True, eq=False)
class TimingTable:
    """The rows of timing.csv, each column (n,) int64; host monotonic clock, ns."""

    frame: Ints
    read_ns: Ints
    signal_ns: Ints
    decision_ns: Ints
    command_ns: Ints

    def __len__(self) -> int:
        return len(self.frame)

    def rows(self) -> Iterator[TimingRow]:
        """Yield the rows as they were given to the recorder."""
        for cells in zip(*[getattr(self, field.name).tolist() for field in fields(self)], strict=True):
            yield TimingRow(*cells)


def integers(values: Any) -> Ints:
    """Return values as (n,) int64. Raises ValueError for one that has more than 64 bits, or is infinite."""
    try:
        return np.array(values, dtype=np.int64).reshape(-1)
    except OverflowError:
        raise ValueError("a number has more than 64 bits") from None


def floats(values: Any) -> Floats:
    """Return values as (n,) float64."""
    return np.array(values, dtype=np.float64).reshape(-1)


def texts(values: list[str]) -> Texts:
    """Return values as (n,) object; object, as a text of any length must come back whole."""
    column: Texts = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def no_frames() -> FrameTable:
    """Return a table without rows and parts."""
    columns: dict[str, Any] = {}
    for name, kind in get_type_hints(FrameRow).items():
        columns[name] = texts([]) if kind is str else floats([]) if kind is float else integers([])
    columns["valid"] = np.empty(0, np.bool_)
    columns["parts"] = np.empty((0, 0), np.float64)
    return FrameTable(**columns)


def no_timing() -> TimingTable:
    """Return a table without rows, for sessions that recorded no host times."""
    return TimingTable(*(integers([]) for _ in TimingRow._fields))
