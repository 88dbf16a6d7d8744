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

from bench.report import Bar, arguments, finish, table
from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from brain.settings import DffSettings
from camera.pace import Paced
from camera.scene import Region, SceneSettings
from camera.synthetic import SyntheticCamera
from core.clock import MonotonicClock
from core.schedule import ScheduleSettings, draw_schedule
from core.threshold import ThresholdSettings
from core.tones import ToneSettings
from core.trial import SessionPlan, TrialSettings
from core.values import Frame, Image
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputSettings
from recording.recorder import Recorder
from roi_manager import Rect
from session.loop import Loop

SIDE, FPS, DRAWN = 256, 100.0, 512
ROIS = {"BC_L": Rect(35, 175, 8, 8), "BC_R": Rect(212, 175, 8, 8)}
PERIOD_NS = round(1e9 / FPS)
RECORDER_SLOTS = 400


class Drawn:
    """A camera port over frames drawn beforehand, played round and round."""

    frame_shape = (SIDE, SIDE, 3)
    frame_dtype = "uint8"
    expected_frames = None

    def __init__(self, images: list[Image]) -> None:
        self._images = images
        self._number = 0

    def start(self) -> None:
        """Nothing to start."""

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame at once."""
        del timeout_s
        k, self._number = self._number, self._number + 1
        return Frame(self._images[k % len(self._images)], k + 1, k * PERIOD_NS)

    def close(self) -> None:
        """Nothing to close."""


def draw() -> list[Image]:
    """Draw the frames once."""
    regions = tuple(Region(name, roi.y + 4.0, roi.x + 4.0) for name, roi in ROIS.items())
    camera = SyntheticCamera(
        SceneSettings(regions=regions, transients_per_min=60, shared_fraction=0.0), SIDE, SIDE, FPS, 1
    )
    camera.start()
    images = [camera.read(1.0).image.copy() for _ in range(DRAWN)]
    camera.close()
    return images


def make_loop(camera: Any, folder: Path, clock: MonotonicClock, wait: bool) -> tuple[Loop, Recorder, Rig]:
    """Return a session's loop with everything a rig has but devices."""
    schedule = ScheduleSettings(total_trials=10_000)
    plan = SessionPlan(
        TrialSettings(initial_rest_dur=1, max_trial_dur=3, success_rest_dur=0.5, fail_rest_dur=0.5, reward_delay=0.1),
        ToneSettings(),
        ThresholdSettings(reward_threshold=0.03),
        schedule.session_type,
        draw_schedule(schedule, np.random.default_rng(1)),
    )
    pipeline = BrainPipeline(parse_rule("BC_L-BC_R"), ROIS, DffSettings(dff_history=6.0), FPS, (SIDE, SIDE, 3), "uint8")
    rig = Rig(FakeSpeaker(), FakeValve(OutputSettings(max_session_water_s=3600)), FakeLines(), FakeLickSensor())
    recorder = Recorder(
        folder, (SIDE, SIDE, 3), "uint8", pipeline.names, image_file="image_stream.hdf5", record_images=True,
        slots=RECORDER_SLOTS, wait=wait,
    )  # fmt: skip
    return Loop(camera, pipeline, plan, rig, recorder, clock), recorder, rig


def paced(images: list[Image], folder: Path, seconds: float) -> dict[str, Any]:
    """Run both loops side by side for ``seconds``; return latencies in us and counts."""
    clock = MonotonicClock()
    camera, empty_camera = Paced(Drawn(images), clock), Paced(Drawn(images), clock)
    loop, recorder, rig = make_loop(camera, folder, clock, wait=False)
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
        "read to last command": percentiles(ours),
        "empty loop": percentiles(empty),
        "due to recorded": percentiles(due[1:]),
        "empty loop, due to read": percentiles(empty_due[1:]),
        "frames": loop.status.frames,
        "lost": loop.status.dropped,
        "images on disk": recorded.images,
        "images dropped": recorded.images_dropped,
        "error": recorded.error or "",
        "water": loop.status.water,
        "trials": loop.status.state.trial,
    }


def full_speed(images: list[Image], folder: Path, frames: int) -> dict[str, float]:
    """Return frames per second of the loop when nothing paces it, recording all of them."""
    clock = MonotonicClock()
    loop, recorder, rig = make_loop(Drawn(images), folder, clock, wait=True)
    recorder.start()
    loop.turn(1.0, ())
    start_ns = clock.now_ns()
    for _ in range(frames):
        loop.turn(1.0, ())
    loop_s = (clock.now_ns() - start_ns) / 1e9
    rig.close()
    recorded = recorder.close()
    whole_s = (clock.now_ns() - start_ns) / 1e9
    return {"loop": frames / loop_s, "until closed": frames / whole_s, "images on disk": recorded.images}


def percentiles(latency_ns: Any) -> dict[str, float]:
    """Return p50, p99, p99.9 and the maximum in us."""
    us = np.asarray(latency_ns) / 1000
    p50, p99, p999 = np.percentile(us, (50, 99, 99.9))
    return {"p50": float(p50), "p99": float(p99), "p99.9": float(p999), "max": float(us.max())}


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if a bar is missed."""
    options: argparse.Namespace = arguments(__doc__, argv)
    seconds, frames = (10.0, 500) if options.quick else (300.0, 6000)
    images = draw()
    scratch = Path(tempfile.mkdtemp(prefix="bench_loop_"))
    try:
        (scratch / "paced").mkdir()
        (scratch / "full").mkdir()
        print(f"{seconds:g} s at {FPS:g} frames/s ...", file=sys.stderr)
        figures = paced(images, scratch / "paced", seconds)
        figures["full speed"] = full_speed(images, scratch / "full", frames)
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
