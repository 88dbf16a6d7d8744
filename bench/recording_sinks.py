"""What a loop's frames are recorded with: nothing, our recorder, and what is often done in the loop's own thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.brain_session import IMAGE_FILE, SHAPE, SIDE, make_recorder
from bench.processes import cpu_ns
from core.values import Frame
from recording.recorder import Recorder
from recording.schema import IMAGES, FrameRow, SideRow, TimingRow


class Sink(Protocol):
    """A ``session.loop.FrameSink`` that ends, and tells what its own process took."""

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Take one frame."""

    def note(self, side: Sequence[SideRow]) -> None:
        """Take what belongs to no frame."""

    def cpu_ns(self) -> int:
        """Return the processor time of another process that records, ns; 0 where there is none."""

    def close(self) -> Kept:
        """End; return what is on disk."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is on disk of a block.

    Attributes
    ----------
    frames, dropped : int
        Rows on record, and images that were not kept.
    sizes : dict of str to int
        Bytes of each file.
    """

    frames: int = 0
    dropped: int = 0
    sizes: Mapping[str, int] | None = None


class Nothing:
    """Records nothing."""

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Let it go."""

    def note(self, side: Sequence[SideRow]) -> None:
        """Let it go."""

    def cpu_ns(self) -> int:
        """No process."""
        return 0

    def close(self) -> Kept:
        """Nothing to end."""
        return Kept()


class Recording:
    """Rigloop's recorder, running.

    Parameters
    ----------
    folder : Path
        Is made.
    slots : int
    record_images : bool
    """

    def __init__(self, folder: Path, slots: int, record_images: bool = True) -> None:
        self._folder = folder
        self._recorder: Recorder = make_recorder(folder, slots, record_images=record_images)
        self._recorder.start()
        self.write = self._recorder.write
        self.note = self._recorder.note

    def cpu_ns(self) -> int:
        """Return the writer's."""
        return cpu_ns(self._recorder.writer_pid)

    def close(self) -> Kept:
        """Close; raises SystemExit where something failed, as the figures then are of something else."""
        done = self._recorder.close()
        if done.error:
            raise SystemExit(f"bench_recording: {done.error}")
        return Kept(
            done.images, done.images_dropped, {path.name: path.stat().st_size for path in self._folder.iterdir()}
        )


class _InLoop:
    """Writes a line of text per frame in the loop's thread, as CLoPy does; the images are up to those that inherit."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._log = (folder / "VideoTimestamp.txt").open("w", encoding="utf-8")
        self._count = 0

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Write image and line."""
        del timing, side
        self._keep(frame)
        self._count += 1
        self._log.write("\t".join(map(str, row)) + "\n")

    def note(self, side: Sequence[SideRow]) -> None:
        """Leave it out, as CLoPy does."""

    def cpu_ns(self) -> int:
        """No process."""
        return 0

    def _keep(self, frame: Frame) -> None:
        raise NotImplementedError

    def close(self) -> Kept:
        """Close the log."""
        self._log.close()
        return Kept(self._count)


class Hdf5InLoop(_InLoop):
    """Grows an HDF5 dataset by an image, in the loop's thread."""

    def __init__(self, folder: Path) -> None:
        import h5py

        super().__init__(folder)
        self._file: Any = h5py.File(folder / IMAGE_FILE, "w")
        self._images: Any = self._file.create_dataset(
            IMAGES, shape=(0, *SHAPE), maxshape=(None, *SHAPE), chunks=(1, *SHAPE), dtype="uint8"
        )

    def _keep(self, frame: Frame) -> None:
        self._images.resize(self._count + 1, axis=0)
        self._images[self._count] = frame.image

    def close(self) -> Kept:
        """Close both files."""
        self._file.close()
        return super().close()


class VideoInLoop(_InLoop):
    """Encodes a video (MPEG-4) with OpenCV, in the loop's thread."""

    def __init__(self, folder: Path, framerate: float) -> None:
        import cv2

        super().__init__(folder)
        code = cv2.VideoWriter.fourcc(*"mp4v")
        self._video: Any = cv2.VideoWriter(str(folder / "video.mp4"), code, framerate, (SIDE, SIDE))
        if not self._video.isOpened():
            raise SystemExit("bench_recording: this OpenCV has no MPEG-4 encoder")

    def _keep(self, frame: Frame) -> None:
        self._video.write(frame.image)

    def close(self) -> Kept:
        """Close both files."""
        self._video.release()
        return super().close()


OFF, LOG_ONLY, ON = "off", "log only", "log and images"
OURS = (OFF, LOG_ONLY, ON)
RIVALS = ("h5py in the loop", "cv2.VideoWriter in the loop")


def makers(framerate: float, slots: int) -> dict[str, Callable[[Path], Sink]]:
    """Return how each sink is made in a new folder, for a loop of ``framerate`` and a ring of ``slots`` images."""
    return {
        OFF: lambda _: Nothing(),
        LOG_ONLY: lambda folder: Recording(folder, slots, record_images=False),
        ON: lambda folder: Recording(folder, slots),
        RIVALS[0]: Hdf5InLoop,
        RIVALS[1]: lambda folder: VideoInLoop(folder, framerate),
    }
