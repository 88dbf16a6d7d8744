"""A movement session's loop as a session has it, with everything but devices, and where each frame's time goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from behavior.pipeline import MovementPipeline
from behavior.pose_client import ProcessPose
from behavior.settings import MovementSettings, TrialStart
from bench.drawn import Drawn, Images
from bench.pose_frames import scene
from camera.pace import Paced
from core.clock import MonotonicClock
from core.ports import PoseEstimator
from core.schedule import ScheduleSettings, draw_schedule
from core.threshold import ThresholdSettings
from core.tones import ToneSettings
from core.trial import SessionPlan, TrialSettings
from core.values import Frame, Pose
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import FaultSettings, OutputSettings
from recording.recorder import Recorder
from recording.schema import POSE_PREFIX, FrameRow, SideRow, TimingRow
from recording.settings import RecordingSettings
from session.loop import FrameSink, Loop
from session.parts import ring_slots
from session.real_time import real_time

READ_S = 5.0
WARM_UP = 3
"""First frames, which are left out: caches and the video's encoder are cold."""
LEAST_FRAMES = 3


class TimedPose:
    """An estimator, and when each pose's inference began and was done.

    Of ``ProcessPose`` that is what its process measured; of another, the call of ``estimate``.

    Parameters
    ----------
    estimator : PoseEstimator
    clock : MonotonicClock
    """

    def __init__(self, estimator: PoseEstimator, clock: MonotonicClock) -> None:
        self.spans: list[tuple[int, int]] = []
        self._estimator = estimator
        self._now = clock.now_ns

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the body parts."""
        return self._estimator.names

    def open(self, go_on: Callable[[str], bool]) -> None:
        """Get ready."""
        self._estimator.open(go_on)

    def estimate(self, frame: Frame, alive: Callable[[], None]) -> Pose:
        """Return the pose in a frame."""
        start_ns = self._now()
        pose = self._estimator.estimate(frame, alive)
        span = (start_ns, self._now())
        self.spans.append(self._estimator.last_span_ns if isinstance(self._estimator, ProcessPose) else span)
        return pose

    def close(self) -> None:
        """Release everything."""
        self._estimator.close()


class TimedSink:
    """A recorder, and when each frame that was judged was read and its last command issued."""

    def __init__(self, recorder: FrameSink) -> None:
        self.spans: list[tuple[int, int]] = []
        self.note = recorder.note
        self._write = recorder.write

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Take one frame; the loop has issued its commands by now."""
        if timing.command_ns:
            self.spans.append((timing.read_ns, timing.command_ns))
        self._write(frame, row, timing, side)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run of the loop came to.

    Attributes
    ----------
    parts : dict of str to ndarray
        Each judged frame's latency, ms, whole and in parts.
    counts : dict of str to int
    refused : tuple of str
        Rights that the loop asked for and did not get.
    """

    parts: Mapping[str, npt.NDArray[np.float64]]
    counts: Mapping[str, int]
    refused: tuple[str, ...]


def run_session(images: Images, estimator: PoseEstimator, framerate: float, seconds: float, folder: Path) -> Measured:
    """Run the loop of a session in real time, recording a video into ``folder``; opens and closes the estimator.

    Parameters
    ----------
    images : ndarray, (frames, height, width, 3) uint8
    estimator : PoseEstimator
        Not yet open.
    framerate, seconds : float
    folder : Path
        Empty.
    """
    clock = MonotonicClock()
    pose = TimedPose(estimator, clock)
    rig = Rig(FakeSpeaker(), FakeValve(OutputSettings(max_session_water_s=3600)), FakeLines(), FakeLickSensor())
    try:
        pose.open(lambda _: True)
        camera = Paced(Drawn(images, framerate), clock)
        height, width = camera.frame_shape[:2]
        movement = MovementSettings(
            control_point=pose.names[0],
            # The network is untrained, and likes no place very much; the trial's logic is to have a signal to work on.
            min_likelihood=0.0 if isinstance(estimator, ProcessPose) else 0.6,
            trial_start=TrialStart.immediate,
        )
        pipeline = MovementPipeline(pose, movement, scene(height, width).ppmm, rig.alive)
        recording = RecordingSettings()
        recorder = Recorder(
            folder, camera.frame_shape, camera.frame_dtype, pipeline.names, part_prefix=POSE_PREFIX,
            image_file=recording.video_file, record_images=True, video_codec=recording.video_codec,
            slots=ring_slots(recording.recorder_buffer_s, framerate, camera), wait=False, framerate=framerate,
        )  # fmt: skip
        sink = TimedSink(recorder)
        loop = Loop(camera, pipeline, make_plan(), rig, sink, clock, live=True, newest=True)
        recorder.start()
        try:
            with real_time(FaultSettings(), live=True) as refused:
                camera.start()
                end_ns = clock.now_ns() + round(seconds * 1e9)
                while clock.now_ns() < end_ns or len(sink.spans) < WARM_UP + LEAST_FRAMES:
                    loop.turn(READ_S, ())
        finally:
            recorded = recorder.close()
    finally:
        rig.close()
        pose.close()
    status = loop.status
    counts = {
        "frames": status.frames,
        "lost": status.dropped,
        "skipped": status.skipped,
        "in video": recorded.images,
        "trials": status.state.trial,
        "water": status.water,
    }
    return Measured(parts_of(sink.spans, pose.spans), counts, tuple(refused))


def make_plan() -> SessionPlan:
    """Return trials that follow each other quickly, with tones and water."""
    schedule = ScheduleSettings(total_trials=10_000)
    return SessionPlan(
        TrialSettings(initial_rest_dur=0.5, max_trial_dur=3, success_rest_dur=0.5, fail_rest_dur=0.5, reward_delay=0.1),
        ToneSettings(),
        ThresholdSettings(reward_threshold=100.0),
        schedule.session_type,
        draw_schedule(schedule, np.random.default_rng(1)),
        end_pulse=True,
    )


def parts_of(
    frames_ns: list[tuple[int, int]], inference_ns: list[tuple[int, int]]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return what each frame's time from read to last command went to, ms.

    Parameters
    ----------
    frames_ns : list of (int, int)
        When each was read, and its last command issued.
    inference_ns : list of (int, int)
        When each one's inference began and was done, on the same clock.
    """
    read, command = np.array(frames_ns, np.int64)[WARM_UP:].T
    start, end = np.array(inference_ns, np.int64)[WARM_UP:].T
    spans = {
        "read to last command": command - read,
        "inference": end - start,
        "everything else": (command - read) - (end - start),
        "- before inference": start - read,
        "- after it": command - end,
    }
    return {name: span / 1e6 for name, span in spans.items()}
