"""Neurofeedback sessions with images, as the recorder leaves them: dF/F by the pipeline, rows by the trial logic."""

import h5py
import numpy as np

from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from brain.settings import DffSettings
from core.schedule import ScheduleSettings
from core.threshold import ThresholdSettings
from core.trial import TrialSettings, begin, step
from core.values import Frame, Lick, Mark, Operator, OperatorKind, TrialInput, Water
from helper import Position, Seed, mm_to_px, seed_to_px
from recording.folder import write_session_json
from recording.reader import open_session
from recording.schema import EventRow, FrameRow
from roi_manager import Rect
from tests.recording.test_csvrows import write_session
from tests.support.trials import make_plan

FPS, START_NS, STARTED = 15.0, 5_000_000_000, 1_700_000_000_123_456_789
SEEDS = {"M1": {"ML": 1.8603, "AP": 0.64181}, "BC": {"ML": 3.4569, "AP": -1.727}}
SETTINGS = {
    "raw_image_file": "image_stream.hdf5", "resolution": [64, 48], "framerate": FPS, "dff_history": 1.0, "ppmm": 6.4,
    "bregma": [22.0, 32.0], "roi_size": [0.6, 0.3], "reward_threshold": 0.02, "total_trials": 4, "max_trial_dur": 2.0,
    "session_type": "normal_audio_normal_reward",
}  # fmt: skip
TIMES = TrialSettings(
    initial_rest_dur=1.0, max_trial_dur=2.0, success_rest_dur=0.5, fail_rest_dur=1.0, final_rest_dur=0.5,
    reward_delay=0.3,
)  # fmt: skip


def movie(rng, n, dtype):
    """A cortex whose halves light up on their own, (n, 48, 64, 3); in 16 bits with values beyond 8."""
    scale = 1.0 if dtype == "uint8" else 200.0
    time = np.arange(n)[:, None, None]
    column = np.arange(64)[None, None, :]
    active = 0.03 * np.sin(time / 9 + column / 15) + 0.02 * np.sin(time / 4.1 - column / 11)
    still = rng.uniform(80, 160, (1, 48, 64, 3))
    images = np.repeat(still, n, axis=0)
    images[..., 1] *= 1 + active
    images[..., 0] *= 1 + active / 5
    return ((images + rng.normal(0, 1, images.shape)) * scale).round().clip(0, scale * 255).astype(dtype)


def rois_of(names):
    width, height = (mm_to_px(mm, SETTINGS["ppmm"]) for mm in SETTINGS["roi_size"])
    bregma = Position(row=SETTINGS["bregma"][0], col=SETTINGS["bregma"][1])
    return {
        f"{name}_{side}": Rect.around(seed_to_px(Seed(s["AP"], s["ML"]), side, bregma, SETTINGS["ppmm"]), width, height)
        for name, s in SEEDS.items()
        for side in "LR"
        if f"{name}_{side}" in names
    }


def record(folder, formula, n=300, dtype="uint8", lost=(), wishes=None, outcome="complete"):
    """Make a session folder; return the session.

    ``lost`` are the indices of frames whose image was not kept, ``wishes`` those at which the operator speaks.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    images = movie(rng, n, dtype)
    rule = parse_rule(formula)
    pipeline = BrainPipeline(rule, rois_of(rule.names), DffSettings(dff_history=1.0), FPS, images.shape[1:], dtype)
    plan = make_plan(
        TIMES, ThresholdSettings(reward_threshold=SETTINGS["reward_threshold"]), ScheduleSettings(total_trials=4)
    )
    state, rows, events, kept = begin(plan), [], [], 0
    for k, image in enumerate(images):
        now = START_NS + round(k * 1e9 / FPS)
        signal = pipeline.update(Frame(image, k + 1, now))
        licks = (Lick(now - 5_000_000),) * (k % 7 == 3)
        state, commands = step(plan, state, TrialInput(now, signal, licks, (wishes or {}).get(k, ())))
        verdict, water = state.verdict, sum(isinstance(command, Water) for command in commands)
        rows.append(
            FrameRow(
                k + 1, now, 0, 0, -1 if k in lost else kept, signal.value, signal.parts, signal.valid, signal.reason,
                verdict.threshold, state.freq_hz, verdict.phase.value, verdict.trial, int(verdict.audio),
                verdict.outcome, water, len(licks),
            )
        )  # fmt: skip
        kept += k not in lost
        events += [EventRow(lick.time_ns, "lick", verdict.trial, "") for lick in licks]
        events += [EventRow(now, mark.kind, mark.trial, mark.detail) for mark in commands if isinstance(mark, Mark)]
    write_session(folder, rows, events=events, names=rule.names)
    key = "roi" if len(rule.names) == 1 else "roi_operation"
    settings = {**SETTINGS, key: formula}
    meta = {"mouse": "M1", "kind": "clnf", "outcome": outcome, "started_wall_ns": STARTED, "first_frame_ns": START_NS}
    write_session_json(folder, {**meta, "settings": settings, "seeds": SEEDS})
    with h5py.File(folder / "image_stream.hdf5", "w") as file:
        file["raw_images"] = np.delete(images, sorted(lost), axis=0)
    return open_session(folder)


def wish(kind, value=0.0):
    return (Operator(kind, value, "test"),)


PAUSE, RESUME = wish(OperatorKind.PAUSE), wish(OperatorKind.RESUME)
