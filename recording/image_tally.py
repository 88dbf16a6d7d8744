"""Counts the images of a recording that were not kept, by cause. Pure."""

from __future__ import annotations

LATE = "recorder_late"
"""Cause of an image for which no slot of the ring was free."""
LOST = "recorder_lost"
"""Cause of an image that was handed over, and lost with the process that was to write it."""


class ImageTally:
    """Images that came to the recorder, and those that it did not take.

    Attributes
    ----------
    given : int
        Images that came.
    late : int
        Not taken, as no slot was free.
    after_end : int
        Not taken, as images had ended.
    """

    def __init__(self) -> None:
        self.given = 0
        self.late = 0
        self.after_end = 0

    def by_cause(self, ended: str) -> dict[str, int]:
        """Return the images that were not taken so far; ``ended`` is why images have ended, empty where they go on."""
        by = {LATE: self.late} if self.late else {}
        if ended:
            by[ended] = self.after_end
        return by

    def all_by_cause(self, ended: str, images: int, *, whole: bool) -> dict[str, int]:
        """Return the images that were not kept.

        Parameters
        ----------
        ended : str
            As of ``by_cause``.
        images : int
            In the closed file.
        whole : bool
            Whether the writer came to its own end.
        """
        by = self.by_cause(ended)
        lost = self.given - images - sum(by.values())
        if whole and ended:
            # Those that the writer was handed and could not keep, before this end knew.
            by[ended] += lost
        elif lost > 0:
            by[LOST] = lost
        return by
