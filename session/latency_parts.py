"""The parts that a latency test puts round the real loop: a light that flashes, an eye for it, ears, a log of edges."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np

from core.errors import OutputError
from core.ports import Camera, Clock, Lines, Pipeline
from core.values import Frame, Level, Line, Pulse, Report, Signal
from recording.schema import FrameRow, SideRow, TimingRow
from roi_manager import Shape
from session.latency_result import Decision

HOLD = 3
"""Frames that a flash lasts after it was seen."""
GAP = 4
"""Least frames of dark between two flashes."""
GIVE_UP = 45
"""Frames after which a flash that nobody saw ends."""


class Ear(Protocol):
    """Hears the high tone begin. Called by the thread of the loop."""

    about: str

    def start(self, go_on: Callable[[], bool]) -> None:
        """Begin to listen. Raises OutputError, and Interrupted as soon as ``go_on`` says no."""

    def poll(self) -> None:
        """Called once per frame; never blocks. Raises OutputError when the device is lost."""

    def highs_ns(self) -> Sequence[int]:
        """Return when the high tone began, each time, as far as was heard; called once, after the last frame."""

    def close(self) -> None:
        """Release the device; twice is legal."""


class NoEar:
    """Hears nothing."""

    about = "none"

    def start(self, go_on: Callable[[], bool]) -> None:
        """Nothing to begin."""

    def poll(self) -> None:
        """Nothing to hear."""

    def highs_ns(self) -> Sequence[int]:
        """Return nothing."""
        return ()

    def close(self) -> None:
        """Nothing to release."""


class EdgeLog:
    """Every edge that the guardian told of, by line."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}
        self._highs: dict[str, list[bool]] = {}

    def take(self, reports: Sequence[Report]) -> None:
        """Add the edges among these reports. Raises OutputError where one cannot be read."""
        for report in reports:
            if report.kind != "edge":
                continue
            line, _, level = report.detail.rpartition(" ")
            if level not in ("0", "1"):
                raise OutputError(f"guardian: told of an edge {report.detail!r}; expected a line and 0 or 1")
            self._times.setdefault(line, []).append(report.time_ns)
            self._highs.setdefault(line, []).append(level == "1")

    def rises(self, line: Line) -> list[int]:
        """Return when the line rose, ns."""
        times, highs = self._times.get(line.value, []), self._highs.get(line.value, [])
        return [at for at, high in zip(times, highs, strict=True) if high]

    def level_at(self, line: Line, time_ns: int) -> bool:
        """Return whether the line was high then."""
        before = bisect_right(self._times.get(line.value, []), time_ns)
        return before > 0 and self._highs[line.value][before - 1]

    def high_ns(self, line: Line, start_ns: int, end_ns: int) -> int:
        """Return how long the line was high from ``start_ns`` to ``end_ns``."""
        times = [at for at in self._times.get(line.value, []) if start_ns < at < end_ns]
        bounds = [start_ns, *times, end_ns]
        return sum(end - start for start, end in pairwise(bounds) if end > start and self.level_at(line, start))


class Brightness:
    """Pipeline: brightness where the ROIs lie, 0 dark and 1 lit; below ``THRESHOLD`` it is 0.

    The session's own pipeline is run on each frame, too, so that its time is in what is measured.

    Parameters
    ----------
    session : Pipeline
    rois : mapping of str to Shape
        The box round all of them is looked at; the whole image where there is none.
    """

    THRESHOLD = 0.5
    names = ("brightness",)

    def __init__(self, session: Pipeline, rois: Mapping[str, Shape]) -> None:
        self._session = session
        self._dark, self._lit = 0.0, 1.0
        boxes = [shape.bounds() for shape in rois.values()]
        self._rows, self._cols = slice(None), slice(None)
        if boxes:
            x0, y0, x1, y1 = (
                pick(each) for pick, each in zip((min, min, max, max), zip(*boxes, strict=True), strict=True)
            )
            self._rows, self._cols = slice(max(0, int(y0)), int(y1)), slice(max(0, int(x0)), int(x1))

    def brightness(self, frame: Frame) -> float:
        """Return the mean count of the box."""
        return float(np.mean(frame.image[self._rows, self._cols]))

    def learn(self, dark: float, lit: float) -> None:
        """Take the brightness without and with the light."""
        self._dark, self._lit = dark, lit

    def update(self, frame: Frame) -> Signal:
        """Return how lit the frame is."""
        self._session.update(frame)
        value = (self.brightness(frame) - self._dark) / (self._lit - self._dark)
        value = value if value >= self.THRESHOLD else 0.0
        return Signal(value, True, "", (value,))


class FlashingCamera:
    """Reads a camera, and flashes the light at random moments between two frames.

    The moment is drawn from one whole frame interval, so that every phase of the exposure is met alike.

    Parameters
    ----------
    camera : Camera
    lines : Lines
    line : Line
        The light's.
    clock : Clock
    rng : Generator
    interval_ns : int
        Between two frames.

    Attributes
    ----------
    asked_ns : list of int
        When each flash was asked for.
    lit : bool
        Whether a flash is on that has not been seen out.
    """

    def __init__(
        self, camera: Camera, lines: Lines, line: Line, clock: Clock, rng: np.random.Generator, interval_ns: int
    ) -> None:
        self._camera, self._lines, self._line = camera, lines, line
        self._clock, self._rng, self._interval_ns = clock, rng, interval_ns
        self.asked_ns: list[int] = []
        self.lit = False
        self._frames = self._seen = 0
        self._wait = GAP

    def read(self, timeout_s: float) -> Frame:
        """Flash if it is time, then return the next frame. Raises what the camera and the lines raise."""
        if not self.lit and self._wait == 0:
            moment = self._clock.now_ns() + int(self._rng.integers(self._interval_ns))
            self._clock.sleep_until_ns(moment)
            self.asked_ns.append(self._clock.now_ns())
            self._switch(True)
        return self._camera.read(timeout_s)

    def judged(self, bright: bool) -> None:
        """Learn what the loop made of the frame that was read last."""
        if not self.lit:
            # Dark means dark in the image: the last flash must have gone from it.
            self._wait = max(1, self._wait) if bright else max(0, self._wait - 1)
            return
        self._frames += 1
        self._seen += bright
        if self._seen >= HOLD or self._frames >= GIVE_UP:
            self._switch(False)
            self._wait = GAP + int(self._rng.integers(GAP))

    def _switch(self, high: bool) -> None:
        self._lines.set(Level(self._line, high), self._clock.now_ns())
        self.lit = high
        self._frames = self._seen = 0


class AnswerLines:
    """Lines on which the loop's success LED is the answering line, and nothing else comes out.

    Parameters
    ----------
    lines : Lines
        Not closed by this.
    answer : Line
    now_ns : callable
        Commands are stamped with the frame's time, which lies before that of a flash: the lines get the host's.
    """

    def __init__(self, lines: Lines, answer: Line, now_ns: Callable[[], int]) -> None:
        self._lines, self._answer, self._now_ns = lines, answer, now_ns

    def set(self, level: Level, time_ns: int) -> None:
        """Leave the line as it is."""

    def pulse(self, pulse: Pulse, time_ns: int) -> None:
        """Raise the answering line for a success."""
        del time_ns
        if pulse.line is Line.SUCCESS_LED:
            self._lines.pulse(Pulse(self._answer, pulse.duration_s), self._now_ns())

    def close(self) -> None:
        """Not the owner."""


class Decisions:
    """Sink of the loop: keeps the frames on which it paid, which is when it answers."""

    def __init__(self) -> None:
        self.paid: list[Decision] = []
        self.bright = False

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Keep what matters of one frame."""
        del side
        self.bright = row.signal > 0
        if row.water:
            self.paid.append(Decision(frame.time_ns, timing.read_ns, timing.decision_ns))

    def note(self, side: Sequence[SideRow]) -> None:
        """Nothing is kept."""
