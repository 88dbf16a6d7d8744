"""A witness of moments at which a core of this machine stood still: one process per core, just below the speaker's.

It sees what another program suffers where it has that program's priority, and less where it has more.

A virtual machine is stopped for tens of milliseconds now and then, and so is all that is real-time where others are,
too; no program of ours can play through that. A test that must be exact asks the witness, and excuses nothing that it
did not see.
"""

from __future__ import annotations

import os
import subprocess
import sys

STALL_S = 0.008

WATCH = """
import ctypes, os, sys, time
ctypes.CDLL(None).prctl(1, 9)
core, least, priority = int(sys.argv[1]), int(float(sys.argv[2]) * 1e9), int(sys.argv[3])
os.sched_setaffinity(0, {core})
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
except OSError:
    pass
while True:
    begin = time.monotonic_ns()
    time.sleep(0.002)
    end = time.monotonic_ns()
    if end - begin > least:
        print(begin, end, flush=True)
"""


class Stalls:
    """Owns one process per core, which end with ``close``; ``priority`` is that of the program it witnesses for."""

    def __init__(self, least_s=STALL_S, priority=59):
        command = [sys.executable, "-c", WATCH]
        self._watchers = [
            subprocess.Popen([*command, str(core), str(least_s), str(priority)], stdout=subprocess.PIPE, text=True)
            for core in os.sched_getaffinity(0)
        ]
        self._seen = []

    def seen(self):
        """End the watch; return (begin, end) in monotonic ns of each moment that a core stood still."""
        self.close()
        return sorted(self._seen)

    def close(self):
        """End the watch."""
        while self._watchers:
            watcher = self._watchers.pop()
            watcher.kill()
            told, _ = watcher.communicate(timeout=10)
            self._seen += [tuple(map(int, line.split())) for line in told.splitlines() if len(line.split()) == 2]


def awake_ms(time, seen):
    """Return how long something took, ms, without what any core stood still of it.

    ``time`` is when it began (monotonic ns) and how long it took, ms; ``seen`` is what a witness saw.
    """
    since_ns, took_ms = time
    end_ns = since_ns + round(took_ms * 1e6)
    still_ns, last_ns = 0, since_ns
    for begin, end in seen:
        still_ns += max(0, min(end, end_ns) - max(begin, last_ns))
        last_ns = max(last_ns, min(end, end_ns))
    return took_ms - still_ns / 1e6
