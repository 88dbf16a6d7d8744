"""A recording that is open for replay: what it holds, and its images in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from camera.stamps import IntArray, Stamps
from core.values import Image


class SourceKind(Enum):
    """What kind of recording frames are read from."""

    session = "session"
    hdf5 = "hdf5"
    video = "video"
    images = "images"


class Images(Protocol):
    """The images of one recording. Opened checked; used by one thread."""

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(height, width, 3)."""

    @property
    def frame_dtype(self) -> str:
        """``"uint8"`` or ``"uint16"``."""

    def get(self, index: int) -> Image:
        """Return image ``index``, (height, width, 3) BGR; indices never fall. Raises CameraError.

        The memory belongs to the receiver: it is not written to again.
        """

    def close(self) -> None:
        """Close the file; twice is legal."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a recording holds, as a check of the settings needs it.

    Attributes
    ----------
    kind : SourceKind
    width, height : int
        Frame size, px.
    n_frames : int
        Frames that replay will deliver.
    dtype : str
        ``"uint8"`` or ``"uint16"``.
    framerate_estimate : float
        1 / median time between frames, 1/s.
    duration_s : float
        From the first frame to the end of the last one's interval, s.
    """

    kind: SourceKind
    width: int
    height: int
    n_frames: int
    dtype: str
    framerate_estimate: float
    duration_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """An open recording.

    Attributes
    ----------
    path : Path
        What was opened, for messages.
    kind : SourceKind
    stamps : Stamps
        A row per frame to deliver.
    index : ndarray, (n_frames,) int64
        Where each frame's image stands in ``images``; rising.
    images : Images
    """

    path: Path
    kind: SourceKind
    stamps: Stamps
    index: IntArray
    images: Images

    def info(self, framerate: float) -> SourceInfo:
        """Return what the recording holds; ``framerate`` (1/s) stands in where a single frame has no interval."""
        height, width, _ = self.images.frame_shape
        interval = self.stamps.interval_ns(framerate)
        span = int(self.stamps.time_ns[-1] - self.stamps.time_ns[0])
        return SourceInfo(
            kind=self.kind,
            width=width,
            height=height,
            n_frames=len(self.stamps),
            dtype=self.images.frame_dtype,
            framerate_estimate=1e9 / interval,
            duration_s=(span + interval) / 1e9,
        )

    def close(self) -> None:
        """Close the files; twice is legal."""
        self.images.close()
