"""A mouse's weights: ``data_root/MOUSE/weights.csv``, a row per weighing, and what the newest one means."""

from __future__ import annotations

import csv
import errno
import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from core.errors import InputError, RecordingError
from recording.problems import describe

WEIGHTS_CSV = "weights.csv"
COLUMNS = ("time", "grams", "note")
LEAST_SHARE = 0.85
"""Below this share of its weight before restriction a mouse is told of; 85 % is the usual limit of animal protocols
under water restriction."""
GRAMS = (5.0, 2000.0)
"""A weight outside is a slip: a weaned mouse has more, and no rat as much."""


class Weight(NamedTuple):
    """One weighing.

    Attributes
    ----------
    time : str
        Local ISO time.
    grams : float
    note : str
    """

    time: str
    grams: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class WeightReport:
    """What a weighing means beside those before it.

    Attributes
    ----------
    now : Weight
    last : Weight or None
        The weighing before it.
    baseline_g : float
        The weight it is compared with, g.
    first : bool
        Whether the baseline is the mouse's first weighing, not a weight that was configured.
    """

    now: Weight
    last: Weight | None
    baseline_g: float
    first: bool

    @property
    def share(self) -> float:
        """Return the weight as a share of the baseline."""
        return self.now.grams / self.baseline_g

    def text(self) -> list[str]:
        """Return it as lines for a person."""
        change = (
            "first weighing"
            if self.last is None
            else f"{self.now.grams - self.last.grams:+.2f} g since {self.last.time} ({self.last.grams:g} g)"
        )
        whose = "its first weighing" if self.first else "baseline_weight_g"
        return [
            f"weight      {self.now.grams:g} g at {self.now.time}; {change}",
            f"baseline    {100 * self.share:.1f} % of {self.baseline_g:g} g ({whose})",
        ]

    def warning(self) -> str:
        """Return what must be done about a mouse that is too light; empty where it is not."""
        if self.share >= LEAST_SHARE:
            return ""
        return (
            f"{self.now.grams:g} g is {100 * self.share:.1f} % of the baseline ({self.baseline_g:g} g), below "
            f"{100 * LEAST_SHARE:.0f} %; give water now, and follow your animal protocol"
        )


def check_grams(grams: float) -> None:
    """Raise InputError for what no mouse weighs."""
    low, high = GRAMS
    if not low <= grams <= high:
        raise InputError(f"a weight of {grams:g} g is none of a mouse; give grams, {low:g} to {high:g}")


def check_baseline(grams: float) -> None:
    """Raise InputError for a baseline that no mouse has; 0 stands for its first weighing."""
    low, high = GRAMS
    if grams and not low <= grams <= high:
        raise InputError(
            f"baseline_weight_g {grams:g} is no weight of a mouse; give {low:g} to {high:g} g, or 0 for its first "
            "weighing"
        )


def read_weights(folder: Path) -> tuple[Weight, ...]:
    """Return the weighings in a mouse's folder, oldest first; none where there is no file.

    A last row that a power failure cut short is none, as in the ledger of water. Raises InputError for what is no
    weighing, RecordingError where the file cannot be read.
    """
    return read_weights_file(folder / WEIGHTS_CSV)


def read_weights_file(path: Path) -> tuple[Weight, ...]:
    """Return the weighings in a file, as ``read_weights`` does."""
    try:
        content = path.read_bytes()
        text = (content if _is_whole(content) else content[: _lines_end(content)]).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read (not a text); restore it from a copy") from error
    except OSError as error:
        raise RecordingError(describe("read", path, error)) from error
    rows = csv.reader(io.StringIO(text))
    return tuple(_row(path, line, row) for line, row in enumerate(rows, 1) if line > 1 and row)


def _row(path: Path, line: int, row: list[str]) -> Weight:
    try:
        weight = Weight(row[0], float(row[1]), row[2] if len(row) > 2 else "")
    except (IndexError, ValueError):
        weight = Weight("", math.nan)
    low, high = GRAMS
    if not low <= weight.grams <= high:
        raise InputError(
            f"{path}:{line}: {','.join(row)[:80]!r} is no weighing ({','.join(COLUMNS)}; {low:g} to {high:g} g); "
            "correct the line"
        )
    return weight


def append_weight(folder: Path, weight: Weight) -> None:
    """Add a weighing, whole or not at all; it is on disk on return. Raises RecordingError."""
    path = folder / WEIGHTS_CSV
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            _append(path, file, weight)
        finally:
            os.close(file)
    except OSError as error:
        raise RecordingError(describe("write", path, error)) from error


def _append(path: Path, file: int, weight: Weight) -> None:
    """Add the row to the open file, in place of one that was cut short. Raises OSError, with the file as it was."""
    content = path.read_bytes()
    whole = _is_whole(content)
    end = len(content) if whole else _lines_end(content)
    text = io.StringIO()
    if whole and content[-1:] not in (b"\n", b"\r"):
        text.write("\n")
    writer = csv.writer(text, lineterminator="\n")
    if not end:
        writer.writerow(COLUMNS)
    writer.writerow([weight.time, f"{weight.grams:g}", " ".join(weight.note.split())])
    row = text.getvalue().encode("utf-8", "backslashreplace")
    os.ftruncate(file, end)
    try:
        if os.write(file, row) != len(row):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file)
    except OSError:
        os.ftruncate(file, end)
        if not end:
            path.unlink()
        raise


def _lines_end(content: bytes) -> int:
    """Return where the last line that has its end ends."""
    return max(content.rfind(b"\n"), content.rfind(b"\r")) + 1


def _is_whole(content: bytes) -> bool:
    """Whether the last line has its end, or lacks nothing but that: the comma behind the grams, and shut quotes."""
    last = content[_lines_end(content) :].decode("utf-8", "replace")
    cut = last.count(",") < len(COLUMNS) - 1 or last.count('"') % 2 == 1 or last.endswith("\ufffd")
    return bool(content) and not (last and cut)


def report_weight(before: tuple[Weight, ...], now: Weight, baseline_g: float) -> WeightReport:
    """Set a weighing beside those before it; ``baseline_g`` 0 stands for the first of them (or this one)."""
    first = not baseline_g
    return WeightReport(now, before[-1] if before else None, baseline_g or (*before, now)[0].grams, first)
