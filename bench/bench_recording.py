"""What recording adds to the loop, how fast it can be, what it takes on disk, and what an export to NWB takes.

One loop over one source of 256x256x3 uint8 frames, drawn beforehand, runs in blocks at 15, 30, 100 and 300 frames/s:
nothing is recorded, the log only, log and images, in turns; between them an empty loop, which takes the frames and does
nothing. At 100 frames/s two recorders that work in the loop's own thread take their turns as well, as they are often
written: h5py growing a dataset, and OpenCV's VideoWriter. Each block begins with a new recorder and ends with all of it
on disk, so that no block pays for the one before it.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.brain_session import SHAPE, draw, full_speed
from bench.drawn import Images
from bench.nwb_hour import Export, export_session
from bench.recording_blocks import EMPTY, Bench, Block, added_us, in_turns
from bench.recording_sinks import LOG_ONLY, OFF, ON, OURS, RIVALS, Recording, makers
from bench.report import Bar, argument_parser, finish, percentiles, table
from recording.folder import free_bytes
from recording.settings import RecordingSettings

RATES = (15.0, 30.0, 100.0, 300.0)
QUICK_RATES = (30.0, 100.0)
BAR_RATE = 100.0
BAR_US = 50.0
LEAST_FRAMES = 200
STEPS = tuple(300.0 * 2**k for k in range(5))
"""Rates that are tried for the one at which nothing is lost any more, frames/s."""
STEP_BUFFER_S = 0.5
"""Frames the recorder may lag behind at those, s: the least that recorder_buffer_s allows, so that it hides little."""
CAMERA_S = 0.1
"""Frames that can wait in the camera at those, s."""
NWB_MEMORY_SHARE = 0.02
"""Most that an export's memory may grow by, of what the session does: the rows of its tables, and no images."""
PARTS = ("loop", "limit", "nwb")


def loop_part(images: Images, scratch: Path, rates: Sequence[float], quick: bool) -> tuple[dict[str, Any], list[Bar]]:
    """Run the blocks at each rate, print them; return figures and bars."""
    figures: dict[str, Any] = {}
    bars: list[Bar] = []
    for rate in rates:
        rounds, seconds = plan(rate, quick)
        names = (EMPTY, *OURS, *(RIVALS if rate == BAR_RATE else ()))
        print(f"{rate:g} frames/s, {rounds} rounds of {len(names)} blocks of {seconds:g} s ...", file=sys.stderr)
        bench = Bench(images, rate, scratch)
        cases = {EMPTY: None, **makers(rate, bench.slots(RecordingSettings().recorder_buffer_s))}
        try:
            blocks = in_turns(bench, {name: cases[name] for name in names}, seconds, rounds)
        finally:
            bench.close()
        found = describe(blocks)
        figures[f"{rate:g}"] = found
        print(f"\n{rate:g} frames/s; us\n{loop_table(found)}")
        for line in bench.refused:
            print(line)
        if rate == BAR_RATE:
            print(f"\nadded to a block without recording, {rate:g} frames/s, us\n{added_table(found)}")
            bars = loop_bars(found)
    return figures, bars


def plan(rate: float, quick: bool) -> tuple[int, float]:
    """Return rounds, and the duration of a block, s: long enough for a 99th percentile to be one."""
    if quick:
        return 1, 0.5
    return (12 if rate == BAR_RATE else 4), max(5.0, LEAST_FRAMES / rate)


def describe(blocks: Mapping[str, Sequence[Block]]) -> dict[str, Any]:
    """Return what the blocks of one rate came to, case by case: percentiles of all frames, CPU time, additions."""
    off = blocks[OFF]
    found: dict[str, Any] = {}
    for name, some in blocks.items():
        found[name] = {
            "late": percentiles(np.concatenate([block.lateness_us for block in some])),
            "span": percentiles(np.concatenate([block.span_us for block in some])),
            "loop_cpu": float(np.median([block.loop_cpu_us for block in some])),
            "recorder_cpu": float(np.median([block.recorder_cpu_us for block in some])),
            "lost": sum(block.lost for block in some),
            "dropped": sum(block.kept.dropped for block in some),
            "frames": sum(len(block.span_us) for block in some),
            "sizes": sizes_per_frame(some),
        }
        if name not in (OFF, EMPTY):
            found[name]["added"] = {
                f"{what} p{percent:g}": added_us(
                    [getattr(block, key) for block in some], [getattr(block, key) for block in off], percent
                )
                for what, key in (("late", "lateness_us"), ("span", "span_us"))
                for percent in (50, 99)
            }
    return found


def sizes_per_frame(blocks: Sequence[Block]) -> dict[str, float]:
    """Return the bytes of each file per recorded frame."""
    total: dict[str, int] = {}
    frames = 0
    for block in blocks:
        frames += block.kept.frames
        for name, size in (block.kept.sizes or {}).items():
            total[name] = total.get(name, 0) + size
    return {name: size / frames for name, size in sorted(total.items())} if frames else {}


def loop_table(found: Mapping[str, Any]) -> str:
    """Lay out lateness, span and processor time of each case."""
    names = ("p50", "p99", "p99.9", "max")
    headers = ("", *(f"late {name}" for name in names), *(f"span {name}" for name in names), "CPU", "recorder", "lost")
    rows = [
        (name, *(_short(case[what][p]) for what in ("late", "span") for p in names), _short(case["loop_cpu"]),
         _short(case["recorder_cpu"]), case["lost"] + case["dropped"])
        for name, case in found.items()
    ]  # fmt: skip
    return table(headers, rows)


def added_table(found: Mapping[str, Any]) -> str:
    """Lay out what each way of recording adds, with its spread over the rounds, and as a multiple of ours."""
    columns = ("median", "lower quartile", "upper quartile")
    rows = []
    for name, case in found.items():
        for what, gain in case.get("added", {}).items():
            ours = found[ON]["added"][what]["median"]
            times = f"{gain['median'] / ours:.1f}" if name in RIVALS and ours > 0 else ""
            rows.append((name, what, *(_short(gain[column]) for column in columns), times))
    return table(("", "at", *columns, "times ours"), rows)


def loop_bars(found: Mapping[str, Any]) -> list[Bar]:
    """Return the bars: what recording adds to what a frame takes, and to how late it is taken."""
    added = found[ON]["added"]
    rate = f"{BAR_RATE:g} frames/s"
    return [
        Bar(f"added to the loop's span at p99, {rate}, us", added["span p99"]["median"], BAR_US, False),
        Bar(f"added to the loop's lateness at p99, {rate}, us", added["late p99"]["median"], BAR_US, False),
        Bar(f"images not on disk, {rate}", found[ON]["dropped"], 0, False),
    ]


def limit_part(images: Images, scratch: Path, quick: bool) -> tuple[dict[str, Any], list[Bar]]:
    """Find the highest rate at which nothing is lost, and that of a loop that waits for its recorder; print both."""
    print("as fast as it goes ...", file=sys.stderr)
    fast = full_speed(images, BAR_RATE, scratch / "full", 500 if quick else 20_000)
    shutil.rmtree(scratch / "full")
    print(
        f"\nwaiting for the recorder: {fast['loop']:.0f} frames/s in the loop, "
        f"{fast['until closed']:.0f} until the file was closed"
    )
    seconds = 2.0 if quick else 10.0
    steps = [step(images, rate, scratch, seconds) for rate in (STEPS[:1] if quick else affordable(scratch, seconds))]
    print(f"\nwithout waiting, {seconds:g} s each, {STEP_BUFFER_S:g} s of buffer")
    headers = ("frames/s", "frames", "lost by the camera", "lost by the recorder")
    print(table(headers, [tuple(each.values()) for each in steps]))
    whole = [each["rate"] for each in steps if not each["lost"] and not each["dropped"]]
    sustained = max(whole, default=0.0)
    print(f"highest rate of these that lost nothing: {sustained:g} frames/s")
    return {"full_speed": fast, "steps": steps, "sustained": sustained}, [
        Bar("frames/s at which nothing is lost", sustained, STEPS[0])
    ]


def affordable(scratch: Path, seconds: float) -> list[float]:
    """Return the rates whose images the disk has room for, half of what is free being left to others."""
    room = free_bytes(scratch) / 2
    return [rate for rate in STEPS if rate * seconds * math.prod(SHAPE) < room]


def step(images: Images, rate: float, scratch: Path, seconds: float) -> dict[str, float]:
    """Record at ``rate`` for ``seconds``; return what was lost."""
    print(f"{rate:g} frames/s ...", file=sys.stderr)
    bench = Bench(images, rate, scratch)
    try:
        slots, waiting = bench.slots(STEP_BUFFER_S), max(8, round(CAMERA_S * rate))
        block = bench.block(lambda folder: Recording(folder, slots), seconds, waiting)
    finally:
        bench.close()
    return {"rate": rate, "frames": len(block.span_us), "lost": block.lost, "dropped": block.kept.dropped}


def disk_table(found: Mapping[str, Any]) -> str:
    """Lay out the bytes per frame of each file, with images and without."""
    names = list(found[ON]["sizes"])
    rows = [(name, *(_bytes(found[case]["sizes"].get(name)) for case in (LOG_ONLY, ON))) for name in names]
    return table(("bytes per frame", LOG_ONLY, ON), rows)


def nwb_part(scratch: Path, minutes: Sequence[float]) -> tuple[dict[str, Any], list[Bar]]:
    """Export sessions of each length; print time, memory and room; the memory must not follow the length."""
    exports: list[Export] = []
    for each in minutes:
        print(f"a session of {each:g} min ...", file=sys.stderr)
        exports.append(export_session(scratch / "nwb", each))
        shutil.rmtree(scratch / "nwb")
    rows = [tuple(_short(value) for value in asdict(each).values()) for each in exports]
    print("\nexport to NWB, 15 frames/s, images compressed\n")
    headers = ("min", "frames", "folder, MB", "made in, s", "exported in, s", "peak memory, MB", "file, MB")
    print(table(headers, rows))
    return {"exports": [asdict(each) for each in exports]}, nwb_bars(exports)


def nwb_bars(exports: Sequence[Export]) -> list[Bar]:
    """Return the bar on memory, where there are two lengths, shortest first: it must not follow the images."""
    first, last = exports[0], exports[-1]
    if last.recorded_mb <= first.recorded_mb:
        return []
    more = (last.peak_mb - first.peak_mb) / (last.recorded_mb - first.recorded_mb)
    return [Bar("memory the export takes for each MB recorded, MB", more, NWB_MEMORY_SHARE, False)]


def _short(value: float) -> str:
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def _bytes(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def read_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argument_parser(__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument("--rates", type=float, nargs="+", help="frames/s of the loop (default: 15 30 100 300)")
    parser.add_argument("--minutes", type=float, nargs="+", help="lengths of the sessions exported (default: 6 60)")
    parser.add_argument("--scratch", type=Path, help="folder to record in, on the disk that is to be measured")
    options = parser.parse_args(argv)
    options.only = options.only or list(PARTS)
    options.rates = sorted(options.rates or (QUICK_RATES if options.quick else RATES))
    options.minutes = sorted(options.minutes or ([0.2] if options.quick else [6.0, 60.0]))
    if not all(0 < minutes <= 24 * 60 for minutes in options.minutes):
        parser.error("--minutes: give more than 0 and at most 1440")
    if not all(0 < rate <= STEPS[-1] for rate in options.rates):
        parser.error(f"--rates: give more than 0 and at most {STEPS[-1]:g}")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 if a bar is missed."""
    options = read_arguments(argv)
    figures: dict[str, Any] = {}
    bars: list[Bar] = []
    scratch = Path(tempfile.mkdtemp(prefix="bench_recording_", dir=options.scratch))
    try:
        images = draw(BAR_RATE)
        if "loop" in options.only:
            figures["loop"], some = loop_part(images, scratch, options.rates, options.quick)
            bars += some
            print(f"\n{disk_table(figures['loop'][f'{options.rates[-1]:g}'])}")
        if "limit" in options.only:
            figures["limit"], some = limit_part(images, scratch, options.quick)
            bars += some
        del images
        if "nwb" in options.only:
            figures["nwb"], some = nwb_part(scratch, options.minutes)
            bars += some
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return finish("recording", options, figures, bars)


if __name__ == "__main__":
    sys.exit(main())
