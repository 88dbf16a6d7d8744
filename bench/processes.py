"""Memory and processor time of other processes, read while they run."""

from __future__ import annotations

import ctypes
import os
import statistics
import time
from pathlib import Path

PROC = Path("/proc")


class Tree:
    """A process and its descendants.

    Parameters
    ----------
    pid : int

    Attributes
    ----------
    most : int
        Most processes seen at once.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._samples: list[tuple[int, float]] = []
        self.most = 0

    def sample(self, now_ns: int) -> None:
        """Read the memory now (``now_ns``)."""
        members = self._members()
        self.most = max(self.most, len(members))
        self._samples.append((now_ns, sum(_pss_mb(pid) for pid in members)))

    def megabytes(self) -> list[float]:
        """Return memory at each sample, MB: each shared page counted once."""
        return [megabytes for _, megabytes in self._samples]

    def growth_mb(self) -> float:
        """Return the median of the last quarter less that of the second: what grows goes on growing."""
        memory = self.megabytes()
        quarter = max(1, len(memory) // 4)
        return statistics.median(memory[-quarter:]) - statistics.median(memory[quarter : 2 * quarter])

    def _members(self) -> set[int]:
        """Return the process ids of the tree."""
        parents = {}
        for entry in PROC.iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                except OSError:
                    continue
                parents[int(entry.name)] = int(fields[1])
        members = {self._pid}
        while fresh := {pid for pid, parent in parents.items() if parent in members and pid not in members}:
            members |= fresh
        return members


def cpu_ns(pid: int) -> int:
    """Return the processor time that all threads of a process have taken, ns. Raises OSError where there is none."""
    clock = ctypes.c_int()
    if error := ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise OSError(error, os.strerror(error))
    return time.clock_gettime_ns(clock.value)


def peak_mb(pid: int) -> float:
    """Return the most memory a process had resident at any moment so far, MB; 0 for one that has ended."""
    try:
        text = (PROC / str(pid) / "status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM:")), 0.0)


def _pss_mb(pid: int) -> float:
    """Return the proportional set size, MB; 0 for a process that has ended."""
    try:
        for line in (PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        return 0.0
    return 0.0
