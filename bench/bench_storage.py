"""Ways to store images, measured: processor time, room, reading, and what a killed writer leaves; a Markdown table.

Each format writes, in turn, the same images: a synthetic cortex with its noise in 8 and in 12 bits, and a real mouse's
video as it is and with a camera's noise (a drawn limb where the video is not there). A process of its own then writes
100 images/s with each, and is killed at random moments.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import Bar, arguments, finish
from bench.storage_formats import FORMATS, OUR_VIDEO, OURS, Format, begin, raw_index, read, reading, size_of
from bench.storage_kill import KILL_FPS, Killed, kill_writer
from bench.storage_material import BRAIN, FPS, materials
from core.values import Image
from recording.writer import FLUSH_S

FLUSH_EVERY = 50
"""Images between two flushes: half a second at 100 images/s, as the recorder's."""
KEPT = (OURS, OUR_VIDEO)
"""What sessions are recorded in."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one format did with one kind of images.

    Attributes
    ----------
    write_us : float
        Processor time to write an image.
    per_s : float
        Images per second until all of them were synced to disk.
    kb : float
        Size of an image, kB.
    in_order_us, at_random_us : float
        Processor time to read one, in order and anywhere; from the system's memory: the disk is not in it.
    error : float
        Mean difference of the values read from those written, grey values; 0 where each is the same.
    """

    write_us: float
    per_s: float
    kb: float
    in_order_us: float
    at_random_us: float
    error: float


def measure(kind: Format, images: Sequence[Image], path: Path, reads: int) -> Figures:
    """Write images to a new file, read all of them in order and ``reads`` anywhere."""
    n = len(images)
    start_ns, cpu_ns = time.perf_counter_ns(), time.process_time_ns()
    writer = begin(kind, path, images[0])
    for k, image in enumerate(images):
        writer.append(image, round(k * 1e9 / FPS))
        if k % FLUSH_EVERY == FLUSH_EVERY - 1:
            writer.flush()
    writer.close()
    cpu_ns = time.process_time_ns() - cpu_ns
    with path.open("rb") as file:
        os.fsync(file.fileno())
    wall_ns = time.perf_counter_ns() - start_ns
    anywhere = np.random.default_rng(1).integers(0, n, reads)
    with reading(path) as stored:
        in_order_us = _read_us(stored, range(n))
        at_random_us = _read_us(stored, [int(k) for k in anywhere])
        error = mean_error([read(stored, k) for k in range(n)], images)
    return Figures(cpu_ns / n / 1e3, n / wall_ns * 1e9, size_of(path) / n / 1e3, in_order_us, at_random_us, error)


def warm_up(scratch: Path) -> None:
    """Have each format write and read once, so that no figure holds the loading of its library."""
    for kind in FORMATS:
        path = scratch / f"first{kind.suffix}"
        measure(kind, [np.zeros((64, 64, 3), np.uint8)] * 2, path, 1)
        remove(path)


def _read_us(stored: Any, order: Sequence[int]) -> float:
    start_ns = time.process_time_ns()
    for index in order:
        read(stored, index)
    return (time.process_time_ns() - start_ns) / len(order) / 1e3


def mean_error(found: Sequence[Image], written: Sequence[Image]) -> float:
    """Return the mean absolute difference of two rows of images; it is 0 only where every value is the same."""
    pairs = zip(found, written, strict=True)
    return float(np.mean([np.mean(np.abs(one.astype(np.int32) - other)) for one, other in pairs]))


def kills(kind: Format, images: Sequence[Image], scratch: Path, times: int) -> list[Killed]:
    """Kill a writer several times, each time at another moment."""
    rng = np.random.default_rng(zlib.crc32(kind.name.encode()))
    left = []
    for k in range(times):
        path = scratch / f"killed{k}{kind.suffix}"
        left.append(kill_writer(kind.name, path, images, rng))
        remove(path)
    return left


def remove(path: Path) -> None:
    """Remove a file, and the index beside it."""
    path.unlink()
    raw_index(path).unlink(missing_ok=True)


def told(left: Sequence[Killed]) -> tuple[str, str, str]:
    """Return in words what kills left: images lost, median and most; flushed ones; whether none could be read."""
    if not left:
        return "", "", ""
    missing = [each.missing for each in left]
    some = any(each.readable for each in left)
    flushed = sum(each.readable < each.flushed for each in left)
    shut = any(each.readable == 0 < each.flushed for each in left)
    return (
        f"{int(np.median(missing))} ({max(missing)})" if some else "all",
        f"{flushed} of {len(left)}",
        "yes" if shut else "no",
    )


HEADERS = (
    "images", "format", "CPU us", "images/s", "kB", "in order us", "anywhere us", "error", "lost in a kill",
    "flushed lost", "tools",
)  # fmt: skip
LEGEND = """\
Per image: processor time to write it, images per second until all were synced, size, processor time to read one in
order and anywhere (from memory), mean difference from what was written (0: lossless). Writers killed at random moments,
{times} times each, at {fps:g} images/s with a flush every {flush:g} s: images lost, median (most); kills that took some
that were flushed already; whether one left a file that nothing can be read of without a tool. In bold what sessions are
recorded in.
"""


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Lay out a Markdown table."""
    lines = [HEADERS, tuple("---" for _ in HEADERS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def row(images: str, name: str, figures: Figures, left: Sequence[Killed]) -> tuple[str, ...]:
    """Return the cells of one format with one kind of images; what is chosen today is in bold."""
    name = f"**{name}**" if name == (OURS if images.startswith(BRAIN) else OUR_VIDEO) else name
    error = "0" if figures.error == 0 else f"{figures.error:.2g}"
    keys = ("write_us", "per_s", "kb", "in_order_us", "at_random_us")
    times = (f"{value:.0f}" if (value := getattr(figures, key)) >= 10 else f"{value:.1f}" for key in keys)
    return (images, name, *times, error, *told(left))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 if a bar is missed."""
    options = arguments(__doc__, argv)
    frames, reads, times = (30, 3, 1) if options.quick else (200, 8, 12)
    rows, figures = [], []
    left: dict[str, list[Killed]] = {}
    scratch = Path(tempfile.mkdtemp(prefix="bench_storage_"))
    try:
        warm_up(scratch)
        for images, some in materials(frames, options.quick).items():
            for kind in FORMATS:
                if some[0].dtype == np.uint16 and not kind.wide:
                    continue
                print(f"{images}: {kind.name} ...", file=sys.stderr)
                path = scratch / f"images{kind.suffix}"
                found = measure(kind, some, path, reads)
                remove(path)
                first = kind.name not in left and (not options.quick or kind.name in KEPT)
                if first:
                    left[kind.name] = kills(kind, some, scratch, times)
                rows.append(row(images, kind.name, found, left[kind.name] if first else ()))
                figures.append({"images": images, "format": kind.name, **asdict(found)})
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(markdown(rows))
    print("\n" + LEGEND.format(times=times, fps=KILL_FPS, flush=FLUSH_S))
    bars = [
        Bar(f"most images lost in a kill, {name}", max(each.missing for each in left[name]), KILL_FPS, False)
        for name in KEPT
    ]
    results = {"formats": figures, "kills": {name: [each._asdict() for each in some] for name, some in left.items()}}
    return finish("storage", options, results, bars)


if __name__ == "__main__":
    sys.exit(main())
