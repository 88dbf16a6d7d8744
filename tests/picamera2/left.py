"""What a process holds: descriptors, threads and mapped buffers, by which a leak shows."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path
from typing import NamedTuple


class Held(NamedTuple):
    """Counts of what is held now."""

    descriptors: int
    threads: int
    buffers: int

    def check_no_more_than(self, before: Held) -> None:
        """Raise AssertionError for what has grown; a camera that runs maps two planes for the frame it is painting."""
        allowed = Held(before.descriptors, before.threads, before.buffers + 2)
        assert all(mine <= most for mine, most in zip(self, allowed, strict=True)), f"{before} became {self}"


def held(collect: bool = True) -> Held:
    """Return what this process holds; with ``collect``, once Python has collected what it can."""
    if collect:
        gc.collect()
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    return Held(len(os.listdir("/proc/self/fd")), threading.active_count(), maps.count("dmashim-buffer"))
