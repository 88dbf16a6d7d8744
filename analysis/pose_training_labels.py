"""Labelled frames as DeepLabCut writes them (``CollectedData_*.csv``), and which of them are held out."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import numpy as np
import numpy.typing as npt

from core.errors import InputError

HEADER = ("scorer", "bodyparts", "coords")
GAP = 1
"""So many frames on either side of a held-out block are not trained on either: they look like the block's own."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labelled frames, in the order of their CSVs.

    Attributes
    ----------
    parts : tuple of str
        Body parts.
    images : tuple of Path
        One per frame.
    points : ndarray, (frames, parts, 2) float64
        x and y, px of the image, 0 at the centre of its first pixel; NaN where a part was not labelled.
    videos : tuple of int
        For each frame, which of the CSVs it is from, from 0.
    """

    parts: tuple[str, ...]
    images: tuple[Path, ...]
    points: npt.NDArray[np.float64]
    videos: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.images)

    def at(self, frames: npt.NDArray[np.intp]) -> Labels:
        """Return the labels of some frames."""
        chosen = [int(frame) for frame in frames]
        return Labels(
            self.parts,
            tuple(self.images[frame] for frame in chosen),
            self.points[chosen],
            tuple(self.videos[frame] for frame in chosen),
        )


def read_folders(paths: Sequence[Path], fewest: int = 1) -> Labels:
    """Read the CSV of each folder (or the CSV itself), as one set of labels.

    Raises
    ------
    InputError
        No CSV or several; not such a CSV; body parts that differ between folders; fewer than ``fewest`` frames with a
        label. That images are there is seen when they are read.
    """
    read = [(path, _read_csv(path)) for path in map(find_csv, paths)]
    first, (parts, _, _) = read[0]
    for path, (others, _, _) in read[1:]:
        if others != parts:
            raise InputError(
                f"{path} has the body parts {', '.join(others)}, but {first} has {', '.join(parts)}; train on folders "
                f"with the same parts in the same order"
            )
    labels = Labels(
        parts,
        tuple(image for _, (_, images, _) in read for image in images),
        np.concatenate([points for _, (_, _, points) in read]),
        tuple(video for video, (_, (_, images, _)) in enumerate(read) for _ in images),
    )
    labelled = int(np.isfinite(labels.points).any((1, 2)).sum())
    if labelled < fewest:
        raise InputError(f"{labelled} frames with a label in {first} and what else was given; label {fewest} at least")
    return labels


def find_csv(path: Path) -> Path:
    """Return the CSV in a folder, or ``path`` itself if it is a file. Raises InputError where it is not clear which."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; give a folder of labelled frames, as labeled-data/VIDEO")
    found = sorted(path.glob("CollectedData*.csv")) or sorted(path.glob("*.csv"))
    if not found:
        raise InputError(f"{path}: no CSV of labels (CollectedData_SCORER.csv) in it; give a folder of labelled frames")
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise InputError(f"{path}: more than one CSV of labels ({names}); give the one that is meant")
    return found[0]


def _read_csv(path: Path) -> tuple[tuple[str, ...], list[Path], npt.NDArray[np.float64]]:
    """Return body parts, images and points of one CSV."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV: {error}") from None
    parts, first = _parse_header(path, rows)
    images: list[Path] = []
    points = np.full((len(rows) - 3, len(parts), 2), np.nan)
    for number, row in enumerate(rows[3:]):
        images.append(path.parent / _file_name(path, row[:first]))
        points[number] = np.array([_parse_cell(path, row, cell) for cell in _cells(path, row, first, parts)]).reshape(
            -1, 2
        )
    if len(set(images)) < len(images):
        twice = next(image for image in images if images.count(image) > 1)
        raise InputError(f"{path}: {twice.name} has two rows; leave one")
    # A part of which one coordinate is missing is not known.
    points[np.isnan(points).any(2)] = np.nan
    return parts, images, points


def _parse_header(path: Path, rows: list[list[str]]) -> tuple[tuple[str, ...], int]:
    """Return body parts, and the column of the first coordinate: 1, or 3 where the path is split (DeepLabCut 2.2)."""
    heads = tuple(row[0].strip() for row in rows[:3])
    if "individuals" in [row[0].strip() for row in rows[:4]]:
        raise InputError(f"{path}: labels of several animals; this trains on the labels of one animal a frame")
    coords = [cell.strip() for cell in rows[2]] if heads == HEADER else []
    first = coords.index("x") if "x" in coords else 0
    columns = coords[first:]
    if first not in (1, 3) or columns != ["x", "y"] * (len(columns) // 2):
        raise InputError(f"{path}: not DeepLabCut's labels; their first rows are scorer, bodyparts, coords (x, y)")
    names = [cell.strip() for cell in rows[1][first:]]
    if len(names) != len(columns) or names[::2] != names[1::2] or len(set(names)) * 2 != len(names):
        raise InputError(f"{path}: the row bodyparts is {', '.join(names)}; each name stands above its x and y")
    return tuple(names[::2]), first


def _file_name(path: Path, index: list[str]) -> str:
    """Return the name of a row's image, without the folders before it, which are those of another computer."""
    # Also takes the separators of Linux.
    name = PureWindowsPath(index[-1].strip()).name
    if not name:
        raise InputError(f"{path}: a row without the name of an image ({','.join(index)}); each row begins with one")
    return name


def _cells(path: Path, row: list[str], first: int, parts: tuple[str, ...]) -> list[str]:
    cells = row[first:]
    if len(cells) != 2 * len(parts):
        raise InputError(f"{path}: {row[first - 1]} has {len(cells)} coordinates, not {2 * len(parts)}; mend the row")
    return cells


def _parse_cell(path: Path, row: list[str], cell: str) -> float:
    """Return a coordinate; NaN for an empty cell."""
    try:
        value = float(cell) if cell.strip() else np.nan
    except ValueError:
        value = np.inf
    if np.isinf(value):
        raise InputError(f"{path}: coordinate {cell!r} in the row of {row[0]} is not a number; mend the row")
    return value


def split_blocks(
    videos: Sequence[int], share: float, blocks: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return which frames to train on and which to hold out: of each video, ``blocks`` runs of neighbouring frames.

    Neighbours show nearly the same picture. Frames held out one by one would have been seen in training, as good as;
    so they are held out in runs, and ``GAP`` frames on either side of a run are in neither set.

    Parameters
    ----------
    videos : sequence of int
        For each frame the video it is from; frames of a video follow each other in time.
    share : float
        How much of each video is held out, 0 <= share < 1.
    blocks : int
        Runs per video; fewer in a video too short for so many.
    rng : numpy.random.Generator
        Where in its stretch of the video each run lies.

    Returns
    -------
    train, held_out : ndarray of int
        Indices, ascending.
    """
    of_video = np.asarray(videos)
    held, near = np.zeros(len(of_video), bool), np.zeros(len(of_video), bool)
    for video in np.unique(of_video):
        frames = np.flatnonzero(of_video == video)
        for stretch in np.array_split(frames, max(1, min(blocks, int(len(frames) * share)))):
            length = round(len(stretch) * share)
            start = int(rng.integers(len(stretch) - length + 1))
            held[stretch[start : start + length]] = True
            if length:
                near[frames[(frames >= stretch[start] - GAP) & (frames <= stretch[start + length - 1] + GAP)]] = True
    return np.flatnonzero(~held & ~near), np.flatnonzero(held)
