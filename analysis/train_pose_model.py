#!/usr/bin/env python3
"""Trains a DeepLabCut-Live model on labelled frames, from random weights, without the DeepLabCut desktop.

    python analysis/train_pose_model.py labeled-data/VIDEO --output model.pt [--minutes 15]

Some frames are held out, trained without and measured on: what is printed is what the model does on frames it has not
seen. ``--all`` trains on all. Ctrl-C during the training leaves no file.
"""

from __future__ import annotations

import os.path
import sys

if __name__ == "__main__":
    # Python puts this folder first; the project's packages are one up.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from analysis.pose_training_images import Augmentation, Sized, load_sized
from analysis.pose_training_labels import Labels, read_folders, split_blocks
from analysis.pose_training_net import Progress, TrainingSettings, export_bytes, make_config, need_torch, train
from analysis.pose_training_options import Parser, add_labels, number, say, share_of, size_of, whole
from analysis.pose_training_report import as_json, evaluate, table
from core.clock import MonotonicClock
from core.errors import InputError, RigError
from recording.folder import replace_bytes

FEWEST = 10
QUIET_S = 10.0
"""Where stderr is no terminal, a line of progress this often."""
INTERRUPTED = 130


@dataclass(slots=True)
class Stage:
    """How far it is, for whom interrupts."""

    text: str = "nothing was trained or written"
    steps: int = 0


def make_parser() -> Parser:
    """Return the parser of the command's options."""
    defaults = TrainingSettings()
    parser = Parser(prog="train_pose_model.py", description="Train a DeepLabCut-Live model on labelled frames.")
    add_labels(parser)
    parser.add_argument("--output", metavar="MODEL.pt", type=Path, required=True, help="must not exist")
    parser.add_argument("--size", type=size_of, metavar="WxH", help="of the model's images; default: at most 320 wide")
    held = parser.add_mutually_exclusive_group()
    held.add_argument("--hold-out", type=share_of, default=0.2, metavar="SHARE", help="default %(default)s")
    held.add_argument("--all", action="store_true", help="train on all frames; nothing is measured then")
    parser.add_argument("--blocks", type=whole(1), default=3, help="runs of frames held out a folder (%(default)s)")
    parser.add_argument("--seed", type=whole(0), default=defaults.seed, help="of all chance (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    _add_training(parser, defaults)
    return parser


def _add_training(parser: Parser, defaults: TrainingSettings) -> None:
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=number(0.01, 10_000), default=15.0, help="of training (default %(default)s)")
    length.add_argument("--steps", type=whole(1), help="of training, instead of minutes")
    parser.add_argument("--net", default=defaults.net, help="a ResNet of timm (default %(default)s)")
    parser.add_argument("--batch", type=whole(2), default=defaults.batch, help="frames a step (default %(default)s)")
    parser.add_argument(
        "--turn",
        type=number(0, 180),
        default=Augmentation().turn_deg,
        metavar="DEG",
        help="frames are turned by up to this; 180 for a mouse that walks about (default %(default)g)",
    )
    parser.add_argument("--device", default=defaults.device, help="auto, cpu, cuda or cuda:N")
    parser.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default=defaults.precision,
        help="of the training on a CPU; auto: bf16 on a processor that has it",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Train as the command line says; return the exit code."""
    args = make_parser().parse_args(argv)
    stage = Stage()
    try:
        result = run(args, stage)
    except RigError as error:
        say(f"{error}", error=True)
        return error.exit_code
    except KeyboardInterrupt:
        say(f"stopped: {stage.text}", error=True)
        return INTERRUPTED
    say(json.dumps(result) if args.json else lines(args, result))
    return 0


def run(args: argparse.Namespace, stage: Stage) -> dict[str, Any]:
    """Read, train, write, measure. ``stage`` is kept up to date."""
    if args.output.exists():
        raise InputError(f"{args.output} exists; give another name, or remove it")
    if not args.output.parent.is_dir():
        raise InputError(f"{args.output.parent}: no such folder for the model; make it first")
    labels = read_folders(args.labels, FEWEST)
    need_torch()
    train_on, held_out = split(args, labels)
    sized = load_sized(labels.at(train_on), args.size)
    if sized.outside:
        say(f"warning: {sized.outside} labels lie outside of their image and are left out", error=True)
    settings = TrainingSettings(
        net=args.net,
        batch=min(args.batch, len(train_on)),
        seed=args.seed,
        device=args.device,
        precision=args.precision,
        augmentation=Augmentation(turn_deg=args.turn),
    )
    held_names = [f"{labels.images[frame].parent.name}/{labels.images[frame].name}" for frame in held_out]
    about = {"resize": sized.resize, "size": list(sized.images.shape[2:0:-1]), "original": list(sized.original)}
    config = make_config(args.net, labels.parts, {**about, "frames": len(train_on), "held_out": held_names})
    model, trained = train_timed(config, sized, settings, args, stage)
    replace_bytes(args.output, export_bytes(config, model), sync=True, chosen=True)
    stage.text = f"{args.output} is written, but not measured"
    errors = measure(args.output, labels.at(held_out)) if len(held_out) else None
    return {"model": str(args.output), "net": args.net, **about, "frames": len(train_on), "held_out": len(held_out),
            **trained, "seed": args.seed, "errors": errors}  # fmt: skip


def split(args: argparse.Namespace, labels: Labels) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the frames to train on and those held out."""
    rng = np.random.default_rng(args.seed)
    train_on, held_out = split_blocks(labels.videos, 0.0 if args.all else args.hold_out, args.blocks, rng)
    if len(train_on) < 2:
        raise InputError(f"--hold-out {args.hold_out:g} leaves {len(train_on)} frames to train on; hold out fewer")
    return train_on, held_out


def train_timed(
    config: dict[str, Any], sized: Sized, settings: TrainingSettings, args: argparse.Namespace, stage: Stage
) -> tuple[Any, dict[str, Any]]:
    """Train with a progress bar; return the model, and how long it took."""
    clock = MonotonicClock()
    start_ns, start_cpu = clock.now_ns(), time.process_time()

    def elapsed() -> float:
        return (clock.now_ns() - start_ns) / 1e9

    total = float(args.steps or 60 * args.minutes)
    terminal = sys.stderr.isatty()
    unit = "steps" if args.steps else "s"
    with tqdm(
        total=total,
        desc="training",
        file=sys.stderr,
        mininterval=0.2 if terminal else QUIET_S,
        bar_format=f"{{desc}}: |{{bar:20}}| {{n:.0f}} of {{total:.0f}} {unit}{{postfix}}",
    ) as bar:

        def tell(progress: Progress) -> None:
            seconds = elapsed()
            done = f"{progress.steps} steps in {seconds / 60:.1f} min, loss {progress.loss:.3f}"
            stage.text, stage.steps = f"{done}; no model was written", progress.steps
            left = seconds * (1 / progress.done - 1) / 60 if progress.done else float("nan")
            bar.set_postfix_str(f"{left:.1f} min left, step {progress.steps}, loss {progress.loss:.3f}", refresh=False)
            bar.update(total * progress.done - bar.n)

        model = train(config, sized, settings, budget(args, elapsed), tell)
        bar.update(total - bar.n)
    if not stage.steps:
        raise InputError(f"--minutes {args.minutes:g}: over before the first step was; give more")
    return model, {
        "steps": stage.steps,
        "minutes": elapsed() / 60,
        "cpu_minutes": (time.process_time() - start_cpu) / 60,
    }


def budget(args: argparse.Namespace, elapsed: Callable[[], float]) -> Callable[[int], float]:
    """Return what says how much of the training is over. By time, no step is begun that may end too late."""
    if args.steps:
        return lambda steps: steps / args.steps
    longest, last = 0.0, 0.0

    def done(steps: int) -> float:
        nonlocal longest, last
        now = elapsed()
        # Before the first step lies the making of the model, which takes longer.
        longest, last = max(longest, now - last) if steps else 0.0, now
        return now / (60 * args.minutes) if now + longest < 60 * args.minutes else 1.0

    return done


def measure(model: Path, held_out: Labels) -> dict[str, Any]:
    """Return the errors on frames that were held out, of the file that was written."""
    _, errors = evaluate(model, held_out)
    return {"table": table(errors), **as_json(errors)}


def lines(args: argparse.Namespace, result: dict[str, Any]) -> str:
    """Return the result as a person reads it."""
    size = "x".join(map(str, result["size"]))
    said = [
        f"{args.output}: {args.net}, trained on {result['frames']} frames at {size} in {result['minutes']:.1f} min "
        f"({result['steps']} steps, {result['cpu_minutes']:.1f} min of CPU); dlc_resize = {result['resize']:g}"
    ]
    if result["errors"]:
        width, height = result["original"]
        said += [f"on {result['held_out']} frames held out, px at {width}x{height}:", result["errors"]["table"]]
    return "\n".join(said)


if __name__ == "__main__":
    sys.exit(main())
