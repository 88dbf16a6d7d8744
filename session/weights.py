"""A mouse's weights: ``data_root/MOUSE/weights.csv``, a row per weighing, and what the newest one means."""

from __future__ import annotations

import csv
import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from core.errors import InputError, RecordingError

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


def read_weights(folder: Path) -> tuple[Weight, ...]:
    """Return the weighings in a mouse's folder, oldest first; none where there is no file. Raises InputError."""
    path = folder / WEIGHTS_CSV
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text"
        raise InputError(f"{path}: cannot be read ({why}); restore it from a copy") from error
    return tuple(_row(path, line, row) for line, row in enumerate(csv.reader(io.StringIO(text)), 1) if line > 1 and row)


def _row(path: Path, line: int, row: list[str]) -> Weight:
    try:
        weight = Weight(row[0], float(row[1]), row[2] if len(row) > 2 else "")
    except (IndexError, ValueError):
        weight = Weight("", math.nan)
    if not 0 < weight.grams < math.inf:
        raise InputError(
            f"{path}:{line}: {','.join(row)[:80]!r} is no weighing ({','.join(COLUMNS)}); correct the line"
        )
    return weight


def append_weight(folder: Path, weight: Weight) -> None:
    """Add a weighing; it is on disk on return. Raises RecordingError."""
    path = folder / WEIGHTS_CSV
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            if file.tell() == 0:
                writer.writerow(COLUMNS)
            elif _cut_short(path):
                # A power failure cut the last line short; it must not swallow this one.
                text.write("\n")
            writer.writerow([weight.time, f"{weight.grams:g}", " ".join(weight.note.split())])
            file.write(text.getvalue().encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot be written ({error.strerror}); make the folder writable, or choose another data_root"
        ) from error


def _cut_short(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def report_weight(before: tuple[Weight, ...], now: Weight, baseline_g: float) -> WeightReport:
    """Set a weighing beside those before it; ``baseline_g`` 0 stands for the first of them (or this one)."""
    first = not baseline_g
    return WeightReport(now, before[-1] if before else None, baseline_g or (*before, now)[0].grams, first)
