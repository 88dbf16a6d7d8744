"""Latency of a movement session from frame to command, the pose's inference apart from everything else.

A whole session's loop (speed of a paw, trials, tones and water, a video recorded) runs in real time on frames of a
drawn mouse, made beforehand: with coloured markers, then with DeepLabCut-Live in the process that it has in a session,
whose network has random weights. "Everything else" is what a frame took from being read to the last command, less what
the pose process measured for the inference. In a process beside it, which waits meanwhile, DLCLive runs as a script
would run it, and the inference is timed in turn with a bare call of the model on a tensor that is ready.
"""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.pose_training_net import need_torch
from behavior.pose_open import make_estimator
from behavior.pose_settings import PoseBackend, PoseSettings
from bench.drawn import Images
from bench.pose_bare import as_pose_process, inference_us, plain_loop_ms, write_model
from bench.pose_frames import MARKERS, draw
from bench.pose_session import Measured, run_session
from bench.report import Bar, argument_parser, finish, medians, percentiles, table
from core.errors import MissingError
from session.build_movement import POSE_PRIORITY

SIZES = ((160, 320), (320, 640))
MARKER_FPS = (30.0, 100.0)
DLC_FPS = 30.0
NETS = ("resnet10t", "resnet18", "resnet50")
PLAIN_IMAGES = 60
"""Frames that the other process gets: they are sent to it."""
ELSE_MS, RATIO = 0.5, 1.3
POSE_TIMEOUT_S = 10.0
PUBLISHED = (
    "Published by others, camera to output with their devices, so not the same thing: DLC-Live, image to LED, 14 ms on "
    "a Jetson Xavier;\nCLoPy's movement feedback, 67 +- 20 ms on a Jetson Orin."
)


@dataclass(frozen=True, slots=True)
class Spans:
    """How long each part of the benchmark goes on, s; and frames drawn."""

    markers: float
    dlc: float
    plain: float
    inference: float
    drawn: int


QUICK, FULL = Spans(1.5, 3.0, 1.0, 1.0, 45), Spans(15.0, 40.0, 10.0, 10.0, 240)


class Results:
    """What was found, as it is printed: rows of tables, figures and bars."""

    def __init__(self) -> None:
        self.rows: list[tuple[object, ...]] = []
        self.counts: list[tuple[object, ...]] = []
        self.figures: dict[str, Any] = {}
        self.bars: list[Bar] = []
        self.refused: tuple[str, ...] = ()

    def take(self, case: str, measured: Measured) -> None:
        """Take a run of the loop."""
        found = {name: percentiles(span) for name, span in measured.parts.items()}
        self.rows += [(case, name, *span.values()) for name, span in found.items()]
        self.counts.append((case, *measured.counts.values()))
        self.figures[case] = {**found, **measured.counts}
        self.bars.append(Bar(f"{case}: p99 of everything else, ms", found["everything else"]["p99"], ELSE_MS, False))
        self.refused = measured.refused

    def print(self) -> None:
        """Print the tables."""
        print(table(("ms", "", "p50", "p99", "p99.9", "max"), self.rows))
        print("\n" + table(("", "frames", "lost", "skipped", "in video", "trials", "water"), self.counts))
        for refused in self.refused:
            print(refused)


def run_loop(settings: PoseSettings, images: Images, framerate: float, seconds: float, scratch: Path) -> Measured:
    """Run a session's loop in a folder of its own, which is removed."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        shape = (images.shape[1], images.shape[2], 3)
        return run_session(images, make_estimator(settings, shape, "uint8", POSE_PRIORITY), framerate, seconds, folder)
    finally:
        shutil.rmtree(folder)


def run_markers(images: Images, spans: Spans, scratch: Path, results: Results) -> None:
    """Measure coloured markers."""
    settings = PoseSettings(pose_backend=PoseBackend.markers, markers=MARKERS)
    for framerate in MARKER_FPS:
        case = f"markers, {size_of(images)}, {framerate:g}/s"
        say(case)
        results.take(case, run_loop(settings, images, framerate, spans.markers, scratch))


class Beside:
    """A process that does one piece of work after the other while this one waits, and waits itself meanwhile."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._process = ProcessPoolExecutor(1, mp_context=context, initializer=as_pose_process)

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.shutdown()

    def does(self, work: Callable[..., Any], *given: object) -> Any:
        """Return what ``work`` returns there; what it raises is raised here."""
        return self._process.submit(work, *given).result()


def run_dlc(images: Images, spans: Spans, net: str, scratch: Path, beside: Beside, results: Results) -> None:
    """Measure DeepLabCut-Live, and beside it DLCLive in a script's loop, before and after."""
    case = f"dlc {net}, {size_of(images)}, {DLC_FPS:g}/s"
    say(case)
    model = scratch / f"{net}.pt"
    few = images[:PLAIN_IMAGES]
    if not model.exists():
        beside.does(write_model, net, model)
    inference = beside.does(inference_us, model, few, spans.inference)
    plain = beside.does(plain_loop_ms, model, few, DLC_FPS, spans.plain / 2)
    settings = PoseSettings(dlc_model_path=str(model), pose_timeout_s=POSE_TIMEOUT_S)
    results.take(case, run_loop(settings, images, DLC_FPS, spans.dlc, scratch))
    plain += beside.does(plain_loop_ms, model, few, DLC_FPS, spans.plain / 2)
    results.rows.append((case, "DLCLive in a script", *percentiles(plain).values()))
    results.figures[case]["DLCLive in a script"] = percentiles(plain)
    take_inference(case, inference, results)


def take_inference(case: str, inference: Mapping[str, Sequence[float]], results: Results) -> None:
    """Take durations of the inference, us, timed in turn."""
    middle = {name: us / 1e3 for name, us in medians(inference).items()}
    bare = min(ms for name, ms in middle.items() if name.startswith("bare"))
    results.figures[case]["inference in turn, medians"] = middle
    results.bars.append(Bar(f"{case}: inference over the faster bare call", middle["ours"] / bare, RATIO, False))


def size_of(images: Images) -> str:
    """Return height and width in words."""
    return f"{images.shape[1]}x{images.shape[2]}"


def say(text: str) -> None:
    """Tell what is going on, apart from the results."""
    print(f"{text} ...", file=sys.stderr)


def dlc_missing() -> str:
    """Return why DeepLabCut-Live cannot run; empty where it can."""
    try:
        need_torch()
    except MissingError as error:
        return str(error)
    return ""


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if a bar is missed."""
    parser = argument_parser(__doc__)
    parser.add_argument("--net", choices=NETS, default=NETS[0], help="network of the dlc rows (%(default)s)")
    options: Namespace = parser.parse_args(argv)
    spans = QUICK if options.quick else FULL
    missing = dlc_missing()
    results = Results()
    scratch = Path(tempfile.mkdtemp(prefix="bench_pose_"))
    try:
        with Beside() as beside:
            for height, width in SIZES:
                images = draw(height, width, spans.drawn)
                run_markers(images, spans, scratch, results)
                if not missing:
                    run_dlc(images, spans, options.net, scratch, beside, results)
    finally:
        shutil.rmtree(scratch)
    results.print()
    print_inference(results.figures)
    if missing:
        print(f"\nno rows of dlc: {missing}")
    print("\n" + PUBLISHED)
    return finish("pose", options, results.figures, results.bars)


def print_inference(figures: Mapping[str, Any]) -> None:
    """Print what the inference took beside a bare call of the model."""
    found = {case: figure["inference in turn, medians"] for case, figure in figures.items() if case.startswith("dlc")}
    if found:
        headers = next(iter(found.values()))
        print("\n" + table(("inference, ms", *headers), [(case, *ms.values()) for case, ms in found.items()]))


if __name__ == "__main__":
    sys.exit(main())
