"""The calibration of loudness: how much each frequency is turned down, so that all tones are equally loud at the mouse.

A speaker is never turned up, as the card cannot give more than its largest amplitude: all gains are 0 dB or less, and
the softest frequency sets the level of the others. Table files are CSV: a line ``freq_hz,gain_db``, then one row each.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError

MAX_CUT_DB = 30.0
"""Most that the loudest frequency is turned down: chosen so that one deaf spot of a speaker does not mute the rest."""
HEADER = ("freq_hz", "gain_db")


@dataclass(frozen=True, slots=True)
class GainTable:
    """Gain per frequency, interpolated in dB along the logarithm of the frequency; flat beyond both ends.

    Parameters
    ----------
    freqs_hz : tuple of float
        Hz, rising.
    gains_db : tuple of float
        dB, 0 or less.

    Raises
    ------
    InputError
        Not one gain per frequency, frequencies that do not rise or are not above 0, a gain above 0 dB or not finite.
    """

    freqs_hz: tuple[float, ...] = ()
    gains_db: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.freqs_hz) != len(self.gains_db):
            raise InputError(f"{len(self.freqs_hz)} frequencies with {len(self.gains_db)} gains; give one gain each")
        before = 0.0
        for freq, gain in zip(self.freqs_hz, self.gains_db, strict=True):
            if not (math.isfinite(freq) and freq > before):
                raise InputError(f"freq_hz {freq:g} after {before:g}: frequencies must be above 0 and rise; sort them")
            if not (math.isfinite(gain) and gain <= 0):
                raise InputError(f"gain_db {gain:g} at {freq:g} Hz would clip; give 0 dB or less")
            before = freq

    def gain(self, freq_hz: float) -> float:
        """Return the gain at ``freq_hz`` (> 0), 0 < gain <= 1."""
        if not self.freqs_hz:
            return 1.0
        gain_db = float(np.interp(math.log(freq_hz), np.log(self.freqs_hz), self.gains_db))
        return float(min(1.0, 10 ** (gain_db / 20)))

    def text(self) -> str:
        """Return the table as it is written to a file."""
        rows = (f"{freq!r},{gain:.4f}" for freq, gain in zip(self.freqs_hz, self.gains_db, strict=True))
        return "\n".join([",".join(HEADER), *rows]) + "\n"


FLAT = GainTable()
"""No calibration: every frequency as loud as the card makes it."""


def table_from_levels(
    freqs_hz: Sequence[float], levels_db: Sequence[float], max_cut_db: float = MAX_CUT_DB
) -> GainTable:
    """Return the table that makes all frequencies as loud as the softest.

    Parameters
    ----------
    freqs_hz : sequence of float
        Hz, in any order, each once.
    levels_db : sequence of float
        Level that a microphone measured at each, all played at the same amplitude; dB against anything.
    max_cut_db : float
        Most that any frequency is turned down, dB. Where that does not suffice, what is softer than the rest stays so:
        see ``unevenness_db``.

    Raises
    ------
    InputError
        No levels, not one per frequency, or one that is not finite (silence has -inf dB: nothing was heard).
    """
    if not freqs_hz or len(freqs_hz) != len(levels_db):
        raise InputError(f"{len(freqs_hz)} frequencies with {len(levels_db)} levels; measure one level each")
    for freq, level in zip(freqs_hz, levels_db, strict=True):
        if not math.isfinite(level):
            raise InputError(f"the level at {freq:g} Hz is {level:g} dB: nothing was heard; check the microphone")
    target = max(min(levels_db), max(levels_db) - max_cut_db)
    pairs = sorted(zip(freqs_hz, levels_db, strict=True))
    gains = tuple(min(0.0, target - level) for _, level in pairs)
    return GainTable(tuple(float(freq) for freq, _ in pairs), gains)


def unevenness_db(table: GainTable, freqs_hz: Iterable[float], levels_db: Iterable[float]) -> float:
    """Return how far apart the loudest and the softest of these frequencies are once ``table`` is used, dB."""
    after = [level + 20 * math.log10(table.gain(freq)) for freq, level in zip(freqs_hz, levels_db, strict=True)]
    return max(after) - min(after)


def read_table(path: Path) -> GainTable:
    """Read a table file. Raises InputError with the file, the line and the cure."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            numbered = list(enumerate(csv.reader(file), 1))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); run: rigloop calibrate speaker") from error
    rows = [(number, row) for number, row in numbered if row and not row[0].startswith("#")]
    if not rows or tuple(cell.strip() for cell in rows[0][1]) != HEADER:
        raise InputError(f"{path}: the first line must be {','.join(HEADER)}; run: rigloop calibrate speaker")
    freqs, gains = [], []
    for number, row in rows[1:]:
        try:
            freq, gain = (float(cell) for cell in row)
        except ValueError:
            raise InputError(f"{path}:{number}: {','.join(row)} is not a frequency (Hz) and a gain (dB)") from None
        freqs.append(freq)
        gains.append(gain)
    if not freqs:
        raise InputError(f"{path}: holds no gain; run: rigloop calibrate speaker")
    try:
        return GainTable(tuple(freqs), tuple(gains))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
