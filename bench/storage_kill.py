"""What can be read of a file whose writer was killed: a process writes, and is killed at a random moment."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.storage_formats import FORMATS, begin, read, reading
from core.clock import MonotonicClock
from core.errors import SourceError
from core.values import Image, as_ns
from recording.writer import FLUSH_S

KILL_FPS = 100.0
START_S = 60.0
EARLIEST_S, LATEST_S = 0.7, 2.2
JOIN_S = 10.0


class Killed(NamedTuple):
    """What a kill left.

    Attributes
    ----------
    written : int
        Images that the writer had been given.
    flushed : int
        Of these, those that were to survive it, by its own account.
    readable : int
        Images that a reader, without any tool, finds and reads to the end.
    """

    written: int
    flushed: int
    readable: int

    @property
    def missing(self) -> int:
        """Images that are gone."""
        return max(0, self.written - self.readable)


def kill_writer(name: str, path: Path, images: Sequence[Image], rng: np.random.Generator) -> Killed:
    """Have a process write at 100 images/s, flushing as the recorder does; kill it at a random moment; read the file.

    Parameters
    ----------
    name : str
        Of one of ``FORMATS``.
    path : Path
        Must not exist.
    images : sequence of ndarray, (height, width, 3)
        Written round and round.
    rng : Generator
        Of the moment.
    """
    spawn, clock = multiprocessing.get_context("spawn"), MonotonicClock()
    written, flushed = spawn.Value("q", 0), spawn.Value("q", 0)
    child = spawn.Process(target=write_until_killed, args=(name, path, list(images), written, flushed), daemon=True)
    child.start()
    try:
        given_up_ns = clock.now_ns() + as_ns(START_S)
        while not written.value and child.is_alive() and clock.now_ns() < given_up_ns:
            clock.sleep_until_ns(clock.now_ns() + as_ns(0.01))
        clock.sleep_until_ns(clock.now_ns() + as_ns(rng.uniform(EARLIEST_S, LATEST_S)))
        if not child.is_alive() or not written.value:
            raise SystemExit(f"bench_storage: the process that writes {name} wrote nothing; its message stands above")
    finally:
        child.kill()
        child.join(JOIN_S)
    return Killed(written.value, flushed.value, count_readable(path))


def write_until_killed(
    name: str, path: Path, images: Sequence[Image], written: Synchronized[int], flushed: Synchronized[int]
) -> None:
    """Write until killed: what the child does.

    Parameters
    ----------
    name, path, images
        As of ``kill_writer``.
    written, flushed : Value
        Counted up as images are handed to the writer, and as they survive this process by its account.
    """
    kind = next(each for each in FORMATS if each.name == name)
    clock = MonotonicClock()
    writer = begin(kind, path, images[0])
    start_ns = flush_ns = clock.now_ns()
    count = 0
    while True:
        clock.sleep_until_ns(start_ns + round(count * 1e9 / KILL_FPS))
        writer.append(images[count % len(images)], round(count * 1e9 / KILL_FPS))
        count += 1
        written.value = count
        if clock.now_ns() - flush_ns >= as_ns(FLUSH_S):
            writer.flush()
            flush_ns = clock.now_ns()
        flushed.value = writer.flushed


def count_readable(path: Path) -> int:
    """Return how many images can be read of what a killed writer left, one after the other."""
    count = 0
    try:
        with reading(path) as images:
            for index in range(len(images)):
                _ = read(images, index)
                count += 1
    except (SourceError, OSError):
        return count
    return count
