"""Numbers a camera's frames and counts, by cause, those that were lost or came again. Pure."""

from __future__ import annotations

from typing import NamedTuple

from camera.driver import Grabbed, Lost
from core.losses import Losses, joined, total
from core.values import Frame, Report

LATE = "late"
REPEAT = "repeat"
LOST_CAMERA = "lost_camera"
UNNAMED = "driver"


class Place(NamedTuple):
    """Where a frame stands in the sequence.

    Attributes
    ----------
    number : int
        From 1; every frame that was lost has used up a number.
    lost : Losses
        Frames lost since the frame before, by cause, in the order of their numbers.
    """

    number: int
    lost: Losses

    @property
    def dropped(self) -> int:
        """Frames lost since the frame before."""
        return total(self.lost)


class Tally:
    """Gives frames their numbers, from first to last, also when the camera itself was lost in between.

    Parameters
    ----------
    framerate : float
        Frames per second, from which the frames are reckoned that a lost camera did not take.

    Attributes
    ----------
    counts : dict of str to int
        Frames by cause: what the driver names (``transport``, ``incomplete``, ``driver``), ``late`` (the loop did not
        fetch them), ``lost_camera`` (reckoned), and ``repeat`` (not after the frame before; these use no number).
    """

    def __init__(self, framerate: float) -> None:
        self.counts: dict[str, int] = {}
        self._framerate = framerate
        self._number = 0
        self._lost: Losses = ()  # since the last frame that got a place
        self._last_ns: int | None = None
        self._interrupted = False
        self._reports: list[Report] = []
        # One row per cause and look: a loop that stands still for a minute must not make a row per frame.
        self._drops: dict[str, tuple[int, int]] = {}

    @property
    def lost_since(self) -> Losses:
        """Frames lost since the last one that got a place, by cause."""
        return self._lost

    def place(self, grabbed: Grabbed) -> Place | None:
        """Return the place of the next frame; None for one whose time is not after that of the frame before.

        What was lost before a repeat is lost all the same: the gap before the next frame holds it.
        """
        self._lose(grabbed.lost, grabbed.cause or UNNAMED, grabbed.time_ns)
        if self._last_ns is not None and grabbed.time_ns <= self._last_ns:
            self._count(1, REPEAT, grabbed.time_ns)
            return None
        if self._interrupted:
            self._resume(grabbed)
        self._last_ns = grabbed.time_ns
        lost, self._lost = self._lost, ()
        self._number += total(lost) + 1
        return Place(self._number, lost)

    def lose(self, lost: Lost) -> None:
        """Count frames that will not come; the gap before the next frame holds them."""
        self._lose(lost.n, lost.cause or UNNAMED, lost.time_ns)

    def late(self, time_ns: int) -> None:
        """Count a frame that had its place and was not fetched in time."""
        self._count(1, LATE, time_ns)

    def camera_lost(self, time_ns: int, why: str) -> None:
        """Note that the camera was lost; once, however often it is said until frames come again."""
        if not self._interrupted:
            self._interrupted = True
            self._reports.append(Report(time_ns, "camera_lost", why))

    def take_reports(self) -> tuple[Report, ...]:
        """Return what has happened since the last look, oldest first: ``drop``, ``camera_lost``, ``camera_back``."""
        drops = [Report(time_ns, "drop", f"{n} {cause}") for cause, (time_ns, n) in self._drops.items()]
        reports = tuple(sorted([*self._reports, *drops], key=lambda report: report.time_ns))
        self._reports, self._drops = [], {}
        return reports

    def _resume(self, grabbed: Grabbed) -> None:
        """Reckon what the camera missed while it was lost, less what its driver has counted itself."""
        self._interrupted = False
        missed = 0
        if self._last_ns is not None:
            missed = round((grabbed.time_ns - self._last_ns) * self._framerate / 1e9) - 1
        self._lose(max(0, missed - total(self._lost)), LOST_CAMERA, grabbed.time_ns)
        self._reports.append(Report(grabbed.time_ns, "camera_back", f"{total(self._lost)} frames missed"))

    def _lose(self, n: int, cause: str, time_ns: int) -> None:
        if n > 0:
            self._lost = joined(self._lost, ((cause, n),))
            self._count(n, cause, time_ns)

    def _count(self, n: int, cause: str, time_ns: int) -> None:
        self.counts[cause] = self.counts.get(cause, 0) + n
        since, before = self._drops.get(cause, (time_ns, 0))
        self._drops[cause] = (since, before + n)


def after_late(lost: Frame, oldest: Frame) -> Frame:
    """Return the frame that follows one that was not fetched in time; what was lost before that is lost before it."""
    return oldest._replace(dropped=lost.dropped + 1 + oldest.dropped, lost=joined(lost.lost, ((LATE, 1),), oldest.lost))
