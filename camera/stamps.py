"""When the frames of a recording were taken, and which of them were lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import SourceError
from core.losses import Losses

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """Number, times and losses of each frame that a source will deliver, in order.

    Attributes
    ----------
    number : ndarray, (n_frames,) int64
        The camera's count, from 1.
    time_ns : ndarray, (n_frames,) int64
        Capture time, ns; strictly increasing.
    sensor_ns : ndarray, (n_frames,) int64
        The sensor's own stamp, ns; 0 where there is none.
    dropped : ndarray, (n_frames,) int64
        Frames lost since the previous one.
    lost : dict of int to Losses
        Why, for each frame with losses, by its number; see ``core.losses``.
    """

    number: IntArray
    time_ns: IntArray
    sensor_ns: IntArray
    dropped: IntArray
    lost: Mapping[int, Losses] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.number)

    def interval_ns(self, framerate: float) -> float:
        """Return the median time between two frames, ns; that of ``framerate`` (1/s) where there is only one frame."""
        return float(np.median(np.diff(self.time_ns))) if len(self) > 1 else 1e9 / framerate


def frame_time_ns(index: int, framerate: float) -> int:
    """Return the time of frame ``index`` (from 0) at ``framerate`` (1/s), whole ns, frame 0 at 0.

    Each is rounded by itself, so that the error never adds up: it is at most half a ns for any index.
    """
    return round(index * 1e9 / framerate)


def index_times(n_frames: int, framerate: float) -> IntArray:
    """Return ``frame_time_ns`` of frames 0 to n-1; (n_frames,) int64 ns."""
    times: IntArray = np.rint(np.arange(n_frames) * 1e9 / framerate).astype(np.int64)
    return times


def complete(time_ns: IntArray) -> Stamps:
    """Return the stamps of a recording without losses: numbers 1 to n, no sensor stamps."""
    none = np.zeros(len(time_ns), np.int64)
    return Stamps(np.arange(1, len(time_ns) + 1), time_ns, none, none)


def check_times(stamps: Stamps, path: Path, cure: str) -> None:
    """Raise SourceError naming the first frame of ``path`` whose time is not after that of the frame before."""
    bad = np.flatnonzero(np.diff(stamps.time_ns) <= 0)
    if len(bad):
        at = int(bad[0])
        step = int(stamps.time_ns[at + 1] - stamps.time_ns[at])
        went = "go backwards" if step < 0 else "stand still"
        raise SourceError(
            f"{path}: the time stamps {went} at frame {stamps.number[at + 1]} ({step / 1e6:g} ms after frame "
            f"{stamps.number[at]}); {cure}"
        )
