"""One tone map, from the first frame to the last (decision 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from core.keys import Key
from helper import tone_frequencies


@dataclass(frozen=True, slots=True)
class ToneSettings:
    """The tones a mouse can hear."""

    n_tones: Annotated[int, Ge(2), Le(40), Key("", "Number of tones, a quarter octave apart.")] = 18
    start_freq: Annotated[float, Ge(20), Le(80_000), Key("Hz", "Frequency of the lowest tone (tone 0).")] = 1000.0
    tone_floor: Annotated[float, Ge(-1000), Le(1000), Key("dF/F or mm/s", "Signal at or below which tone 0 plays.")] = (
        0.0
    )
    single_freq: Annotated[
        float, Ge(20), Le(80_000), Key("Hz", "The tone of single_audio sessions, whatever the signal.")
    ] = 1000.0


class ToneMap:
    """Maps a signal to one of ``n_tones`` tones.

    Between ``tone_floor`` and the current threshold lie n-1 equal bins, which play tones 0 to n-2. At or below the
    floor plays tone 0, at or above the threshold tone n-1.
    """

    def __init__(self, settings: ToneSettings) -> None:
        self.frequencies = tone_frequencies(settings.n_tones, settings.start_freq)
        self._floor = settings.tone_floor

    def index(self, value: float, threshold: float) -> int:
        """Return the tone's number, 0..n-1.

        Raises ValueError if ``value`` is NaN, or if the threshold is not above the floor.
        """
        if math.isnan(value):
            raise ValueError("a signal of NaN has no tone; an invalid signal is silent")
        if threshold <= self._floor:
            raise ValueError(
                f"threshold {threshold} is not above tone_floor {self._floor}; raise one or lower the other"
            )
        top = len(self.frequencies) - 1
        if value >= threshold:
            return top
        if value <= self._floor:
            return 0
        return min(int((value - self._floor) / (threshold - self._floor) * top), top - 1)

    def frequency(self, value: float, threshold: float) -> float:
        """Return the tone's frequency in Hz."""
        return self.frequencies[self.index(value, threshold)]
