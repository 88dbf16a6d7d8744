"""Cost of dF/F per frame: ours (running sums, Frame to Signal) against the ancestor's (mean over a queue of crops).

The ancestor's method, from its description in the project's notes: a deque of the last ``history`` crops, which are
views of whole frames; per frame their ``np.mean`` over axis 0, (F - B) / B of the crop, green minus blue, mean. Ours is
timed from the frame to the signal, with all its checks; the ancestor's without anything around it.
"""

from __future__ import annotations

import itertools
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bench.report import Bar, arguments, finish, medians, side_by_side, table
from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from brain.settings import DffSettings
from core.values import Frame, Image
from roi_manager import Rect

SIDES = (8, 64, 256)
HISTORIES = (90, 600)
FRAMERATE = 15
FRAME_SHAPE = (256, 256, 3)
OURS_PER_ROUND = 11


class Ancestor:
    """The ancestor's dF/F of one ROI."""

    def __init__(self, roi: Rect, history: int) -> None:
        self.roi = roi
        self.crops: deque[Image] = deque(maxlen=history)

    def update(self, image: Image) -> float:
        """Return dF/F of the next frame."""
        roi = self.roi
        crop = image[roi.y : roi.y + roi.h, roi.x : roi.x + roi.w, :]
        baseline = np.mean(self.crops, axis=0)
        change = crop - baseline
        dff = np.divide(change, baseline, out=np.zeros_like(change), where=baseline != 0)
        corrected = dff[:, :, 1] - dff[:, :, 0]
        self.crops.append(crop)
        return float(np.sum(corrected) / roi.area_px)


def make_frames(count: int) -> list[Image]:
    """Make frames of wide-field brightness; each has memory of its own, as from a camera."""
    rng = np.random.default_rng(1)
    return [rng.integers(60, 200, FRAME_SHAPE, dtype=np.uint8) for _ in range(count)]


def numbered(images: Sequence[Image]) -> Iterator[Frame]:
    """Yield the images round and round as frames at ``FRAMERATE``."""
    for number, image in enumerate(itertools.cycle(images), 1):
        yield Frame(image, number, round(number * 1e9 / FRAMERATE))


def make_pipeline(roi: Rect, history: int) -> BrainPipeline:
    """Make our pipeline for one ROI, with a history of so many frames."""
    settings = DffSettings(dff_history=history / FRAMERATE)
    return BrainPipeline(parse_rule("ROI"), {"ROI": roi}, settings, FRAMERATE, FRAME_SHAPE, "uint8")


def make_cases(images: Sequence[Image], side: int, history: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return ours and the ancestor's for one ROI and history, both with a full history and checked to agree."""
    roi = Rect((FRAME_SHAPE[1] - side) // 2, (FRAME_SHAPE[0] - side) // 2, side, side)
    pipeline, ancestor = make_pipeline(roi, history), Ancestor(roi, history)
    ours, theirs = numbered(images), itertools.cycle(images)
    for _ in range(history):
        pipeline.update(next(ours))
        ancestor.crops.append(next(theirs)[roi.y : roi.y + roi.h, roi.x : roi.x + roi.w, :])
    # Also shows that a span of history / FRAMERATE seconds holds as many frames as the ancestor's queue.
    difference = abs(pipeline.update(next(ours)).value - ancestor.update(next(theirs)))
    if not difference < 1e-12:
        raise SystemExit(f"ours and the ancestor's differ by {difference} for {side} x {side}, history {history}")
    return lambda: pipeline.update(next(ours)), lambda: ancestor.update(next(theirs))


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Return medians, us per frame, as ``{"8x8, 90": {"ours": ..., "ancestor": ...}, ...}``."""
    images = make_frames(max(HISTORIES) + 30)
    figures = {}
    for side in SIDES:
        cases: dict[str, Callable[[], object]] = {}
        for history in HISTORIES:
            ours, ancestor = make_cases(images, side, history)
            cases |= {f"{history} ours {n}": ours for n in range(OURS_PER_ROUND)} | {f"{history} ancestor": ancestor}
        durations = side_by_side(cases, rounds)
        for history in HISTORIES:
            # The first call after the ancestor's finds the caches full of its frames, as a loop with other work would.
            pooled = [value for n in range(OURS_PER_ROUND) for value in durations[f"{history} ours {n}"]]
            figures[f"{side}x{side}, {history}"] = medians(
                {"ours": pooled, "ancestor": durations[f"{history} ancestor"]}
            )
    return figures


def make_bars(figures: dict[str, dict[str, float]]) -> list[Bar]:
    """Return what was promised, and what was measured."""

    def faster(name: str) -> float:
        return figures[name]["ancestor"] / figures[name]["ours"]

    def growth(side: int) -> float:
        return figures[f"{side}x{side}, 600"]["ours"] / figures[f"{side}x{side}, 90"]["ours"]

    return [
        *(Bar(f"{side}x{side}: cost at history 600 / at 90", growth(side), 1.2, at_least=False) for side in SIDES),
        Bar("64x64, 90: times faster than the ancestor", faster("64x64, 90"), 25),
        Bar("64x64, 600: times faster than the ancestor", faster("64x64, 600"), 150),
        Bar("256x256, 90: times faster than the ancestor", faster("256x256, 90"), 30),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = arguments(__doc__, argv)
    figures = measure(rounds=20 if options.quick else 60)
    rows = [(name, f["ours"], f["ancestor"], f["ancestor"] / f["ours"]) for name, f in figures.items()]
    print("dF/F of one ROI, medians in us per frame (256x256x3 uint8)\n")
    print(table(("ROI, history", "ours", "ancestor", "ratio"), rows))
    return finish("dff", options, figures, make_bars(figures))


if __name__ == "__main__":
    sys.exit(main())
