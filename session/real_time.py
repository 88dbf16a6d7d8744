"""The loop's thread at real-time priority, on a core of its own where config says so, while a live session turns."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from hardware.realtime import become_realtime, freeze_collector, pin_to_core, thaw_collector
from hardware.settings import FaultSettings


@contextlib.contextmanager
def real_time(faults: FaultSettings, live: bool) -> Iterator[list[str]]:
    """Freeze the collector; in a live session take priority and core as well. All is put back at the end.

    A full collection can take longer than a frame. The loop makes no cycles; what others left is collected at the end
    of each trial. A session that runs as fast as it can takes no priority: nothing else on the machine would run.

    Yields
    ------
    list of str
        What was refused, and what allows it; the session runs all the same.
    """
    cores = os.sched_getaffinity(0)
    refused: list[str] = []
    freeze_collector()
    try:
        if live:
            attempts = (become_realtime(faults.realtime_priority), pin_to_core(faults.loop_core))
            refused.extend(filter(None, attempts))
        yield refused
    finally:
        if live:
            _as_others(cores)
        thaw_collector()


def _as_others(cores: set[int]) -> None:
    """Give priority and core back."""
    if os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    if os.sched_getaffinity(0) != cores:
        os.sched_setaffinity(0, cores)
