"""From spikes to a frame: indicator, resting fluorescence, blood, licks and microscope, in the mouse's own time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insilico.haemodynamics import Haemodynamics, HaemodynamicSettings
from insilico.indicator import Indicator
from insilico.optics import Widefield
from insilico.placing import Cells
from insilico.preparation import Tissue
from insilico.spec import MouseSpec
from insilico.spikes import Counts


@dataclass(frozen=True, slots=True)
class Chance:
    """A generator for each thing that chance decides, so that one does not disturb the other."""

    build: np.random.Generator
    place: np.random.Generator
    optics: np.random.Generator
    blood: np.random.Generator
    licks: np.random.Generator
    brian: int


def chance_from(seed: int) -> Chance:
    """Return the generators of a seed; no other part of a session draws from the same ones."""
    streams = np.random.SeedSequence([seed, _DOMAIN]).spawn(6)
    build, place, optics, blood, licks = (np.random.default_rng(stream) for stream in streams[:5])
    return Chance(build, place, optics, blood, licks, int(streams[5].generate_state(1)[0]))


_DOMAIN = 0x51A1


class Film:
    """Keeps the fluorescence of every imaged cell and turns it into frames.

    Parameters
    ----------
    tissue : Tissue
    cells : Cells
    spec : MouseSpec
    chance : Chance
    image : ndarray, (height, width, 3) uint8
        Where each frame is drawn.
    """

    def __init__(
        self, tissue: Tissue, cells: Cells, spec: MouseSpec, chance: Chance, image: npt.NDArray[np.uint8]
    ) -> None:
        self._cells = cells
        self._indicator = Indicator(tissue.indicator, cells.n)
        self._blood = Haemodynamics(HaemodynamicSettings(), chance.blood)
        self._contrast = tissue.optics.contrast
        self._since_s = 0.0
        self._rest = np.zeros(cells.n)
        self._summed = np.zeros(cells.n)
        self._summed_s = 0.0
        self._spikes = 0
        self._widefield = Widefield(
            tissue.optics, (spec.height, spec.width), cells.px, cells.region, spec.ppmm, chance.optics
        )
        self._image = image

    def step(self, spikes: Counts, dt_s: float, *, resting: bool = False) -> None:
        """Go ``dt_s`` (s) on; ``spikes`` (n,) fell into it. ``resting`` steps make the resting fluorescence."""
        self._indicator.step(spikes, dt_s)
        self._since_s += dt_s
        if resting:
            self._spikes += int(spikes.sum())
            self._summed += dt_s * self._indicator.dff()
            self._summed_s += dt_s

    def settle(self) -> None:
        """Take the mean over the resting steps as the resting fluorescence, the same for all cells of a region."""
        if self._summed_s:
            mean = np.bincount(self._cells.region, self._summed / self._summed_s) / np.bincount(self._cells.region)
            self._rest = mean[self._cells.region]
        self._since_s = 0.0

    def rest_rate_hz(self) -> float:
        """Return how often a cell fired in the resting steps, spikes/s; NaN where there were none."""
        seconds = self._summed_s * self._cells.n
        return self._spikes / seconds if seconds else math.nan

    def shoot(self) -> None:
        """Draw the frame of this moment, over the one before."""
        change = self._change()
        # What blood answers to is the dF/F of cortex, of which the cells' own is diluted by the unlabelled rest.
        level = self._blood.step(self._since_s, self._contrast * float(change.mean()))
        self._since_s = 0.0
        self._widefield.render(change, level, self._image)

    def _change(self) -> npt.NDArray[Any]:
        """Return each cell's dF/F relative to its region at rest."""
        return (self._indicator.dff() - self._rest) / (1 + self._rest)
