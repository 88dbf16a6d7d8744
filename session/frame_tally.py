"""Frames and images that a session lost, skipped or got twice, counted by cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.losses import Losses

ByCause = Mapping[str, int]
"""How many, by cause."""

AGAIN_NUMBER = "number"
"""Cause of a repeat: its number is not after that of the frame before."""
AGAIN_TIME = "time"
"""Cause of a repeat: its time is not."""


@dataclass(frozen=True, slots=True)
class FrameTally:
    """Counts by cause; a new one for each change, so that another thread always sees a whole one.

    Attributes
    ----------
    dropped : dict of str to int
        Numbers that no frame came of: what the camera names (``transport``, ``late``, ``lost_camera`` ...), else
        ``unknown``.
    skipped : dict of str to int
        Frames that were recorded and not judged: ``inference``, ``late``, ``<device> lost``, ``recording`` (the session
        whose poses are replayed had skipped them).
    repeated : dict of str to int
        Frames that were given again, and are no frames: AGAIN_NUMBER, AGAIN_TIME.
    images_dropped : dict of str to int
        Images that were not kept: as the recorder names it.
    """

    dropped: ByCause = field(default_factory=dict, hash=False)
    skipped: ByCause = field(default_factory=dict, hash=False)
    repeated: ByCause = field(default_factory=dict, hash=False)
    images_dropped: ByCause = field(default_factory=dict, hash=False)

    def lose(self, lost: Losses) -> FrameTally:
        """Return the tally after these numbers were lost."""
        return replace(self, dropped=_more(self.dropped, lost))

    def skip(self, frames: int, cause: str) -> FrameTally:
        """Return the tally after frames that were not judged."""
        return replace(self, skipped=_more(self.skipped, ((cause, frames),)))

    def repeat(self, cause: str, frames: int = 1) -> FrameTally:
        """Return the tally after frames that came again."""
        return replace(self, repeated=_more(self.repeated, ((cause, frames),)))

    def with_images(self, dropped: ByCause) -> FrameTally:
        """Return the tally with these images that were not kept, in place of those it had."""
        return replace(self, images_dropped=_more({}, dropped.items()))

    def json(self) -> dict[str, dict[str, int]]:
        """Return what ``--json`` prints as ``by_cause``."""
        names = ("dropped", "skipped", "repeated", "images_dropped")
        return {name: dict(getattr(self, name)) for name in names}


def as_text(by_cause: ByCause) -> str:
    """Return ``" (2 transport, 1 late)"``, the most frequent first; an empty text where there is none."""
    ranked = sorted(by_cause.items(), key=lambda item: -item[1])
    return f" ({', '.join(f'{n} {cause}' for cause, n in ranked)})" if ranked else ""


def _more(counts: ByCause, runs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the counts with these added."""
    more = dict(counts)
    for cause, n in runs:
        if n:
            more[cause] = more.get(cause, 0) + n
    return more
