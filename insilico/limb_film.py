"""From spikes to a frame of a mouse that moves: muscles, limb and picture, in the mouse's own time."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from insilico.film import Chance
from insilico.limb import Limb
from insilico.limb_scene import LimbScene
from insilico.limb_settings import LimbSceneSettings, Paws, leaning
from insilico.preparation import Body
from insilico.spikes import Counts


class LimbFilm:
    """Moves the left forelimb of a body by its spikes, and draws the mouse.

    Parameters
    ----------
    body : Body
    scene : LimbSceneSettings
    chance : Chance
    image : ndarray, (height, width, 3) uint8
        Where each frame is drawn.

    Raises
    ------
    InputError
        The scene does not fit the frame.
    """

    def __init__(self, body: Body, scene: LimbSceneSettings, chance: Chance, image: npt.NDArray[np.uint8]) -> None:
        sizes = {name: len(group) for name, group in body.muscles.items()}
        edges = [0, *np.cumsum(list(sizes.values())).tolist()]
        self._parts = {name: slice(*edge) for name, edge in zip(sizes, pairwise(edges), strict=True)}
        self._cells = edges[-1]
        self._limb = Limb(body.limb, sizes)
        height, width = image.shape[:2]
        self._scene = LimbScene(scene, height, width, chance.place)
        self._noise = chance.optics
        self._image = image
        self._spikes = 0
        self._resting_s = 0.0

    def step(self, spikes: Counts, dt_s: float, *, resting: bool = False) -> None:
        """Go ``dt_s`` (s) on; ``spikes`` (n,) of the muscles' cells fell into it."""
        counts = {name: int(spikes[part].sum()) for name, part in self._parts.items()}
        self._limb.step(counts, dt_s)
        if resting:
            self._spikes += sum(counts.values())
            self._resting_s += dt_s

    def settle(self) -> None:
        """Do nothing: a limb has no level at rest that would have to be found."""

    def rest_rate_hz(self) -> float:
        """Return how often a muscle's cell fired in the resting steps, spikes/s; NaN where there were none."""
        seconds = self._resting_s * self._cells
        return self._spikes / seconds if seconds else math.nan

    def paws(self) -> Paws:
        """Return where the paws are, mm from their places of rest."""
        far = self._scene.geometry.reach_mm
        along, across = self._limb.place
        return leaning(self._scene.geometry.along(along * far, across * far))

    def points(self) -> npt.NDArray[np.float64]:
        """Return column and row of each body part, (3, 2) float64 px: the truth, which no session is told."""
        return self._scene.geometry.points(self.paws())

    def shoot(self) -> None:
        """Draw the frame of this moment, over the one before."""
        self._scene.render(self.paws(), self._noise, self._image)
