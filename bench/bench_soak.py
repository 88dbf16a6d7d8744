"""A whole rig for minutes on end: every process running, frames accounted for, memory flat, lateness told.

`python -m bench.bench_soak --minutes 30` runs `rigloop run` in real time on Aravis' fake GigE camera at 30 frames/s
(real GigE Vision over loopback), a sound card that plays to nobody (PulseAudio's null sink), the guardian over lines in
memory, and the recorder. Meanwhile the memory of all its processes is read every few seconds. It needs what
`make rig-ci` installs.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.processes import Tree
from bench.report import Bar, finish, table
from core.clock import MonotonicClock
from core.values import as_ns

ROOT = Path(__file__).resolve().parent.parent
FPS = 30.0
TRIAL_S, REST_S, FIRST_REST_S = 8.0, 2.0, 5.0
SAMPLE_S = 5.0
LEAST_TRIALS = 2
SERIAL = "RIGLOOP_SOAK_CAMERA"

CONFIG = """\
[clnf_soak]
vid_source = genicam
resolution = 256, 256
framerate = {fps}
shutter_speed = 10000
iso = 0
roi = SPOT
roi.SPOT = 100,100,16,16
dff_history = 2
dff_mode = green
reward_threshold = 0.3
session_type = continuous_rewards
reward_dur = 0.05
reward_delay = 0.1
total_trials = {trials}
initial_rest_dur = {first}
max_trial_dur = {trial}
success_rest_dur = {rest}
fail_rest_dur = {rest}
max_session_water_s = 600
max_day_water_s = 600
output_board = memory
pin_sync = 5
rig = soak
data_root = data

[mouse:SOAK]
experiment = clnf_soak
"""


def read_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="A whole rig for minutes on end.")
    parser.add_argument("--minutes", type=float, default=30.0, help="duration of the session (default: %(default)g)")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--quick", action="store_true", help="half a minute: a look, not a figure to publish")
    options = parser.parse_args(argv)
    if options.quick:
        options.minutes = 0.5
    if not 0 < options.minutes <= 24 * 60:
        parser.error(f"--minutes {options.minutes:g}: give more than 0 and at most 1440")
    return options


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[dict[str, str]]:
    """Have a camera and a sound card that are not there; yield the environment in which they are found."""
    # By name: the tests' supports carry no types.
    sound = importlib.import_module("tests.support.pulse")
    if lacking := sound.missing():
        raise SystemExit(f"bench_soak: {lacking}")
    cameras = importlib.import_module("tests.support.gige")
    if shutil.which(cameras.PROGRAM) is None:
        raise SystemExit(f"bench_soak: {cameras.CURE}, or run make rig-ci")
    pulse = sound.Pulse(folder / "pulse")
    listener = pulse.record()
    try:
        with cameras.FakeGigE() as camera:
            yield {**os.environ, **pulse.environment, SERIAL: camera.serial}
    finally:
        listener.close()
        pulse.close()


def run_session(folder: Path, minutes: float) -> tuple[dict[str, Any], Tree]:
    """Run one session; return what it said of itself, and the memory that was read meanwhile."""
    clock = MonotonicClock()
    trials = max(LEAST_TRIALS, round((60 * minutes - FIRST_REST_S) / (TRIAL_S + REST_S)))
    config = folder / "config.ini"
    text = CONFIG.format(fps=FPS, trials=trials, first=FIRST_REST_S, trial=TRIAL_S, rest=REST_S)
    config.write_text(text, encoding="utf-8")
    command = [
        str(Path(sys.executable).with_name("rigloop")),
        "run",
        "--mouse",
        "SOAK",
        "--config",
        str(config),
        "--json",
    ]
    with stage(folder) as environment:
        session = subprocess.Popen(  # noqa: S603
            [*command, "--accept-exposure", "--seed", "1", "--set", f"camera_id={environment[SERIAL]}"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        tree = Tree(session.pid)
        try:
            while session.poll() is None:
                tree.sample(clock.now_ns())
                clock.sleep_until_ns(clock.now_ns() + as_ns(SAMPLE_S))
            said, _ = session.communicate(timeout=60)
        finally:
            session.kill()
    if not said.strip():
        raise SystemExit("bench_soak: the session did not run; its message stands above")
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    return result, tree


def account(session: Path) -> tuple[dict[str, int], list[str]]:
    """Hold the frames on record against each other; return counts, and what was said of devices that were lost."""
    with (session / "frames.csv").open(newline="", encoding="utf-8") as file:
        rows = [(int(row["frame"]), int(row["dropped"]), int(row["image"])) for row in csv.DictReader(file)]
    with (session / "events.csv").open(newline="", encoding="utf-8") as file:
        events = [(row["kind"], row["detail"]) for row in csv.DictReader(file)]
    numbers, dropped, images = (np.array(column) for column in zip(*rows, strict=True))
    kinds = [kind for kind, _ in events]
    counts = {
        "numbered": int(numbers[-1] - numbers[0] + 1),
        "processed": len(rows),
        "lost": int(dropped[1:].sum()),
        "images": int((images >= 0).sum()),
        "edges": kinds.count("edge"),
        "underflows": kinds.count("underflow"),
        "devices lost": kinds.count("lost"),
    }
    return counts, [detail for kind, detail in events if kind in ("lost", "back")]


def main(argv: Sequence[str] | None = None) -> int:
    """Run it, print what it came to; return the exit status."""
    options = read_arguments(argv)
    with tempfile.TemporaryDirectory(prefix="rigloop-soak-") as name:
        result, tree = run_session(Path(name), options.minutes)
        counts, losses = account(Path(result["session"]))
    memory = tree.megabytes()
    growth = tree.growth_mb()
    print(f"session of {result['duration_s'] / 60:.1f} min, outcome {result['outcome']} {result['error']}\n")
    print(table(("count", "n"), list(counts.items())))
    for line in losses:
        print(line)
    print()
    rows = [(name, *result[name].values()) for name in ("latency_us", "lateness_us")]
    print(table(("us", "p50", "p99", "p99.9", "max"), rows))
    print(f"\nmemory of {tree.most} processes: {memory[0]:.0f} MB at first, {memory[-1]:.0f} at the end")
    # The camera paces itself: what is due is known from the clock alone.
    share = 100 * (counts["processed"] + counts["lost"]) / (result["duration_s"] * FPS + 1)
    astray = abs(counts["numbered"] - counts["processed"] - counts["lost"])
    bars = [
        Bar("session complete (1 is yes)", float(result["outcome"] == "complete"), 1),
        Bar("frames neither processed nor accounted for", astray, 0, False),
        Bar("frames that came or were counted as lost, of those due, %", share, 99),
        Bar("frames whose image is not on disk", counts["processed"] - counts["images"], 0, False),
        Bar("devices lost", counts["devices lost"], 0, False),
        Bar("growth of memory from the second quarter to the last, MB", growth, 5, False),
    ]
    if options.quick and (result["outcome"] != "complete" or share < 90):
        raise SystemExit(
            f"bench_soak: the session is {result['outcome']}, {share:.0f} % of its frames; {result['error']}"
        )
    figures = {"result": result, "counts": counts, "memory_mb": memory}
    return finish("soak", options, figures, bars)


if __name__ == "__main__":
    sys.exit(main())
