"""Shared memory for images on their way to the writer process.

The memory has no name (memfd): its descriptor goes to the writer over their socket, and the kernel frees it when both
ends are gone, however they ended. So nothing can be left behind in /dev/shm, its size limit (64 MB in containers) does
not apply, and Python's resource tracker has no part in it.

A slot is written by the loop before it sends the message that names it, and read by the writer after it received that
message. The two system calls order the accesses, on ARM as well; no counter is shared.
"""

from __future__ import annotations

import math
import mmap
import os
from pathlib import Path

import numpy as np

from core.errors import RecordingError
from core.values import Image


class ImageRing:
    """``slots`` images of one shape in shared memory.

    Attributes
    ----------
    images : list of ndarray, each (height, width, 3)
        The slots.
    """

    def __init__(self, handle: int, slots: int, shape: tuple[int, int, int], dtype: str) -> None:
        size = slots * math.prod(shape) * np.dtype(dtype).itemsize
        # Populated now, so that the loop never pays for the first touch of a page.
        memory = mmap.mmap(handle, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        self.images: list[Image] = list(np.frombuffer(memory, dtype).reshape(slots, *shape))

    def close(self) -> None:
        """Let go of the memory; it is unmapped when nobody holds a slot any more."""
        self.images = []


def make_ring_memory(slots: int, shape: tuple[int, int, int], dtype: str) -> int:
    """Return the descriptor of memory for a ring.

    Raises
    ------
    RecordingError
        There is not enough memory.
    OSError
        The system refuses to give it.
    """
    size = slots * math.prod(shape) * np.dtype(dtype).itemsize
    # Asked first: to reserve more than there is would have the system kill processes.
    free = _available_memory()
    if size > free:
        raise RecordingError(
            f"{slots} images of {shape} {dtype} need {size / 1e6:.0f} MB of memory, {free / 1e6:.0f} MB are free; "
            "lower recorder_buffer_s, framerate or resolution"
        )
    handle = os.memfd_create("rigloop-images", os.MFD_CLOEXEC)
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError:
        os.close(handle)
        raise
    return handle


def _available_memory() -> int:
    """Return how much memory can be had without swapping, bytes."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["MemAvailable"].split()[0]) * 1024
