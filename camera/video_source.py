"""A video file as a source of frames."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from camera.opencv import load_cv2
from camera.source import Source, SourceKind
from camera.stamps import complete, index_times
from core.errors import CameraError, SourceError
from core.values import Image

MAX_FRAMERATE = 1000.0
EXACT = frozenset({".mp4", ".mov", ".m4v"})
"""Containers whose header has an entry for every frame."""
_TOLERANCE = 0.02
_CURE = "give a video that OpenCV can decode (.mp4, .avi, .mkv, .mov), or a folder of its images"


class VideoImages:
    """Frames of a video in order, decoded one by one with OpenCV; (height, width, 3) uint8 BGR."""

    frame_dtype = "uint8"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._capture = _open_capture(path)
        ok, first = self._capture.read()
        if not ok:
            self._capture.release()
            raise SourceError(f"{path}: its first frame cannot be decoded; {_CURE}")
        self.frame_shape = (int(first.shape[0]), int(first.shape[1]), 3)
        self._ahead: Image | None = first
        self._next = 0

    def get(self, index: int) -> Image:
        """Return frame ``index``; those before it are skipped. Raises CameraError when it cannot be decoded."""
        image: Image | None = None
        while self._next <= index:
            image, self._ahead = self._ahead, None
            if image is None:
                ok, image = self._capture.read()
                if not ok or image is None or image.shape != self.frame_shape:
                    raise CameraError(f"{self._path}: frame {self._next + 1} cannot be decoded; is the file damaged?")
            self._next += 1
        if image is None:
            raise CameraError(f"{self._path}: frame {index + 1} was read before; a video is read in order only")
        return image

    def close(self) -> None:
        """Release the decoder; twice is legal."""
        self._ahead = None
        self._capture.release()


def open_video(path: Path, framerate: float) -> Source:
    """Open a video; times from its container where they increase, else from its frame rate (or ``framerate``, 1/s).

    The whole file is decoded once before, because only that tells how many frames really come and at which times: the
    counts in the headers of .avi and .mkv files are guesses. About 3500 frames/s at 640x480 on two cores.

    Raises
    ------
    SourceError
        If nothing in it can be decoded.
    """
    status = path.stat()
    times_ms, container_rate, promised = _scan(path, status.st_mtime_ns, status.st_size)
    if not times_ms:
        raise SourceError(f"{path}: not one frame can be decoded; {_CURE}")
    if path.suffix.lower() in EXACT and len(times_ms) < (1 - _TOLERANCE) * promised - 1:
        raise SourceError(
            f"{path}: damaged; its header counts {promised} frames, {len(times_ms)} can be decoded; restore it from a "
            "copy, or save what can be decoded as another video"
        )
    time_ns = np.rint((np.array(times_ms) - times_ms[0]) * 1e6).astype(np.int64)
    if np.any(np.diff(time_ns) <= 0):
        # Raw streams and some cameras' files carry no usable stamps: the decoder gives zeros or repeats.
        rate = container_rate if 0 < container_rate <= MAX_FRAMERATE else framerate
        time_ns = index_times(len(times_ms), rate)
    return Source(path, SourceKind.video, complete(time_ns), np.arange(len(times_ms)), VideoImages(path))


@lru_cache(maxsize=8)
def _scan(path: Path, _mtime_ns: int, _size: int) -> tuple[tuple[float, ...], float, int]:
    """Return each frame's time in ms, and the container's frame rate and count of frames.

    Remembered as long as the file is unchanged.
    """
    cv2 = load_cv2()
    capture = _open_capture(path)
    try:
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        promised = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        times: list[float] = []
        while capture.grab():
            times.append(float(capture.get(cv2.CAP_PROP_POS_MSEC)))
        return tuple(times), rate, promised
    finally:
        capture.release()


def _open_capture(path: Path) -> Any:
    cv2 = load_cv2()
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        capture.release()
        raise SourceError(f"{path}: is not a video, or is damaged; {_CURE}")
    return capture
