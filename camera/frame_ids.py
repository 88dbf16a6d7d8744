"""How many frames lie between two frame ids of a GenICam camera. Pure."""

from __future__ import annotations

NARROW = 0xFFFF
"""Largest 16-bit id. GigE Vision 1.x counts 1, 2 ... 65535, 1: 0 means that there is no id, and is skipped."""


TELL = 10
"""Incomplete frames in a row that are told of before a complete one has come."""


def lost_between(before: int, now: int, wide: bool) -> int:
    """Return the number of frames lost between the frames with ids ``before`` and ``now``.

    Parameters
    ----------
    before, now : int
    wide : bool
        Whether ids are known to have 64 bits (USB3 Vision, GigE Vision with extended ids), which never come round.

    Returns
    -------
    int
        0 also where that cannot be told: an id that stands still or goes back, or no id at all. A 16-bit count that
        seems to go forward by more than half a round went back.
    """
    if (now == 0 and not wide) or (before == 0 and not wide):
        return 0
    if wide or max(before, now) > NARROW:
        return max(0, now - before - 1)
    ahead = (now - before) % NARROW
    return ahead - 1 if 0 < ahead <= NARROW // 2 else 0


class IdCount:
    """Tells what was lost from the ids of complete frames, and the number of incomplete ones between them.

    The ids of incomplete frames are not looked at: where the first packet is among the missing, Aravis leaves the id of
    the frame that was in the same buffer before.

    Parameters
    ----------
    wide : bool
        As in ``lost_between``.
    """

    def __init__(self, wide: bool) -> None:
        self._wide = wide
        self._before: int | None = None
        self._incomplete = 0
        self._told = 0

    def incomplete(self) -> int:
        """Take note of an incomplete frame; return how many to tell of now, mostly 0.

        Which frame it was is known with the next complete one only. Where none comes any more, they are told in tens.
        """
        self._incomplete += 1
        if self._incomplete - self._told < TELL:
            return 0
        self._told += TELL
        return TELL

    def complete(self, frame_id: int) -> tuple[int, int]:
        """Take the id of a complete frame; return (incomplete, missing) before it that were not told of yet."""
        before, self._before = self._before, frame_id
        incomplete, told = self._incomplete, self._told
        self._incomplete = self._told = 0
        if before is None:
            return max(0, incomplete - told), 0
        gap = lost_between(before, frame_id, self._wide)
        broken = min(incomplete, gap)
        return max(0, broken - told), max(0, gap - max(broken, told))
