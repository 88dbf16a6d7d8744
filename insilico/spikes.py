"""Counts the spikes of imaged cells, from Brian2's own list of each step's spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


class SpikeCounter:
    """Adds up spikes of groups and subgroups. A monitor would cost five times as much, and grow.

    Parameters
    ----------
    groups : sequence of brian2.NeuronGroup, Subgroup or other spike sources
        Their cells are counted in this order; a cell may be in several.
    """

    def __init__(self, groups: Sequence[Any]) -> None:
        # By name: what a subgroup has of its group is a proxy of its own.
        sources = {_group(each).name: _group(each) for each in groups}
        first = dict(zip(sources, np.cumsum([0, *(len(source) for source in sources.values())]), strict=False))
        self._all: Counts = np.zeros(sum(len(source) for source in sources.values()), np.int64)
        self._spaces = [
            (source.variables["_spikespace"].get_value(), self._all[first[name] : first[name] + len(source)])
            for name, source in sources.items()
        ]
        self._pick = np.concatenate(
            [first[_group(each).name] + getattr(each, "start", 0) + np.arange(len(each)) for each in groups]
        )

    def look(self) -> None:
        """Count the spikes of the step that has just ended."""
        for space, counts in self._spaces:
            n = space[-1]
            if n:
                counts[space[:n]] += 1

    def take(self) -> Counts:
        """Return the spikes of each cell since the last call, (n,)."""
        taken: Counts = self._all[self._pick]
        self._all[:] = 0
        return taken


def _group(part: Any) -> Any:
    """Return the group that a subgroup is part of, or the group itself."""
    return getattr(part, "source", part)
