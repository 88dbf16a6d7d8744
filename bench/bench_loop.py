"""Latency of the loop, from ``camera.read()`` returning to the last command issued, beside a loop that does nothing.

A whole session's loop (two 8x8 ROIs, 6 s of history, trials, tones and water, recording on and counted on disk) runs
at 100 frames/s; half a period after each of its frames an empty loop takes one of its own, in the same thread, so that
whatever the machine does to one it does to the other. Then the loop runs as fast as it goes. The frames (256x256x3
uint8) are drawn beforehand: their making is not in the figures.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.brain_session import draw, full_speed, make_loop, make_recorder
from bench.drawn import Drawn, Images
from bench.report import Bar, arguments, finish, percentiles, table
from camera.pace import Paced
from core.clock import MonotonicClock

FPS = 100.0
PERIOD_NS = round(1e9 / FPS)
RECORDER_SLOTS = 400


def paced(images: Images, folder: Path, seconds: float) -> dict[str, Any]:
    """Run both loops side by side for ``seconds``; return latencies in us and counts."""
    clock = MonotonicClock()
    camera, empty_camera = Paced(Drawn(images, FPS), clock), Paced(Drawn(images, FPS), clock)
    recorder = make_recorder(folder, RECORDER_SLOTS)
    loop, rig = make_loop(camera, recorder, clock, FPS)
    n = round(seconds * FPS)
    empty, empty_due, due = np.zeros(n), np.zeros(n), np.zeros(n)
    recorder.start()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        camera.start()
        # From here on each keeps its own pace, half a period apart.
        clock.sleep_until_ns(clock.now_ns() + PERIOD_NS // 2)
        empty_camera.start()
        for k in range(n):
            loop.turn(1.0, ())
            due[k] = clock.now_ns() - loop.status.now_ns
            frame = empty_camera.read(1.0)
            read_ns = clock.now_ns()
            empty[k] = clock.now_ns() - read_ns
            empty_due[k] = read_ns - frame.time_ns
    finally:
        gc.unfreeze()
        gc.enable()
        rig.close()
        recorded = recorder.close()
    ours = loop.latencies.ns()
    return {
        "read to last command": percentiles(ours / 1000),
        "empty loop": percentiles(empty / 1000),
        "due to recorded": percentiles(due[1:] / 1000),
        "empty loop, due to read": percentiles(empty_due[1:] / 1000),
        "frames": loop.status.frames,
        "lost": loop.status.dropped,
        "images on disk": recorded.images,
        "images dropped": recorded.images_dropped,
        "error": recorded.error or "",
        "water": loop.status.water,
        "trials": loop.status.state.trial,
    }


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if a bar is missed."""
    options: argparse.Namespace = arguments(__doc__, argv)
    seconds, frames = (10.0, 500) if options.quick else (300.0, 6000)
    images = draw(FPS)
    scratch = Path(tempfile.mkdtemp(prefix="bench_loop_"))
    try:
        print(f"{seconds:g} s at {FPS:g} frames/s ...", file=sys.stderr)
        figures = paced(images, scratch / "paced", seconds)
        figures["full speed"] = full_speed(images, FPS, scratch / "full", frames)
    finally:
        shutil.rmtree(scratch)
    rows = [
        (name, *figure.values()) for name, figure in figures.items() if isinstance(figure, dict) and "p50" in figure
    ]
    print(table(("us", "p50", "p99", "p99.9", "max"), rows))
    fast = figures["full speed"]
    print(
        f"\nfull speed: {fast['loop']:.0f} frames/s in the loop, {fast['until closed']:.0f} until the file was closed"
    )
    for key in ("frames", "lost", "images on disk", "images dropped", "trials", "water"):
        print(f"{key}: {figures[key]}")
    ours = figures["read to last command"]
    bars = [
        Bar("p50 of read to last command, us", ours["p50"], 150, at_least=False),
        Bar("p99 of read to last command, us", ours["p99"], 400, at_least=False),
        Bar("frames lost", figures["lost"], 0, at_least=False),
        Bar("images not on disk", figures["frames"] - figures["images on disk"], 0, at_least=False),
    ]
    return finish("loop", options, figures, bars)


if __name__ == "__main__":
    sys.exit(main())
