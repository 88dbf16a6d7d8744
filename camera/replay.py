"""A recording as a camera."""

from __future__ import annotations

from camera.find_source import open_source, probe_source
from camera.lifecycle import Lifecycle
from camera.source import Source, SourceInfo, SourceKind
from core.ports import EndOfSource
from core.values import Frame

__all__ = ["ReplayCamera", "SourceInfo", "SourceKind", "open_replay", "probe_source"]


class ReplayCamera:
    """Delivers the frames of a recording in order and at once, with the numbers, times and losses it recorded.

    ``camera.pace.Paced`` around it gives them out at the pace at which they were recorded.

    Parameters
    ----------
    source : Source
        An open recording; the camera owns it and closes it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._life = Lifecycle(f"replay of {source.path}")
        stamps = source.stamps
        # Python integers: a frame's times travel on into JSON and CSV, and int64 scalars would overflow silently.
        columns = (stamps.number, stamps.time_ns, stamps.dropped, stamps.sensor_ns, source.index)
        self._rows = [column.tolist() for column in columns]
        self._next = 0

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(height, width, 3) of the recorded frames."""
        return self._source.images.frame_shape

    @property
    def frame_dtype(self) -> str:
        """``"uint8"`` or ``"uint16"``, as recorded."""
        return self._source.images.frame_dtype

    @property
    def expected_frames(self) -> int | None:
        """Frames of the recording that have an image."""
        return len(self._source.stamps)

    def start(self) -> None:
        """Begin with the first frame. Raises CameraError."""
        self._life.start()

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame; a recording never keeps anyone waiting, so ``timeout_s`` (s) is not used.

        Raises EndOfSource after the last frame, CameraError when an image cannot be read.
        """
        del timeout_s
        self._life.check_readable()
        if self._next >= len(self._source.stamps):
            raise EndOfSource(f"{self._source.path}: all {self._next} frames have been delivered")
        number, time_ns, dropped, sensor_ns, index = (column[self._next] for column in self._rows)
        image = self._source.images.get(index)
        self._next += 1
        return Frame(image, number, time_ns, dropped, sensor_ns, self._source.stamps.lost.get(number, ()))

    def close(self) -> None:
        """Close the recording; twice is legal."""
        if self._life.close():
            self._source.close()


def open_replay(path: str, framerate: float) -> ReplayCamera:
    """Open a recording as a camera; parameters and SourceError as in ``probe_source``."""
    return ReplayCamera(open_source(path, framerate))
