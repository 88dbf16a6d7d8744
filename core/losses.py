"""Frames that were lost, in the order of their numbers: runs of (cause, how many in succession). Pure."""

from __future__ import annotations

from collections.abc import Iterable

Losses = tuple[tuple[str, int], ...]
"""As ``core.values.Frame.lost``."""

UNKNOWN = "unknown"
"""Cause of what was lost where the source names none."""


def joined(*losses: Iterable[tuple[str, int]]) -> Losses:
    """Return losses that follow each other as one; neighbours of one cause become one run, runs of none are left out.

    Hours of one cause stay one run, so that a frame after a long loss is no larger than any other.
    """
    runs: list[tuple[str, int]] = []
    for cause, count in (run for each in losses for run in each if run[1] > 0):
        if runs and runs[-1][0] == cause:
            count += runs.pop()[1]
        runs.append((cause, count))
    return tuple(runs)


def total(losses: Losses) -> int:
    """Return how many frames were lost."""
    return sum(count for _, count in losses)


def losses_of(dropped: int, lost: Losses) -> Losses:
    """Return why the ``dropped`` frames before a frame were lost; ``unknown`` where its source names no cause.

    Parameters
    ----------
    dropped : int
        As ``core.values.Frame.dropped``.
    lost : Losses
        As ``core.values.Frame.lost``.
    """
    if not dropped:
        return ()
    return lost or ((UNKNOWN, dropped),)
