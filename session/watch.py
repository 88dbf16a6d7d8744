"""What a person is told of a session while it runs, and when it will be over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.values import as_seconds
from session.build import Parts
from session.prepare import PrepareWatch
from session.status import Status


@dataclass(frozen=True, slots=True)
class Goal:
    """When a session will be over, as far as that is known.

    Attributes
    ----------
    trials : int
        Number of trials, 0 in a resting session.
    rest_s : float
        Duration of a resting session, s.
    frames : int or None
        Frames the source holds, if it ends by itself.
    """

    trials: int
    rest_s: float
    frames: int | None


class SessionWatch(PrepareWatch):
    """What a person's screen is told; this one shows nothing. Called by the runner's thread."""

    def started(self, folder: Path, status: Status, goal: Goal) -> None:
        """The session has begun; ``status`` is live from now on."""

    def warn(self, text: str) -> None:
        """Something should be known, and stops nothing; the loop runs, so nothing here may wait for a screen."""

    def closing(self) -> None:
        """The loop is over; outputs are shut off and files closed, which a slow disk can make long."""

    def ended(self) -> None:
        """All is closed."""


def goal_of(parts: Parts) -> Goal:
    """Return what a session of these parts counts up to."""
    plan = parts.plan
    trials = 0 if plan.resting else len(plan.schedule)
    return Goal(trials, as_seconds(plan.first_rest_ns) if plan.resting else 0.0, parts.camera.expected_frames)
