"""What a network of Rigloop's own hears and tastes: tones and water, as the input of cells that answer to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class SenseSettings:
    """The auditory and the reward input.

    Attributes
    ----------
    tuning_octaves : float
        Standard deviation of an auditory cell's tuning, octaves; tuning curves of auditory cortex are 0.5 to 2 octaves
        wide.
    tone_drive, water_drive : float
        Input of an auditory cell at its best frequency, and of a reward cell while water flows.
    """

    tuning_octaves: float = 0.5
    tone_drive: float = 1.0
    water_drive: float = 1.0

    def __post_init__(self) -> None:
        if not self.tuning_octaves > 0:
            raise InputError(f"senses: tuning_octaves is {self.tuning_octaves}; give more than 0")


class Senses:
    """Drives the cells that hear, each tuned to a tone, and those that taste.

    Parameters
    ----------
    settings : SenseSettings
    drive : ndarray, (cells,) float64
        Input of every cell of the network; written to.
    auditory, reward : slice
        Cells of the two inputs.
    tones_hz : (float, float)
        Lowest and highest tone, Hz; best frequencies lie evenly between them, in octaves.
    """

    def __init__(
        self,
        settings: SenseSettings,
        drive: npt.NDArray[np.float64],
        auditory: slice,
        reward: slice,
        tones_hz: tuple[float, float],
    ) -> None:
        self._settings = settings
        self._drive = drive
        self._auditory, self._reward = auditory, reward
        low, high = np.log2(tones_hz)
        self._best = np.linspace(low, high, auditory.stop - auditory.start)

    def hear(self, freq_hz: float) -> None:
        """Drive the auditory cells by their distance from the tone, octaves; 0 Hz is silence."""
        if freq_hz <= 0:
            self._drive[self._auditory] = 0.0
            return
        octaves = (np.log2(freq_hz) - self._best) / self._settings.tuning_octaves
        self._drive[self._auditory] = self._settings.tone_drive * np.exp(-0.5 * octaves**2)

    def drink(self, flows: bool) -> None:
        """Drive the reward cells while water flows."""
        self._drive[self._reward] = self._settings.water_drive if flows else 0.0
