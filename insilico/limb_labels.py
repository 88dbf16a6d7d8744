"""Writes labelled frames of the drawn mouse as DeepLabCut has them, to train a pose model for the simulated mouse on.

    python -m insilico.limb_labels OUT --frames 200 --size 160x120 --seed 1

OUT then holds the frames (PNG) and ``CollectedData_rigloop.csv``. Every tenth frame is of another mouse: other fur,
other grain. Give start, target and ppmm as in the section of config.ini that the model is for.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import InputError
from insilico.limb_scene import LimbScene
from insilico.limb_settings import NAMES, LimbGeometry, LimbSceneSettings, Paws, leaning

SCORER = "rigloop"
FRAMES_OF_A_MOUSE = 10
_AT_REST = 0.3
"""Part of the frames in which the paw rests, as it does most of the time; chosen so that reaches are the most."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        settings = scene_settings(asked.size, asked.start, asked.target, asked.ppmm, markers=not asked.bare)
        path = write_labels(Path(asked.out), settings, asked.size, asked.frames, asked.seed)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{asked.frames} frames, labelled in {path}\n")
    return 0


def scene_settings(
    size: tuple[int, int],
    start: tuple[float, float] | None = None,
    target: tuple[float, float] | None = None,
    ppmm: float = 3.5,
    *,
    markers: bool = True,
) -> LimbSceneSettings:
    """Return a scene for frames of this size (width, height); places that are not given are chosen to fit it."""
    width, height = size
    begin = start or (round(0.47 * width), round(0.65 * height))
    end = target or (begin[0] - 8.6 * ppmm, begin[1] - 4.6 * ppmm)
    hues = LimbSceneSettings().hues if markers else (None, None)
    return LimbSceneSettings(begin, end, ppmm, hues)


def write_labels(out: Path, settings: LimbSceneSettings, size: tuple[int, int], n_frames: int, seed: int) -> Path:
    """Write ``n_frames`` frames of this size (width, height) and their labels; return the CSV's path.

    Raises
    ------
    InputError
        The folder holds labels already or cannot be written, or the scene does not fit the frame.
    """
    import cv2

    width, height = size
    LimbGeometry(settings, height, width)
    path = out / f"CollectedData_{SCORER}.csv"
    if path.exists():
        raise InputError(f"{path} is there already; give another folder, or remove it")
    rows = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for index in range(n_frames):
            rng = np.random.default_rng((seed, index))
            if index % FRAMES_OF_A_MOUSE == 0:
                scene = LimbScene(settings, height, width, rng)
            paws = random_paws(scene.geometry, rng)
            name = f"img{index:04d}.png"
            if not cv2.imwrite(str(out / name), scene.render(paws, rng)):
                raise InputError(f"{out / name} cannot be written; make room, or give another folder")
            rows.append([f"labeled-data/{out.name}/{name}", *_cells(scene.geometry, paws)])
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([*_header(), *rows])
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror}); give another folder") from error
    return path


def random_paws(geometry: LimbGeometry, rng: np.random.Generator) -> Paws:
    """Return where the paws may be in some frame: at rest, on the way, at the target, a little beside it."""
    far = geometry.reach_mm
    along, across = rng.uniform(-0.2, 1.25), rng.normal(0, 0.2)
    if rng.random() < _AT_REST:
        along, across = rng.normal(0, 0.05), rng.normal(0, 0.05)
    left, right = leaning(geometry.along(along * far, across * far))
    jitter = rng.normal(0, 0.3, 2)
    return Paws(left, (float(right[0] + jitter[0]), float(right[1] + jitter[1])))


def _header() -> list[list[str]]:
    parts = [name for name in NAMES for _ in "xy"]
    return [["scorer", *[SCORER] * len(parts)], ["bodyparts", *parts], ["coords", *"xy" * len(NAMES)]]


def _cells(geometry: LimbGeometry, paws: Paws) -> list[str]:
    """Return column and row of each part, px; empty where it is outside the frame, as a person leaves it out."""
    cells = []
    for col, row in geometry.points(paws):
        seen = 0 <= col <= geometry.width - 1 and 0 <= row <= geometry.height - 1
        cells += [f"{col:.3f}", f"{row:.3f}"] if seen else ["", ""]
    return cells


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m insilico.limb_labels", description="labelled frames of a mouse")
    parser.add_argument("out", help="folder for the frames and their labels")
    parser.add_argument("--frames", type=_count, default=200, help="number of frames (200)")
    parser.add_argument("--size", type=_size, default=(160, 120), help="px: width and height (160x120)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that chance decides (1)")
    parser.add_argument("--start", type=_place, help="start_center: column,row in px")
    parser.add_argument("--target", type=_place, help="target_center: column,row in px")
    parser.add_argument("--ppmm", type=float, default=3.5, help="px per mm (3.5)")
    parser.add_argument("--bare", action="store_true", help="paws without markers")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 9999:
        raise argparse.ArgumentTypeError(f"{count} frames; give 1 to 9999")
    return count


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def _place(text: str) -> tuple[float, float]:
    col, _, row = text.partition(",")
    return float(col), float(row)


if __name__ == "__main__":
    sys.exit(main())
