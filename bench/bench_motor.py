"""How SIM2 moves, as a session measures it, and how fast it runs: speeds between frames at 30 frames/s, target 9.3 mm.

``>T`` is the part of the spans of time in which the speed passes T mm/s; ``still`` that of the frames whose last 5 s
have a mean speed below 8.5 mm/s. The speed of the simulation, in s of its time per s, includes limb and picture.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.report import Bar, arguments, finish, table
from insilico.limb_settings import LimbSceneSettings
from insilico.settings import Codegen
from insilico.spec import Go, MouseSpec, Shot

FRAMERATE = 30.0
SCENE = LimbSceneSettings((170.0, 105.0), (140.0, 92.0), 3.5)
THRESHOLDS = ((10, 100.0), (10, 120.0), (30, 100.0), (30, 171.0))
"""Span, s, and threshold, mm/s; the last are CLoPy's 20 px a frame at 30 frames/s and 3.5 px/mm."""

Floats = npt.NDArray[np.float64]


class Life(NamedTuple):
    """Speed of the paw between two frames, mm/s, and the seconds that were simulated in one."""

    speed: Floats
    pace: float


def live(target: str, seed: int, seconds: float) -> Life:
    """Run one mouse without tone and water."""
    import brian2 as b2

    from insilico.assemble import build_network, make_stepper
    from insilico.brian import quiet_brian
    from insilico.film import chance_from
    from insilico.limb_film import LimbFilm
    from insilico.mouse import run
    from insilico.ticks import Ticks

    spec = MouseSpec(
        "", Codegen(target), {}, (1000.0, 19_027.3), 160, 320, FRAMERATE, (0.0, 0.0), SCENE.ppmm, seed, limb=SCENE
    )
    chance = chance_from(seed)
    quiet_brian(target, chance.brian)
    living, names = build_network(spec, chance)
    points: list[Floats] = []
    begun = [0.0]
    n_frames = round(seconds * FRAMERATE)

    def meet(_shot: Shot) -> Go | None:
        if not points:
            begun[0] = time.perf_counter()
        if isinstance(stepper.film, LimbFilm):
            points.append(stepper.film.points()[0])
        return Go(None, ()) if len(points) < n_frames else None

    ticks = Ticks(float(b2.defaultclock.dt), FRAMERATE)
    stepper = make_stepper(living, spec, chance, ticks, np.zeros((160, 320, 3), np.uint8), meet)
    run(living, stepper, names)
    pace = seconds / (time.perf_counter() - begun[0])
    return Life(np.hypot(*np.diff(points, axis=0).T) / SCENE.ppmm * FRAMERATE, pace)


def passes(speed: Floats, span_s: int, threshold: float) -> float:
    """Return the part of the spans in which the speed passes a threshold; NaN if there is no whole span."""
    size = round(span_s * FRAMERATE)
    spans = speed[: len(speed) // size * size].reshape(-1, size)
    return float(np.mean(spans.max(axis=1) > threshold)) if len(spans) else np.nan


def describe(life: Life) -> dict[str, float]:
    """Return the figures of one mouse."""
    size = round(5 * FRAMERATE)
    over_5_s = np.convolve(life.speed, np.full(size, 1 / size), "valid")
    return {
        **{f"{span} s > {threshold:g}": passes(life.speed, span, threshold) for span, threshold in THRESHOLDS},
        "still": float(np.mean(over_5_s < 8.5)) if len(life.speed) > size else np.nan,
        "mean mm/s": float(life.speed.mean()),
        "highest": float(life.speed.max()),
        "pace": life.pace,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = arguments(__doc__, argv)
    seeds, seconds = (range(1, 2), 12.0) if options.quick else (range(1, 9), 180.0)
    each = {f"seed {seed}": describe(live("cython", seed, seconds)) for seed in seeds}
    columns = list(next(iter(each.values())))
    figures = {"mean": {key: float(np.mean([one[key] for one in each.values()])) for key in columns}}
    slow = live("numpy", 1, 5.0).pace
    rows = [(name, *one.values()) for name, one in (each | figures).items()]
    print(f"{len(seeds)} mice of {seconds:g} s; with the numpy target {slow:.1f} s of its time in one\n")
    print(table(("mouse", *columns), rows))
    bars = [Bar("times real time, cython", min(one["pace"] for one in each.values()), 1.0)]
    return finish("motor", options, each | figures | {"numpy": {"pace": slow}}, bars)


if __name__ == "__main__":
    sys.exit(main())
