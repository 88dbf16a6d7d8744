"""What a live camera's stamps tell: how many frames were lost between two, and on which clock they stand."""

from __future__ import annotations

import time
from enum import Enum

OLDEST_NS = 5_000_000_000
"""A frame in hand is younger than this: exposure, readout and a few buffers. Chosen well above any of them."""


class HostClock(Enum):
    """The clock that a camera's stamps are read from."""

    monotonic = "monotonic"
    boottime = "boottime"
    none = "none"


def lost_between(before_ns: int | None, stamp_ns: int, interval_ns: int) -> int:
    """Return how many frames are missing between two stamps of frames that came one after the other.

    The distance is counted in frames, rounded to the nearest: jitter of less than half a frame interval neither hides
    a lost frame nor makes one up.

    Parameters
    ----------
    before_ns : int or None
        Stamp of the frame before, ns; None for the first.
    stamp_ns : int
        Stamp of this one, ns.
    interval_ns : int
        Time from frame to frame, ns, more than 0.
    """
    if before_ns is None:
        return 0
    distance = stamp_ns - before_ns
    return max(0, (2 * distance + interval_ns) // (2 * interval_ns) - 1)


def clock_of(stamp_ns: int, now_ns: int, boot_offset_ns: int, ahead_ns: int = 0) -> HostClock:
    """Tell which clock a frame was stamped with that is in hand now.

    A frame is neither from the future nor long past. The two clocks differ by the time the host has slept; where that
    is less than the frame's age, so is the error of a wrong answer.

    Parameters
    ----------
    stamp_ns : int
        Stamp of the frame, ns.
    now_ns : int
        CLOCK_MONOTONIC now, ns.
    boot_offset_ns : int
        CLOCK_BOOTTIME less CLOCK_MONOTONIC, ns, 0 or more.
    ahead_ns : int
        How far in the future a stamp may lie, ns: some kernel drivers reckon when a frame will have ended.
    """
    if -ahead_ns <= now_ns - stamp_ns <= OLDEST_NS:
        return HostClock.monotonic
    if -ahead_ns <= now_ns + boot_offset_ns - stamp_ns <= OLDEST_NS:
        return HostClock.boottime
    return HostClock.none


def boot_offset_ns() -> int:
    """Return CLOCK_BOOTTIME less CLOCK_MONOTONIC, ns: how long the host has slept."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
