"""What a loop of the page's benchmark hands its frames to: what a session tells a page, and the rival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.brain_session import FORMULA, HISTORY_S, ROIS, SHAPE
from brain.settings import DffMode
from core.values import Frame
from dashboard.pictures import Pictures
from recording.schema import FrameRow, SideRow, TimingRow
from session.live_link import EARLY_NS, PERIOD_NS
from session.live_wire import WIRE
from session.loop import FrameSink


def about_session(framerate: float) -> dict[str, Any]:
    """Return what a page is told of the session, as ``session.live_status.live_about``."""
    return {
        "wire": WIRE,
        "what": "session",
        "mouse": "BENCH",
        "experiment": "",
        "kind": "clnf",
        "rig": "bench",
        "folder": "",
        "shape": SHAPE,
        "dtype": "uint8",
        "names": tuple(ROIS),
        "live": True,
        "framerate": framerate,
        "rois": {name: shape.text() for name, shape in ROIS.items()},
        "tones_hz": [1000.0, 22000.0],
        "goal": {"trials": 10_000, "rest_s": 0.0, "frames": None},
        "settings": {"dff_history": HISTORY_S, "dff_mode": DffMode.green_minus_blue.value, "roi_formula": FORMULA},
    }


class InLoop:
    """Makes the page's pictures in the loop's thread, fifteen times a second, as a window of OpenCV has it; the rival.

    They are those that the page's own process makes, so that only the place of the work differs. A window would draw
    them as well, and wait a millisecond for a key.

    Parameters
    ----------
    recorder : FrameSink
        What records.
    framerate : float
    """

    def __init__(self, recorder: FrameSink, framerate: float) -> None:
        self._recorder = recorder
        self._pictures = Pictures(about_session(framerate))
        self._due_ns = 0

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Record a frame, and make its pictures if they are due."""
        self._recorder.write(frame, row, timing, side)
        if timing.command_ns < self._due_ns - EARLY_NS:
            return
        self._due_ns = max(self._due_ns + PERIOD_NS, timing.command_ns)
        self._pictures.camera(frame.image)
        self._pictures.dff(frame.image, frame.time_ns)

    def note(self, side: Sequence[SideRow]) -> None:
        """Record what belongs to no frame."""
        self._recorder.note(side)
