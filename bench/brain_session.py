"""A neurofeedback session's loop as a session has it, with everything but devices, over frames drawn beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.drawn import Drawn, Images
from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from brain.settings import DffSettings
from camera.scene import Region, SceneSettings
from camera.synthetic import Scene
from core.clock import MonotonicClock
from core.schedule import ScheduleSettings, draw_schedule
from core.threshold import ThresholdSettings
from core.tones import ToneSettings
from core.trial import SessionPlan, TrialSettings
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputSettings
from recording.recorder import Recorder
from roi_manager import Rect
from session.loop import FrameSink, FrameSource, Loop

SIDE, DRAWN = 256, 512
SHAPE = (SIDE, SIDE, 3)
FORMULA = "BC_L-BC_R"
HISTORY_S = 6.0
ROIS = {"BC_L": Rect(35, 175, 8, 8), "BC_R": Rect(212, 175, 8, 8)}
IMAGE_FILE = "image_stream.hdf5"
FULL_SPEED_SLOTS = 400
READ_S = 1.0


def draw(framerate: float, frames: int = DRAWN) -> Images:
    """Draw frames with noise and many transients; (frames, SIDE, SIDE, 3) uint8."""
    regions = tuple(Region(name, roi.y + 4.0, roi.x + 4.0) for name, roi in ROIS.items())
    settings = SceneSettings(regions=regions, transients_per_min=60, shared_fraction=0.0)
    scene = Scene(settings, SIDE, SIDE, framerate, seed=1)
    return np.stack([scene.render(k) for k in range(frames)])


def make_plan() -> SessionPlan:
    """Return a session's plan: trials, tones and water, for longer than any benchmark."""
    schedule = ScheduleSettings(total_trials=10_000)
    return SessionPlan(
        TrialSettings(initial_rest_dur=1, max_trial_dur=3, success_rest_dur=0.5, fail_rest_dur=0.5, reward_delay=0.1),
        ToneSettings(),
        ThresholdSettings(reward_threshold=0.03),
        schedule.session_type,
        draw_schedule(schedule, np.random.default_rng(1)),
    )


def make_loop(camera: FrameSource, sink: FrameSink, clock: MonotonicClock, framerate: float) -> tuple[Loop, Rig]:
    """Return a session's loop, and its rig of fakes: two 8x8 ROIs, 6 s of history, and a plan of ``make_plan``."""
    pipeline = BrainPipeline(parse_rule(FORMULA), ROIS, DffSettings(dff_history=HISTORY_S), framerate, SHAPE, "uint8")
    rig = Rig(FakeSpeaker(), FakeValve(OutputSettings(max_session_water_s=3600)), FakeLines(), FakeLickSensor())
    return Loop(camera, pipeline, make_plan(), rig, sink, clock), rig


def make_recorder(folder: Path, slots: int, *, wait: bool = False, record_images: bool = True) -> Recorder:
    """Return a recorder for such a loop, which makes ``folder``; not yet started."""
    folder.mkdir(parents=True)
    return Recorder(
        folder, SHAPE, "uint8", tuple(ROIS), image_file=IMAGE_FILE, record_images=record_images, slots=slots, wait=wait
    )


def full_speed(images: Images, framerate: float, folder: Path, frames: int) -> dict[str, float]:
    """Return frames per second of the loop when nothing paces it, recording all of them into a new ``folder``."""
    clock = MonotonicClock()
    recorder = make_recorder(folder, FULL_SPEED_SLOTS, wait=True)
    loop, rig = make_loop(Drawn(images, framerate), recorder, clock, framerate)
    recorder.start()
    loop.turn(READ_S, ())
    start_ns = clock.now_ns()
    for _ in range(frames):
        loop.turn(READ_S, ())
    loop_s = (clock.now_ns() - start_ns) / 1e9
    rig.close()
    recorded = recorder.close()
    whole_s = (clock.now_ns() - start_ns) / 1e9
    return {"loop": frames / loop_s, "until closed": frames / whole_s, "images on disk": recorded.images}
