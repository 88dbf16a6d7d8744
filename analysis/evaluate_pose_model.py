#!/usr/bin/env python3
"""Measures a DeepLabCut-Live model on labelled frames, through DLCLive itself.

    python analysis/evaluate_pose_model.py MODEL.pt labeled-data/VIDEO
    python analysis/evaluate_pose_model.py MODEL.pt LABELS.csv --video VIDEO.mp4

Frames that a model was trained on flatter it: ``--held-out`` takes those that ``train_pose_model.py`` held out.
"""

from __future__ import annotations

import os.path
import sys

if __name__ == "__main__":
    # Python puts this folder first; the project's packages are one up.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.pose_training_labels import Labels, read_folders
from analysis.pose_training_net import need_torch
from analysis.pose_training_options import Parser, add_labels, say, size_of
from analysis.pose_training_report import as_json, evaluate, read_config, table
from core.errors import InputError, RigError


def make_parser() -> Parser:
    """Return the parser of the command's options."""
    parser = Parser(prog="evaluate_pose_model.py", description="Measure a DeepLabCut-Live model on labelled frames.")
    parser.add_argument("model", metavar="MODEL.pt", type=Path)
    add_labels(parser)
    parser.add_argument("--video", type=Path, help="take the frames from it, by the numbers in the images' names")
    parser.add_argument("--size", type=size_of, metavar="WxH", help="of the model's images; default: as it was trained")
    parser.add_argument("--held-out", action="store_true", help="only the frames that were held out of its training")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit code."""
    args = make_parser().parse_args(argv)
    try:
        result = run(args)
    except RigError as error:
        say(f"{error}", error=True)
        return error.exit_code
    except KeyboardInterrupt:
        say("stopped: nothing was measured", error=True)
        return 130
    table_text = result.pop("table")
    say(json.dumps(result) if args.json else f"{args.model} on {result['frames']} frames:\n{table_text}")
    return 0


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read and measure."""
    labels = read_folders(args.labels)
    need_torch()
    if args.held_out:
        labels = held_out_of(args.model, labels)
    resize, errors = evaluate(args.model, labels, args.size, args.video)
    return {
        "model": str(args.model),
        "frames": len(labels),
        "resize": resize,
        "errors": as_json(errors),
        "table": table(errors),
    }


def held_out_of(model: Path, labels: Labels) -> Labels:
    """Return those of the labels whose frames the model was not trained on. Raises InputError if there are none."""
    names = set(read_config(model).get("rigloop", {}).get("held_out", ()))
    frames = [number for number, image in enumerate(labels.images) if f"{image.parent.name}/{image.name}" in names]
    if not frames:
        raise InputError(f"{model} names none of these frames as held out; leave out --held-out")
    return labels.at(np.array(frames))


if __name__ == "__main__":
    sys.exit(main())
