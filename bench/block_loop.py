"""One session's loop over one source of images, whose camera and sink are others in each block of a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.brain_session import make_loop
from bench.drawn import Drawn, Images
from camera.pace import Paced
from core.clock import MonotonicClock
from core.values import Frame
from recording.schema import FrameRow, SideRow, TimingRow
from session.loop import FrameSink


class Joint:
    """Camera and sink of a loop; remembers when the newest frame was read and its last command given."""

    def __init__(self) -> None:
        self.camera: Paced | None = None
        self.sink: FrameSink | None = None
        self.read_ns = self.command_ns = 0

    def read(self, timeout_s: float) -> Frame:
        """Return the camera's next frame."""
        assert self.camera is not None
        return self.camera.read(timeout_s)

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Hand a frame to the sink."""
        assert self.sink is not None
        self.read_ns, self.command_ns = timing.read_ns, timing.command_ns
        self.sink.write(frame, row, timing, side)

    def note(self, side: Sequence[SideRow]) -> None:
        """Hand over what belongs to no frame."""
        assert self.sink is not None
        self.sink.note(side)


class BlockLoop:
    """See the module.

    Parameters
    ----------
    images : ndarray, (frames, height, width, 3) uint8
    framerate : float
    scratch : Path
        Where blocks record; what they left is removed after each.

    Attributes
    ----------
    refused : list of str
        Rights that the loop's thread asked for and did not get.
    """

    def __init__(self, images: Images, framerate: float, scratch: Path) -> None:
        self.refused: list[str] = []
        self._clock = MonotonicClock()
        self._framerate = framerate
        self._source = Drawn(images, framerate)
        self._joint = Joint()
        self._loop, self._rig = make_loop(self._joint, self._joint, self._clock, framerate)
        self._scratch = scratch

    def close(self) -> None:
        """Close the rig."""
        self._rig.close()
