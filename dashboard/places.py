"""The first day's picture of a mouse: the mean of the first images that were recorded of it, to place and compare by.

Reads session folders, and so is called in a thread, one call at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brain.exposure import Channel
from brain.field_of_view import Grey, grey_of
from core.errors import RecordingError, RigError
from core.values import Image
from recording.hdf5_index import misplaced
from recording.index import SessionRow, read_index
from recording.problems import FILE_ERRORS
from recording.reader import RecordedSession, count_images, open_session
from recording.schema import RUNNING
from recording.video_read import is_video

MEAN_IMAGES = 30
"""Images that are averaged: two seconds at 15 frames/s, in which a mouse's cortex hardly changes and noise does."""
KEPT = 8
"""Pictures that are kept in memory; of 4 megapixels each takes 16 MB."""
ALL_CHANNELS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class FirstDay:
    """What the first session with images has.

    Attributes
    ----------
    row : SessionRow
    grey : (height, width) float32
        Mean brightness of the channels that are compared, counts.
    png : bytes
        The picture: in neurofeedback green, in grey; else in colours.
    images : int
        How many were averaged.
    ppmm : float or None
        px/mm, as the session had it.
    bregma : (float, float) or None
        Row, column, px.
    rois : dict
        Name to text.
    """

    row: SessionRow
    grey: Grey
    png: bytes
    images: int
    ppmm: float | None
    bregma: tuple[float, float] | None
    rois: dict[str, str]

    def facts(self) -> dict[str, Any]:
        """Return what a browser is told."""
        height, width = self.grey.shape
        return {
            "session": self.row.path,
            "date": self.row.day,
            "kind": self.row.kind,
            "image": [width, height],
            "images": self.images,
            "ppmm": self.ppmm,
            "bregma": None if self.bregma is None else list(self.bregma),
            "rois": self.rois,
        }


def compared_channels(kind: str) -> tuple[int, ...]:
    """Return the channels of which a picture is made: that of the fluorescence in neurofeedback, else all."""
    return (Channel.green.value,) if kind == "clnf" else ALL_CHANNELS


class FirstDays:
    """Finds first days, and keeps the newest pictures while their files stay as they are."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[object, FirstDay]] = {}

    def find(self, root: Path, mouse: str, kind: str) -> FirstDay | None:
        """Return the first day of a mouse, None where no session of it has images.

        A session that still runs is left out, and so is one whose images are damaged.

        Parameters
        ----------
        root : Path
            The data root.
        mouse : str
        kind : {"clnf", "clmf", ""}
            Only sessions of this kind; empty: of any.

        Raises
        ------
        InputError
            The data root cannot be read.
        """
        for row in _candidates(root, mouse, kind):
            try:
                found = self._of(root, row)
            except (RigError, *FILE_ERRORS):
                continue
            if found is not None:
                return found
        return None

    def _of(self, root: Path, row: SessionRow) -> FirstDay | None:
        with open_session(root / row.path) as session:
            if not session.has_images:
                return None
            key, stat = (str(root), row.path), session.image_path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            kept = self._kept.pop(key, None)
            if kept is None or kept[0] != stamp:
                found = _read(session, row)
                if found is None:
                    return None
                kept = (stamp, found)
            self._kept[key] = kept
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
            return kept[1]


def _candidates(root: Path, mouse: str, kind: str) -> Iterator[SessionRow]:
    """Yield a mouse's sessions that may have images, the first of all first."""
    if not (root / mouse).is_dir():
        return
    for row in read_index(root, mouse).rows:
        if row.outcome != RUNNING and kind in ("", row.kind):
            yield row


def _read(session: RecordedSession, row: SessionRow) -> FirstDay | None:
    count = min(MEAN_IMAGES, count_images(session))
    if not count:
        return None
    images = session.images()
    if not is_video(session.image_path) and misplaced(images, 0, count - 1, session.image_path.stat().st_size):
        return None
    mean = np.zeros(images.shape[1:], np.float64)
    for place in range(count):
        mean += images[place]
    mean /= count
    settings = session.meta.get("settings")
    told = settings if isinstance(settings, dict) else {}
    grey = grey_of(mean.astype(np.float32), compared_channels(row.kind))
    shown = grey if row.kind == "clnf" else mean
    return FirstDay(
        row,
        grey,
        png_of(_eight_bits(shown, images.dtype)),
        count,
        _number(told.get("ppmm")),
        _pair(told.get("bregma")),
        {name[4:]: text for name, text in told.items() if name.startswith("roi.") and isinstance(text, str)},
    )


def _eight_bits(mean: Any, dtype: np.dtype[Any]) -> Image:
    """Return a mean as a picture; 16 bits are stretched to their range, as in the camera's picture."""
    scale = 255 / max(float(mean.max()), 255.0) if dtype == np.uint16 else 1.0
    picture: Image = np.round(mean * scale).astype(np.uint8)
    return picture


def png_of(picture: Image) -> bytes:
    """Return a picture, (height, width) grey, or with 3 (BGR) or 4 channels, uint8, as PNG. Raises RecordingError."""
    import cv2

    done, data = cv2.imencode(".png", picture)
    if not done:
        raise RecordingError(f"a picture of {picture.shape} cannot be made a PNG; look at the recording's images")
    return bytes(data)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _pair(value: object) -> tuple[float, float] | None:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return None
    row, column = (_number(each) for each in value)
    return None if row is None or column is None else (row, column)
