"""Counts the spikes of imaged cells, from Brian2's own list of each step's spikes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]

ROOM = 16
"""Lists of spikes that a log holds, as full as they can be, before it is counted."""


class SpikeCounter:
    """Adds up spikes of groups and subgroups. A monitor would cost several times as much, and grow.

    Parameters
    ----------
    groups : sequence of brian2.NeuronGroup, Subgroup or other spike sources
        Their cells are counted in this order; a cell may be in several.

    Attributes
    ----------
    look : callable
        Takes the spikes of the step that has just ended. Called at every step, and made for that.
    """

    def __init__(self, groups: Sequence[Any]) -> None:
        # By name: what a subgroup has of its group is a proxy of its own.
        sources = {_group(each).name: _group(each) for each in groups}
        first = dict(zip(sources, np.cumsum([0, *(len(source) for source in sources.values())]), strict=False))
        self._logs = [_Log(source) for source in sources.values()]
        pick = np.concatenate(
            [first[_group(each).name] + getattr(each, "start", 0) + np.arange(len(each)) for each in groups]
        )
        in_a_row = np.array_equal(pick, pick[0] + np.arange(len(pick)))
        self._pick: Any = slice(pick[0], pick[-1] + 1) if in_a_row else pick
        looks = [log.look for log in self._logs]

        def look_at_all() -> None:
            for look in looks:
                look()

        self.look: Callable[[], None] = looks[0] if len(looks) == 1 else look_at_all

    def take(self) -> Counts:
        """Return the spikes of each cell since the last call, (n,)."""
        counted = [log.take() for log in self._logs]
        counts: Counts = (counted[0] if len(counted) == 1 else np.concatenate(counted))[self._pick]
        return counts


class _Log:
    """The spikes of one group, as they come, counted when they are asked for or when there is no more room."""

    def __init__(self, source: Any) -> None:
        # Brian2 keeps here, in one array as long as the object lives, the cells that fired, and last their number.
        space = source.variables["_spikespace"].get_value()
        number = memoryview(space)
        log = np.zeros(ROOM * (len(source) + 1), space.dtype)
        size = len(source)
        before: Counts | None = None
        last = len(space) - 1
        full = len(log) - len(source)
        end = 0

        def look() -> None:
            nonlocal end
            if n := number[last]:
                begin = end
                end += n
                log[begin:end] = space[:n]
                if end > full:
                    count()

        def count() -> None:
            nonlocal before
            before = take()

        def take() -> Counts:
            nonlocal before, end
            counts: Counts = np.bincount(log[:end], minlength=size)
            end = 0
            if before is not None:
                counts += before
                before = None
            return counts

        self.look = look
        self.take = take


def _group(part: Any) -> Any:
    """Return the group that a subgroup is part of, or the group itself."""
    return getattr(part, "source", part)
