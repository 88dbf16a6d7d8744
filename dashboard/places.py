"""The first day's picture of a mouse: the mean of the first images that were recorded of it, to place and compare by.

Reads session folders, and so is called in a thread, one call at a time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from brain.exposure import Channel
from brain.field_of_view import Grey, grey_of
from core.errors import InputError, RecordingError, RigError
from core.values import Image
from recording.folder import read_session_json
from recording.hdf5_index import misplaced
from recording.index_find import Place, find_places
from recording.index_live import MOUSE_LOCK, is_held
from recording.index_read import read_row
from recording.index_row import CLOPY, SessionRow
from recording.problems import FILE_ERRORS, describe
from recording.reader import RecordedSession, count_images, image_path, open_session
from recording.schema import RUNNING, SESSION_JSON
from recording.tables import no_frames, no_timing
from recording.video_read import is_video

MEAN_IMAGES = 30
"""Images that are averaged: two seconds at 15 frames/s, in which a mouse's cortex hardly changes and noise does."""
KEPT = 4
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


class _Known(NamedTuple):
    """What was read of a session: while ``stamp`` is the place's, it need not be read again."""

    stamp: str
    row: SessionRow
    images: Path | None


class FirstDays:
    """Finds first days. What was read is kept while its files stay as they are."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, str], _Known] = {}
        self._days: dict[tuple[Path, str], tuple[object, FirstDay | None]] = {}

    def find(self, root: Path, mouse: str, kind: str) -> FirstDay | None:
        """Return the first day of a mouse, None where no session of it has images.

        The session that runs is left out, and so is one whose images are damaged. The index is not asked: to bring it
        up to date, all that a running session has written would be read each time.

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
        try:
            places, _ = find_places(root, mouse)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{describe('read', root, error)}, or give another with --data-root") from error
        for place in places:
            if place is places[-1] and _runs(root, mouse, place):
                break
            known = self._of(root, place)
            fits = kind in ("", known.row.kind) and known.images is not None
            if fits and (day := self._day(root, known)) is not None:
                return day
        return None

    def _of(self, root: Path, place: Place) -> _Known:
        """Return what a session is, and where its images should be."""
        known = self._known.get((root, place.path))
        if known is None or known.stamp != place.stamp:
            try:
                with _open(root / place.path, place.clopy) as session:
                    images: Path | None = session.image_path
            except (RigError, *FILE_ERRORS):
                images = None
            known = self._known[root, place.path] = _Known(place.stamp, read_row(root, place), images)
        return known

    def _day(self, root: Path, known: _Known) -> FirstDay | None:
        """Return a session's picture, None where it has none."""
        key = (root, known.row.path)
        try:
            stat = os.stat(known.images or "")
        except OSError:
            return None
        stamp = (known.stamp, stat.st_mtime_ns, stat.st_size, stat.st_ino)
        before = self._days.pop(key, None)
        if before is None or before[0] != stamp:
            try:
                with _open(root / known.row.path, known.row.format == CLOPY) as session:
                    before = (stamp, _read(session, known.row))
            except (RigError, *FILE_ERRORS):
                before = (stamp, None)
        self._days[key] = before
        pictures = [each for each, (_, day) in self._days.items() if day is not None]
        for oldest in pictures[:-KEPT]:
            del self._days[oldest]
        return before[1]


def _runs(root: Path, mouse: str, place: Place) -> bool:
    """Return whether a mouse's newest session still runs."""
    if place.clopy or not is_held(root / mouse / MOUSE_LOCK):
        return False
    try:
        return read_session_json(root / place.path).get("outcome") == RUNNING
    except RigError:
        # Held, and session.json does not stand yet.
        return True


def _open(folder: Path, clopy: bool) -> RecordedSession:
    """Return a session whose images may be opened; of ours, the tables are not read. Raises SourceError."""
    if clopy:
        return open_session(folder)
    meta = read_session_json(folder) if (folder / SESSION_JSON).is_file() else {}
    return RecordedSession(folder, meta, (), no_frames(), no_timing(), (), image_path(folder, meta))


def _read(session: RecordedSession, row: SessionRow) -> FirstDay | None:
    count = min(MEAN_IMAGES, count_images(session))
    if not count:
        return None
    images = session.images()
    if not is_video(session.image_path) and misplaced(images, 0, count - 1, session.image_path.stat().st_size):
        return None
    # So many images of 16 bits have sums that float32 holds exactly.
    mean = np.zeros(images.shape[1:], np.float32)
    for place in range(count):
        mean += images[place]
    mean /= count
    settings = session.meta.get("settings")
    told = settings if isinstance(settings, dict) else {}
    grey = grey_of(mean, compared_channels(row.kind))
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
