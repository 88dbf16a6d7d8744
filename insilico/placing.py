"""Where the imaged cells lie: each region's cells evenly over a disc around its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insilico.preparation import Place
from insilico.spec import MouseSpec

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


@dataclass(frozen=True, slots=True)
class Cells:
    """Imaged cells in the image.

    Attributes
    ----------
    px : ndarray, (n, 2) float64
        Row and column of each cell.
    region : ndarray, (n,) int32
        Number of its region.
    """

    px: npt.NDArray[np.float64]
    region: npt.NDArray[np.int32]

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.region)


def place_cells(
    places: Sequence[Place], sizes: Sequence[int], radius_mm: float, spec: MouseSpec, rng: np.random.Generator
) -> Cells:
    """Spread ``sizes[i]`` cells around ``places[i]`` (AP, ML in mm), as the seeds of a sunflower; turned by chance."""
    px, region = [], []
    for number, ((ap, ml), size) in enumerate(zip(places, sizes, strict=True)):
        index = np.arange(size)
        angle = GOLDEN_ANGLE * index + rng.uniform(0, 2 * math.pi)
        radius = radius_mm * np.sqrt((index + 0.5) / size)
        rows = spec.bregma[0] - spec.ppmm * (ap + radius * np.cos(angle))
        cols = spec.bregma[1] + spec.ppmm * (ml + radius * np.sin(angle))
        px.append(np.column_stack([rows, cols]))
        region.append(np.full(size, number, np.int32))
    return Cells(np.concatenate(px), np.concatenate(region))
