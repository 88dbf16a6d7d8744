"""What a session sees of SIM1: size, correlations and crossings of its dF/F, without tone and without water."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.bench_mouse import FRAMERATE, spec_of
from bench.report import Bar, arguments, finish, table
from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from brain.settings import DffSettings
from core.clock import MonotonicClock
from core.outputs import Openings
from helper import Position, mm_to_px
from insilico.cortex import regions_of
from insilico.plant import Plant
from insilico.preparation import Place
from roi_manager import Rect

ROI_MM = 0.3
THRESHOLDS = (0.02, 0.05, 0.1)
TIMEOUT_S = 60.0


def dff_of(regions: dict[str, Place], seed: int, seconds: float) -> npt.NDArray[np.float64]:
    """Return the dF/F of each region, (frames, regions), green minus blue with 6 s of history; warm-up left out."""
    spec = replace(spec_of("auto"), regions=regions, seed=seed)
    side = mm_to_px(ROI_MM, spec.ppmm)
    rois = {}
    for name, (ap, ml) in regions.items():
        centre = Position(spec.bregma[0] - spec.ppmm * ap, spec.bregma[1] + spec.ppmm * ml)
        rois[name] = Rect.around(centre, side, side)
    shape = (spec.height, spec.width, 3)
    pipeline = BrainPipeline(parse_rule("+".join(rois)), rois, DffSettings(), FRAMERATE, shape, "uint8")
    plant = Plant(spec, Openings(1.0, 0.0, 60.0), MonotonicClock())
    rows = []
    try:
        plant.start()
        for _ in range(round(seconds * FRAMERATE)):
            signal = pipeline.update(plant.read(TIMEOUT_S))
            if signal.valid:
                rows.append(signal.parts)
    finally:
        plant.close()
    return np.array(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = arguments(__doc__, argv)
    seeds, seconds = (range(1), 60.0) if options.quick else (range(4), 240.0)
    regions = regions_of({"M1_L": (0.64181, -1.8603)})
    names = list(regions)
    runs = [dff_of(regions, seed, seconds) for seed in seeds]
    rows: list[tuple[Any, ...]] = []
    for k, name in enumerate(names):
        own = [run[:, k] for run in runs]
        crossings = [sum(_crossings(values, at) for values in own) for at in THRESHOLDS]
        minutes = sum(len(values) for values in own) / FRAMERATE / 60
        deviation = float(np.mean([values.std() for values in own]))
        rows.append((name, 100 * deviation, 100 * max(map(np.max, own)), *(n / minutes for n in crossings)))
    print(f"SIM1, {len(runs)} mice of {seconds:g} s: dF/F in %, and crossings per minute\n")
    print(table(("region", "SD", "highest", *(f"of {at:.0%}" for at in THRESHOLDS)), rows))
    figures = _correlations(names, regions, runs) | {"SD": float(np.mean([row[1] for row in rows]))}
    print("\n" + table(("mean over mice", ""), list(figures.items())))
    highest = float(np.median([row[2] for row in rows]))
    bars = [Bar("highest dF/F of a region, %", highest, 5), Bar("the same", highest, 12, at_least=False)]
    return finish("cortex", options, figures, bars)


def _crossings(values: npt.NDArray[Any], at: float) -> int:
    above = values >= at
    return int(np.count_nonzero(above[1:] & ~above[:-1]))


def _correlations(names: list[str], regions: dict[str, Place], runs: Sequence[npt.NDArray[Any]]) -> dict[str, float]:
    """Return mean correlations: with the mirrored region, and with the others of one side, near and far."""
    matrix = np.mean([np.corrcoef(run.T) for run in runs], axis=0)
    groups: dict[str, list[float]] = {"left and right": [], "one side, below 2 mm": [], "one side, above 2 mm": []}
    for i, one in enumerate(names):
        for j in range(i):
            (ap, ml), (ap_other, ml_other) = regions[one], regions[names[j]]
            if one[:-2] == names[j][:-2]:
                groups["left and right"].append(matrix[i, j])
            elif ml * ml_other > 0:
                near = np.hypot(ap - ap_other, ml - ml_other) < 2
                groups[f"one side, {'below' if near else 'above'} 2 mm"].append(matrix[i, j])
    return {f"correlation, {name}": float(np.mean(values)) for name, values in groups.items()}


if __name__ == "__main__":
    sys.exit(main())
