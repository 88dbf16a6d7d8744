"""What a running session comes to so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.losses import Losses, losses_of, total
from core.trial import TrialState
from core.values import Frame
from session.frame_tally import FrameTally


@dataclass(slots=True)
class Status:
    """What a person watching wants to know; written by the loop, read by the progress bar's thread.

    Attributes
    ----------
    state : TrialState
    frames, dropped, skipped : int
        Frames read, frames lost on the way, and of those read the ones that were recorded and not judged, as a newer
        one waited.
    first_ns, now_ns : int
        Times of the first and the newest frame, -1 before.
    water : int
        Openings that were asked of the valve and not refused, free drops included.
    fails : int
        Trials that were no success.
    number : int
        The camera's number of the newest frame, 0 before.
    tally : FrameTally
        Frames that were lost, skipped or given again, by cause.
    images_dropped_by : callable
        Returns the images that were not kept so far, by cause.
    second : callable
        Returns what a second camera has lost or given again so far, images that were not kept included.
    """

    state: TrialState
    frames: int = 0
    dropped: int = 0
    first_ns: int = -1
    now_ns: int = -1
    water: int = 0
    fails: int = 0
    skipped: int = 0
    number: int = 0
    tally: FrameTally = field(default_factory=FrameTally)
    images_dropped_by: Callable[[], Mapping[str, int]] = dict
    second: Callable[[], FrameTally] = FrameTally

    def take(self, frame: Frame) -> None:
        """Count a frame that was read and is recorded."""
        self.number = frame.number
        self.frames += 1
        self.now_ns = frame.time_ns
        if self.first_ns < 0:
            self.first_ns = frame.time_ns
        if frame.dropped:
            self.lose(losses_of(frame.dropped, frame.lost))

    def lose(self, lost: Losses) -> None:
        """Count frames that did not come."""
        self.dropped += total(lost)
        self.tally = self.tally.lose(lost)

    def skip(self, frames: int, cause: str) -> None:
        """Count frames that were taken and not judged."""
        self.skipped += frames
        self.tally = self.tally.skip(frames, cause)
