"""A session as a source of frames: the recorded numbers, times and losses, exactly; images from HDF5 or a video."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from camera.hdf5_source import Hdf5Images
from camera.source import Source, SourceKind
from camera.stamps import IntArray, Stamps, check_times
from core.errors import CameraError, SourceError
from core.losses import Losses, joined
from core.values import Image
from recording.reader import open_session
from recording.recorded import check_images, check_rows
from recording.schema import FRAMES_CSV
from recording.video_read import VideoImages, is_video

RECORDING = "recording"
"""Cause of what a recording lacks that does not tell why."""
NO_IMAGE = "no_image"
"""Cause of a frame that was recorded without its image."""
NO_CAUSES: Mapping[int, str] = MappingProxyType({})


class RecordedVideo:
    """Frames of a session's video in order; (height, width, 3) BGR. Raises SourceError where it is none."""

    def __init__(self, path: Path) -> None:
        self._video = VideoImages(path)
        self.n_images = len(self._video)
        self.frame_shape = (int(self._video.shape[1]), int(self._video.shape[2]), 3)
        self.frame_dtype = str(self._video.dtype.name)

    def get(self, index: int) -> Image:
        """Return frame ``index``; those before it are skipped. Raises CameraError when it cannot be decoded."""
        try:
            return self._video.get(index)
        except SourceError as error:
            raise CameraError(str(error)) from error

    def whole(self) -> int:
        """Return how many frames from the first on are whole in the file."""
        return self.n_images

    def check(self, first: int, last: int) -> None:
        """Decode frame ``first``, which will be asked for. Raises SourceError.

        That the others up to ``last`` are whole was seen when they were counted.
        """
        del last
        self._video.get(first)

    def close(self) -> None:
        """Close the file; twice is legal."""
        self._video.close()


def open_session_source(path: Path) -> Source:
    """Open a session of ours, or a movement session of CLoPy's: ``path`` is its folder, file of images or log.

    Images of a video are as its codec gives them back: with h264 near to those that the camera saw, not equal.

    A row whose image was not kept, or did not reach the disk before the session was killed, is not delivered; it counts
    as lost in ``dropped`` of the next frame that is, its cause being ``no_image``. What had been lost when the session
    was recorded has the cause that was recorded, or ``recording`` where none was.

    Raises
    ------
    SourceError
        If the session has no images, or a log that does not fit them.
    """
    session = open_session(path)
    folder, frames = session.folder, session.frames
    if not session.has_images:
        raise SourceError(
            f"{folder}: this session kept no images, so it cannot be replayed; give one recorded with record_images = 1"
        )
    rows = np.stack([frames.frame, frames.time_ns, frames.sensor_ns, frames.dropped, frames.image], axis=1)
    check_rows(session)
    check_images(session)
    images = RecordedVideo(session.image_path) if is_video(session.image_path) else Hdf5Images(session.image_path)
    try:
        cut = session.meta.get("outcome") == "running"  # nobody closed it: it was killed, or the power failed
        causes = {row.frame: row.cause for row in session.missing or ()}
        stamps, index = deliverable(rows, images.whole() if cut else images.n_images, causes)
        if not len(stamps):
            raise SourceError(
                f"{folder}: none of its {len(rows)} frames has an image, so it cannot be replayed; give another session"
            )
        if np.any(np.diff(index) <= 0):
            raise SourceError(f"{folder / FRAMES_CSV}: column image does not rise; the file is damaged, give another")
        images.check(int(index[0]), int(index[-1]))
        check_times(stamps, folder / FRAMES_CSV, "the file is damaged, give another session")
        return Source(folder, SourceKind.session, stamps, index, images)
    except BaseException:
        images.close()
        raise


def deliverable(rows: IntArray, n_images: int, causes: Mapping[int, str] = NO_CAUSES) -> tuple[Stamps, IntArray]:
    """Return stamps and image index of the rows that have an image among the first ``n_images``.

    Parameters
    ----------
    rows : ndarray, (n_rows, 5) int64
        Columns frame, time_ns, sensor_ns, dropped, image.
    n_images : int
        Images in the file.
    causes : dict of int to str
        Of the numbers that have no row, as far as it was recorded.
    """
    number, time_ns, sensor_ns, dropped, image = rows.T
    kept = np.flatnonzero((image >= 0) & (image < n_images))
    # Losses up to and with each row, a row without image being a loss itself: their differences are exact.
    has_image = np.zeros(len(rows), np.int64)
    has_image[kept] = 1
    so_far = np.cumsum(dropped + 1 - has_image)
    between = np.diff(so_far[kept], prepend=0)
    lost = _losses(np.delete(number, kept), number[kept], between, causes)
    return Stamps(number[kept], time_ns[kept], sensor_ns[kept], between, lost), image[kept]


def _losses(no_image: IntArray, delivered: IntArray, between: IntArray, causes: Mapping[int, str]) -> dict[int, Losses]:
    """Return why frames are lost before a frame that is delivered, by its number."""
    named = {**causes, **dict.fromkeys(no_image.tolist(), NO_IMAGE)}
    known = sorted(named)
    after = np.flatnonzero(between > 0)
    return {
        frame: joined(_runs(frame - n, frame, known, named))
        for frame, n in zip(delivered[after].tolist(), between[after].tolist(), strict=True)
    }


def _runs(first: int, end: int, known: list[int], named: Mapping[int, str]) -> Iterator[tuple[str, int]]:
    """Yield the causes of numbers ``first`` to ``end - 1``, of which some are ``known``, sorted, as ``named``."""
    for number in known[bisect_left(known, first) : bisect_left(known, end)]:
        yield RECORDING, number - first
        yield named[number], 1
        first = number + 1
    yield RECORDING, end - first
