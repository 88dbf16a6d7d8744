"""How many frames lie between two frame ids of a GenICam camera. Pure."""

from __future__ import annotations

NARROW = 0xFFFF
"""Largest 16-bit id. GigE Vision 1.x counts 1, 2 ... 65535, 1: 0 means that there is no id, and is skipped."""


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
