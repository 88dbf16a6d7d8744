"""Error of the field-of-view check: pictures of a simulated cortex, shifted and turned by known amounts.

Each picture is compared with that of the mouse's first day (the mean of 30 images), at shifts of up to 20 px along each
side and rotations of up to 5 deg, in 256x256 px of 10 mm of cortex, and with the first day of other mice.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from bench.cortex_views import FIRST_DAY, Cortex, Day, Grey
from bench.report import Bar, arguments, finish, side_by_side, table
from brain.field_of_view import SMALLEST_MATCH, compare_views

MAX_PX, MAX_DEG = 20.0, 5.0
DAYS: Mapping[str, Day] = {
    "as on the first day": Day(),
    "one image": Day(images=1),
    "light x 1.8": Day(gain=1.8),
    "light x 0.15": Day(gain=0.15),
    "light from one side": Day(tilt=0.3),
    "blood + 6 %": Day(blood=0.06),
    "out of focus": Day(blur_px=1.5),
    "a third of expression": Day(expression=0.33, widening=1.15),
    "all of it at once": Day(0.5, 0.3, -0.05, 0.33, 1.15, 1.0, 1),
}


def measure(mice: int, tries: int) -> dict[str, dict[str, float]]:
    """Return the errors by day, and the matches of mice with one another."""
    rng = np.random.default_rng(7)
    cortices = [Cortex(seed) for seed in range(mice)]
    firsts = [cortex.snap((0.0, 0.0), 0.0, FIRST_DAY, rng) for cortex in cortices]
    figures = {name: _errors(cortices, firsts, day, tries, rng) for name, day in DAYS.items()}
    todays = [cortex.snap((3.0, -2.0), 1.0, Day(), rng) for cortex in cortices]
    pairs = itertools.permutations(range(mice), 2)
    others = [compare_views(firsts[one], todays[other]).match for one, other in pairs]
    figures["other mice"] = {"match_max": max(others)}
    taken = side_by_side({"compare": lambda: compare_views(firsts[0], todays[0])}, 10)["compare"]
    figures["time"] = {"ms": float(np.median(taken)) / 1e3}
    return figures


def _errors(
    cortices: Sequence[Cortex], firsts: Sequence[Grey], day: Day, tries: int, rng: np.random.Generator
) -> dict[str, float]:
    px, deg, match = [], [], []
    for cortex, first in zip(cortices, firsts, strict=True):
        for _ in range(tries):
            x, y, turn = (rng.uniform(-1, 1, 3) * (MAX_PX, MAX_PX, MAX_DEG)).tolist()
            view = compare_views(first, cortex.snap((x, y), turn, day, rng))
            px.append(math.hypot(view.shift_px[0] - x, view.shift_px[1] - y))
            deg.append(abs(view.rotation_deg - turn))
            match.append(view.match)
    return {
        "px_median": float(np.median(px)),
        "px_max": max(px),
        "deg_median": float(np.median(deg)),
        "deg_max": max(deg),
        "match_min": min(match),
    }


def make_bars(figures: Mapping[str, Mapping[str, float]]) -> list[Bar]:
    """Return what was promised, and what was measured."""
    days = [figures[name] for name in DAYS]
    return [
        Bar("largest error of the shift, px", max(day["px_max"] for day in days), 0.5, at_least=False),
        Bar("largest error of the rotation, deg", max(day["deg_max"] for day in days), 0.2, at_least=False),
        Bar("smallest match of the same mouse", min(day["match_min"] for day in days), SMALLEST_MATCH),
        Bar("largest match of another mouse", figures["other mice"]["match_max"], SMALLEST_MATCH, at_least=False),
        Bar("a comparison, ms", figures["time"]["ms"], 500, at_least=False),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = arguments(__doc__, argv)
    figures = measure(*((3, 2) if options.quick else (6, 6)))
    keys = ("px_median", "px_max", "deg_median", "deg_max", "match_min")
    print("Error of the field of view, by what differs from the first day\n")
    print(
        table(
            ("", "shift p50, px", "max", "rotation p50, deg", "max", "match min"),
            [(name, *(figures[name][key] for key in keys)) for name in DAYS],
        )
    )
    return finish("view", options, figures, make_bars(figures))


if __name__ == "__main__":
    sys.exit(main())
