"""How far a pose model's answers are from labels: through DLCLive itself, in px of the original images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.pose_training_images import Image, choose_resize, read_image
from analysis.pose_training_labels import Labels
from core.errors import InputError, SourceError


@dataclass(frozen=True, slots=True)
class PartError:
    """Errors of one body part, or of all together, over the frames in which it is labelled.

    Attributes
    ----------
    part : str
    labels : int
        How many there are.
    median_px, p90_px : float
        Of the distances, px of the original image; NaN without labels.
    likelihood : float
        Median of what the model gives for these.
    """

    part: str
    labels: int
    median_px: float
    p90_px: float
    likelihood: float


def measure_errors(
    parts: tuple[str, ...], points: npt.NDArray[np.float64], poses: npt.NDArray[np.float64]
) -> tuple[PartError, ...]:
    """Return the errors of each part, and at last those of all.

    Parameters
    ----------
    parts : tuple of str
    points : ndarray, (frames, parts, 2)
        Labels, px; NaN where there is none.
    poses : ndarray, (frames, parts, 3)
        x, y, likelihood of the model.
    """
    distances = np.linalg.norm(poses[:, :, :2] - points, axis=2)
    columns = [(part, distances[:, n], poses[:, n, 2]) for n, part in enumerate(parts)]
    return tuple(
        _summary(part, distance, likelihood)
        for part, distance, likelihood in [*columns, ("all", distances.ravel(), poses[:, :, 2].ravel())]
    )


def _summary(part: str, distance: npt.NDArray[np.float64], likelihood: npt.NDArray[np.float64]) -> PartError:
    known = np.isfinite(distance)
    if not known.any():
        return PartError(part, 0, np.nan, np.nan, np.nan)
    median, p90 = np.percentile(distance[known], (50, 90))
    return PartError(part, int(known.sum()), float(median), float(p90), float(np.median(likelihood[known])))


def table(errors: Iterable[PartError]) -> str:
    """Return the errors as lines of text."""
    rows = [
        f"  {error.part:<16}{error.labels:>7}{error.median_px:>11.1f}{error.p90_px:>11.1f}{error.likelihood:>12.2f}"
        for error in errors
    ]
    return "\n".join([f"  {'body part':<16}{'labels':>7}{'median px':>11}{'90 % px':>11}{'likelihood':>12}", *rows])


def as_json(errors: Iterable[PartError]) -> dict[str, dict[str, Any]]:
    """Return the errors by part; numbers that are not known are null."""
    return {
        error.part: {key: None if value != value else value for key, value in asdict(error).items() if key != "part"}
        for error in errors
    }


def estimate(model: Path, resize: float, images: Iterable[Image]) -> npt.NDArray[np.float64]:
    """Return what DLCLive answers for BGR images, (frames, parts, 3): x and y in px of the image, likelihood."""
    from dlclive import DLCLive

    live = DLCLive(str(model), model_type="pytorch", device="cpu", resize=resize)
    poses: list[npt.NDArray[np.float64]] = []
    for image in images:
        pose = live.get_pose(image) if poses else live.init_inference(image)
        poses.append(np.array(pose, np.float64))
    live.close()
    return np.stack(poses)


def read_config(model: Path) -> dict[str, Any]:
    """Return the configuration in an exported model. Raises InputError where it is none."""
    import torch

    if not model.is_file():
        raise InputError(f"{model}: no such file; give a model that DeepLabCut or train_pose_model.py exported (.pt)")
    try:
        config: dict[str, Any] = torch.load(model, map_location="cpu", weights_only=True)["config"]
        _ = config["metadata"]["bodyparts"]
    except Exception:  # noqa: BLE001 - torch raises whatever the bytes lead it to
        raise InputError(f"{model}: not a model in DeepLabCut-Live's PyTorch format; export it again") from None
    return config


def common_points(labels: Labels, parts: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return the points in the order of the model's ``parts``, NaN where not labelled. It must know all labels."""
    unknown = [part for part in labels.parts if part not in parts]
    if unknown:
        raise InputError(f"the model knows {', '.join(parts)}, but not {', '.join(unknown)} of the labels")
    points = np.full((len(labels), len(parts), 2), np.nan)
    for column, part in enumerate(labels.parts):
        points[:, parts.index(part)] = labels.points[:, column]
    return points


def video_images(video: Path, labels: Labels) -> Iterator[Image]:
    """Yield the frames of a video that the labels' image names number, from 0, in the labels' order (ascending).

    Decoded from the start, since a jump into a compressed video may land beside the frame.
    """
    import cv2

    wanted = [_number(image) for image in labels.images]
    if wanted != sorted(wanted):
        raise InputError(f"{video}: the labels' frames are not in ascending order; sort the CSV")
    capture = cv2.VideoCapture(str(video))
    try:
        at = -1
        for number in wanted:
            image = None
            while at < number:
                there, image = capture.read()
                at += 1
                if not there:
                    raise SourceError(f"{video}: cannot be read up to frame {number}, which is labelled")
            if image is not None:
                yield np.asarray(image, np.uint8)
    finally:
        capture.release()


def _number(image: Path) -> int:
    digits = "".join(character for character in image.stem if character.isdigit())
    if not digits:
        raise InputError(f"{image.name}: no frame number in the name, which --video needs, such as img0120.png")
    return int(digits)


def evaluate(
    model: Path, labels: Labels, size: tuple[int, int] | None = None, video: Path | None = None
) -> tuple[float, tuple[PartError, ...]]:
    """Return the factor by which images were resized, and the errors of a model on labels.

    Parameters
    ----------
    model : Path
        ``.pt``, of this project or DeepLabCut's.
    labels : Labels
    size : (width, height), optional
        What the model is shown; that which it was trained on, if this project trained it, else as in training.
    video : Path, optional
        Where the frames are, by the numbers in the labels' image names; else beside the CSV.
    """
    config = read_config(model)
    parts = tuple(config["metadata"]["bodyparts"])
    points = common_points(labels, parts)
    first = next(video_images(video, labels)) if video else read_image(labels.images[0])
    trained = config.get("rigloop", {}).get("resize")
    resize = trained if trained and size is None else choose_resize((first.shape[1], first.shape[0]), size)
    images = video_images(video, labels) if video else map(read_image, labels.images)
    return resize, measure_errors(parts, points, estimate(model, resize, images))
