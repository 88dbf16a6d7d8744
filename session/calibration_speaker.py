"""A rig's loudness: levels measured at each tone, and the gains that make them equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hardware.loudness import FLAT, GainTable, table_from_levels, unevenness_db
from session.calibration_files import calibration_folder, load

SPEAKER_JSON = "speaker.json"


@dataclass(frozen=True, slots=True)
class SpeakerCalibration:
    """What was measured, and what came of it.

    Attributes
    ----------
    date, rig : str
        Local ISO time; name.
    loudness : float
        Amplitude that the tones were played with, 1 = the card's largest.
    freqs_hz, levels_db : tuple of float
        As measured; dB against anything.
    gains_db : tuple of float
        0 or less, one per frequency.
    before_db, after_db : float
        How far the loudest and the softest tone are apart without and with the gains, dB.
    """

    date: str
    rig: str
    loudness: float
    freqs_hz: tuple[float, ...]
    levels_db: tuple[float, ...]
    gains_db: tuple[float, ...]
    before_db: float
    after_db: float

    def text(self) -> list[str]:
        """Return it as lines for a person."""
        rows = zip(self.freqs_hz, self.levels_db, self.gains_db, strict=True)
        return [
            *(f"{freq:8.1f} Hz  {level:7.2f} dB  gain {gain:+7.2f} dB" for freq, level, gain in rows),
            f"uneven by   {self.before_db:.1f} dB without, {self.after_db:.1f} dB with the gains",
        ]


def speaker_path(config_path: Path, rig: str) -> Path:
    """Return where a rig's loudness is stored."""
    return calibration_folder(config_path, rig) / SPEAKER_JSON


def fit_speaker(
    freqs_hz: Sequence[float], levels_db: Sequence[float], rig: str, loudness: float, date: str
) -> SpeakerCalibration:
    """Return the calibration of levels. Raises InputError as ``hardware.loudness.table_from_levels``."""
    table = table_from_levels(freqs_hz, levels_db)
    pairs = sorted(zip(freqs_hz, levels_db, strict=True))
    return SpeakerCalibration(
        date=date,
        rig=rig,
        loudness=loudness,
        freqs_hz=table.freqs_hz,
        levels_db=tuple(float(level) for _, level in pairs),
        gains_db=table.gains_db,
        before_db=max(levels_db) - min(levels_db),
        after_db=unevenness_db(table, freqs_hz, levels_db),
    )


def speaker_gains(config_path: Path, rig: str) -> GainTable:
    """Return the gains a rig's speaker is to be given; flat where it was never calibrated. Raises InputError."""
    try:
        found = load(speaker_path(config_path, rig), SpeakerCalibration)
    except FileNotFoundError:
        return FLAT
    return GainTable(found.freqs_hz, found.gains_db)
