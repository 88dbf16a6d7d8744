"""The parts of a session, what is chosen for one run, and the room that its images take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from camera.grabber import Grabber
from core.ports import Camera, Described, Pipeline, PoseEstimator
from core.trial import SessionPlan
from hardware.rig import Rig
from hardware.settings import OutputKind
from recording.parts import next_part, part_number
from recording.settings import VIDEO_SHARE
from session.settings import Settings

RING_BYTES = 512 * 2**20
"""Most memory the recorder's ring may take."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is chosen for one run and is no property of the mouse.

    Attributes
    ----------
    seed : int
        Of everything that chance decides.
    live : bool
        Whether frames come at their own pace on the host's clock (a rig, or ``--pace real``), so that a late loop loses
        frames and the rig is taken; else as fast as the loop takes them.
    outputs : OutputKind
    accept_exposure : bool
        Whether to run although an ROI is saturated or dark; what is wrong with it is then an event of the session.
    lines_only : bool
        Whether sound card and lick sensor are left closed, as a preview needs neither.
    session : str
        Name of the session's folder, for the water's ledger.
    skip_trials : int
        How many of the schedule's first trials are left out, as a part of the session before has had them.
    resumes : Path or None
        The folder of that part; None where the session is no further part of another.
    started_by : str
        Who started it, on the page or with ``--who``; empty where nobody said.
    """

    seed: int
    live: bool
    outputs: OutputKind
    accept_exposure: bool = False
    lines_only: bool = False
    session: str = ""
    skip_trials: int = 0
    resumes: Path | None = None
    started_by: str = ""

    @property
    def on_rig(self) -> bool:
        """Whether the session takes the rig: it runs on the host's clock, or moves real outputs."""
        return self.live or self.outputs is OutputKind.real

    def recorder_slots(self, settings: Settings, camera: Camera) -> int:
        """Return how many images the recorder's ring holds: ``recorder_buffer_s`` of them, in bounded memory."""
        return ring_slots(settings.recording.recorder_buffer_s, settings.camera.framerate, camera)


def ring_slots(buffer_s: float, framerate: float, camera: Camera) -> int:
    """Return how many images of a camera a recorder's ring holds: ``buffer_s`` (s) of them, in bounded memory."""
    frame_bytes = math.prod(camera.frame_shape) * np.dtype(camera.frame_dtype).itemsize
    return max(8, min(round(buffer_s * framerate), RING_BYTES // frame_bytes))


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a session, made but not started.

    Attributes
    ----------
    camera, pipeline, plan, rig
    about : dict
        What the session's record says of a simulated mouse; empty without one.
    pose : PoseEstimator or None
        What the pipeline of a movement session asks for poses; the session closes it.
    second : Camera or None
        The camera that is recorded beside the first.
    """

    camera: Camera
    pipeline: Pipeline
    plan: SessionPlan
    rig: Rig
    about: Mapping[str, Any] = field(default_factory=dict)
    pose: PoseEstimator | None = None
    second: Camera | None = None

    @property
    def devices(self) -> dict[str, Any]:
        """What the session's record says of real devices: as they were found, and settings as they were read back."""
        cameras = {"camera": self.camera, "camera2": self.second}
        facts: dict[str, Any] = {name: dict(each.facts) for name, each in cameras.items() if isinstance(each, Grabber)}
        if isinstance(self.pose, Described):
            facts["pose"] = dict(self.pose.facts)
        return facts | self.rig.about

    def image_bytes(self, settings: Settings) -> int:
        """Return the most that the images of the whole session can take, bytes; waits for the mouse not counted."""
        # A trial, its delays and its rest end each on the frame after their time.
        frames = math.ceil(self.plan.longest_s * settings.camera.framerate) + 3 * len(self.plan.schedule) + 2
        if self.camera.expected_frames is not None:
            frames = min(frames, self.camera.expected_frames)
        return frames * _kept_bytes(self.camera, settings.kind, settings)

    def second_bytes(self, settings: Settings) -> int:
        """Return the most that the images of a second camera can take, bytes; 0 without one."""
        if self.second is None or settings.camera2 is None:
            return 0
        frames = math.ceil(self.plan.longest_s * settings.camera2.camera.framerate) + 2
        if self.second.expected_frames is not None:
            frames = min(frames, self.second.expected_frames)
        return frames * _kept_bytes(self.second, settings.camera2.kind, settings)


def part_facts(settings: Settings, options: Options) -> dict[str, Any]:
    """Return what session.json says of a further part of a session; with seed and settings it gives the plan again."""
    if options.resumes is None:
        return {}
    resumes = {
        "session": f"../{options.resumes.name}",
        "trials_done": options.skip_trials,
        "threshold": settings.threshold.reward_threshold,
    }
    return {"part": part_number(next_part(options.resumes)), "resumes": resumes}


def image_file_of(settings: Settings) -> str:
    """Return the name of the file of a session's images: a video where they are behaviour."""
    return settings.recording.video_file if settings.kind == "clmf" else settings.recording.raw_image_file


def _kept_bytes(camera: Camera, kind: str, settings: Settings) -> int:
    """Return the most that a frame of a camera takes on disk in a recording of this kind, bytes."""
    raw = math.prod(camera.frame_shape) * np.dtype(camera.frame_dtype).itemsize
    return raw if kind == "clnf" else math.ceil(raw * VIDEO_SHARE[settings.recording.video_codec])
