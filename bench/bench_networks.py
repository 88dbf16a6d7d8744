"""What the shipped networks do, without a camera: rates, irregularity, variability, and how fast they run.

Of excitatory cells, over the seconds after the first: mean rate; coefficient of variation of the intervals (cells with
6 spikes or more); Fano factor of the counts in windows of 100 ms (cells with a spike in 2 s); the mean over cells, and
over networks of different seeds. ``uniform`` is the clustered network without its clusters; ``whole`` has the number of
cells that was published.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.report import Bar, arguments, finish, table

REGIONS = {"M1_L": (0.64181, -1.8603)}
TONES_HZ = (1000.0, 19027.3)
FIRST_S = 1.0
WINDOW_S = 0.1

Build = Callable[[Any], Any]
Floats = npt.NDArray[np.float64]


def networks() -> dict[str, Build]:
    """Return what is measured, by name."""
    from insilico import cortex
    from insilico.networks import clustered, eif_pair

    uniform = clustered.ClusteredSettings(ratio=1.0, strength=1.0)
    whole = clustered.ClusteredSettings(clusters=50, cluster_size=80)
    return {
        "SIM1": cortex.build,
        "EIF pair": eif_pair.build,
        "clustered": clustered.build,
        "uniform": lambda preparation: clustered.build(preparation, uniform),
        "whole": lambda preparation: clustered.build(preparation, whole),
    }


def run(build: Build, names: dict[str, Any], seed: int, seconds: float) -> tuple[float, list[Floats]]:
    """Build and run a network; return simulated s per s of wall time, and the spike times of each imaged cell, s."""
    import brian2 as b2

    from insilico.preparation import Preparation

    b2.seed(seed)
    tissue = build(Preparation(REGIONS, TONES_HZ, np.random.default_rng(seed)))
    groups = {id(group): group for group in (getattr(part, "source", part) for part in tissue.imaged.values())}
    [group] = groups.values()
    monitor = b2.SpikeMonitor(group)
    tissue.network.add(monitor)
    tissue.network.run(FIRST_S * b2.second, namespace=names)
    begun = time.perf_counter()
    tissue.network.run(seconds * b2.second, namespace=names)
    speed = seconds / (time.perf_counter() - begun)
    cells = np.concatenate([getattr(part, "start", 0) + np.arange(len(part)) for part in tissue.imaged.values()])
    cell, at = np.asarray(monitor.i), np.asarray(monitor.t)
    late = at >= FIRST_S
    order = np.lexsort((at[late], cell[late]))
    trains = np.split(at[late][order], np.searchsorted(cell[late][order], np.arange(1, len(group))))
    return speed, [trains[i] - FIRST_S for i in cells]


def describe(trains: Sequence[Floats], seconds: float) -> dict[str, float]:
    """Return rate (1/s), CV of the intervals and Fano factor, each a mean over cells."""
    edges = np.arange(round(seconds / WINDOW_S) + 1) * WINDOW_S
    counts = [np.histogram(train, edges)[0] for train in trains]
    intervals = [np.diff(train) for train in trains if len(train) >= 6]
    return {
        "rate": float(np.mean([len(train) for train in trains])) / seconds,
        "cv": float(np.mean([each.std(ddof=1) / each.mean() for each in intervals])) if intervals else np.nan,
        "fano": float(np.mean([c.var(ddof=1) / c.mean() for c in counts if c.sum() >= seconds / 2] or [np.nan])),
    }


def measure(target: str, seeds: Sequence[int], seconds: float) -> dict[str, dict[str, float]]:
    """Return the figures of each network: means over seeds, the smallest speed."""
    import brian2 as b2

    from insilico import cortex
    from insilico.networks import eif_pair

    b2.prefs.codegen.target = target
    names = {"EIF pair": vars(eif_pair), "SIM1": vars(cortex)}
    figures = {}
    for name, build in networks().items():
        runs = [run(build, dict(names.get(name, {})), seed, seconds) for seed in seeds]
        each = [describe(trains, seconds) for _, trains in runs]
        figures[name] = {key: float(np.mean([one[key] for one in each])) for key in each[0]}
        figures[name]["fano_min"] = min(one["fano"] for one in each)
        figures[name]["fano_max"] = max(one["fano"] for one in each)
        figures[name]["speed"] = min(speed for speed, _ in runs)
    return figures


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = arguments(__doc__, argv)
    seeds, seconds = (range(1, 2), 2.0) if options.quick else (range(1, 7), 20.0)
    figures = measure("cython", seeds, seconds)
    slow = measure("numpy", seeds[:1], 2.0)
    rows = [
        (
            name,
            f["rate"],
            f["cv"],
            f["fano"],
            f"{f['fano_min']:.2f}-{f['fano_max']:.2f}",
            f["speed"],
            slow[name]["speed"],
        )
        for name, f in figures.items()
    ]
    print(f"{len(seeds)} networks of {seconds:g} s each; speed in simulated s per s of wall time, the slowest\n")
    print(table(("network", "rate 1/s", "CV", "Fano", "of each", "cython", "numpy"), rows))
    bars = [
        Bar("clustered: Fano factor", figures["clustered"]["fano"], 1.0),
        Bar("uniform: Fano factor", figures["uniform"]["fano"], 1.0, at_least=False),
        *(Bar(f"{name}: times real time, cython", figures[name]["speed"], 1.0) for name in figures),
    ]
    return finish("networks", options, figures | {"numpy": slow}, bars)


if __name__ == "__main__":
    sys.exit(main())
