"""Opens a lost device again as the runner does: call by call, each of them a short one, maybe on a core of its own."""

import contextlib
import os
import time

from core.errors import StillOpening

LONGEST_S = 100.0


def reopen(device):
    """Call ``reconnect`` until it has succeeded; return how long each call took, s. Raises what it raises."""
    took = []
    begin = time.monotonic()
    while time.monotonic() - begin < LONGEST_S:
        before = time.monotonic()
        try:
            device.reconnect()
        except StillOpening:
            took.append(time.monotonic() - before)
        else:
            return [*took, time.monotonic() - before]
    raise AssertionError(f"reconnect() has not ended after {LONGEST_S:g} s")


@contextlib.contextmanager
def pinned():
    """On one core, as a loop with ``loop_core``; yields the cores there are."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield frozenset(cores)
    finally:
        os.sched_setaffinity(0, cores)


def cores_of(pid):
    """Return the cores that the threads of a process may have, each set of them once."""
    threads = os.listdir(f"/proc/{pid}/task")
    return {frozenset(os.sched_getaffinity(int(thread))) for thread in threads}
