"""Runs a recorded session through today's loop again: its frames, licks and wishes in, its decisions out.

The loop, the pipeline and the trial logic are those of a session. In place of camera, rig and recorder stand what was
recorded and a judge: the log's frames with their images, fakes that give back licks and refusals, and a sink that
compares each row with the recorded one, or, for a session that is changed, keeps what would have been recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from behavior.pipeline import MovementPipeline
from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from core.clock import VirtualClock
from core.errors import CameraTimeout, DeviceLost, InputError, OutputError
from core.ports import EndOfSource, Pipeline
from core.trial import Phase
from core.values import Signal
from hardware.rig import Rig
from recording.reader import open_session
from recording.recorded import RecordedSession
from recording.schema import DFF_PREFIX, POSE_PREFIX
from recording.tables import Bools
from session.build_movement import check_point
from session.loop import FrameSink, Loop
from session.loop_rows import end_rows
from session.replay_change import NO_IMAGE, Change, ChangedLog
from session.replay_compare import ROWS, ComparingSink, Comparison, Mismatch
from session.replay_inputs import CUT, InputScript, read_script, with_returns
from session.replay_rig import replay_rig
from session.replay_settings import (
    changes_signal,
    check_replayable,
    recorded_plan,
    recorded_settings,
    refuse_fixed,
)
from session.replay_source import (
    LoggedPose,
    NoImages,
    RecordedFrames,
    RecordedImages,
    RecordedSignals,
    cannot_compute,
)
from session.replay_whole import Whole, look_whole
from session.settings import Settings

Progress = Callable[[str, int, int], None]
"""Told what is being replayed, the frames so far and in all."""


def silent(what: str, frames: int, total: int) -> None:
    """Tell nobody."""
    del what, frames, total


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to.

    Attributes
    ----------
    session : Path
    outcome : str
        Of the recorded session.
    whole : Whole
        How far its tables reach.
    compared : Comparison
    taken_as_recorded : int
        Frames whose signal was taken from the log, as an image that it needs is missing.
    without_image : int
        Frames that have no image, where images are needed.
    software : dict
        With which versions it was recorded.
    change : Change or None
        What would have happened instead.
    """

    session: Path
    outcome: str
    whole: Whole
    compared: Comparison
    taken_as_recorded: int
    without_image: int
    software: Mapping[str, object] = field(default_factory=dict)
    change: Change | None = None


def replay_session(
    folder: Path,
    changes: Mapping[str, str] = MappingProxyType({}),
    progress: Progress = silent,
) -> Replayed:
    """Replay a session and compare; with ``changes``, replay it once more with other settings.

    Parameters
    ----------
    folder : Path
        The session's folder.
    changes : mapping of str to str
        Config keys (``--set``) to their values.
    progress : callable

    Raises
    ------
    InputError
        The session lacks what an exact replay needs, or a key cannot be changed afterwards.
    ConfigError
        A changed key is not right.
    SourceError
        The session is damaged.
    """
    with open_session(folder) as session:
        check_replayable(session)
        settings = recorded_settings(session, {})
        refuse_fixed(changes, settings.kind)
        changed = recorded_settings(session, changes) if changes else None
        material = _Material(session, settings, progress)
        if changed is not None:
            material.check_change(changed, changes)
        compared = material.compare()
        change = None if changed is None else material.change(changed, changes)
        return Replayed(
            session=session.folder,
            outcome=str(session.meta.get("outcome", "")),
            whole=material.whole,
            compared=compared,
            taken_as_recorded=int(material.lacking(settings)[: material.whole.rows].sum()),
            without_image=material.without_image,
            software=session.meta.get("software") or {},
            change=change,
        )


class _Material:
    """A recorded session, opened, and how it is run through a loop."""

    def __init__(self, session: RecordedSession, settings: Settings, progress: Progress) -> None:
        self._session = session
        self._settings = settings
        self._progress = progress
        self._script = read_script(session)
        self.whole = look_whole(session, self._script)
        width, height = settings.camera.resolution
        shape = (height, width, 3)
        self._images = RecordedImages(session, shape) if settings.kind == "clnf" else NoImages(shape)

    @property
    def without_image(self) -> int:
        """Frames that have no image, where images are needed."""
        images = self._images
        return int(images.missing[: self.whole.rows].sum()) if isinstance(images, RecordedImages) else 0

    def lacking(self, settings: Settings) -> Bools:
        """Return the rows whose signal cannot be computed again with these settings."""
        table, images = self._session.frames, self._images
        if isinstance(images, NoImages):
            return np.zeros(len(table), np.bool_)
        return cannot_compute(table, images.missing, settings.dff)

    def check_change(self, changed: Settings, changes: Mapping[str, str]) -> None:
        """Raise InputError where the changed signal cannot be computed at all."""
        if changed.kind == "clnf" and changes_signal(changes) and self.lacking(changed).all():
            raise InputError(
                f"--set {', '.join(changes)}: another signal needs the recorded images, and {self._session.folder} has "
                "none for it; change keys that leave the signal as it is, such as reward_threshold"
            )
        recorded_plan(self._session, changed)
        # A body part or an ROI that is not there is told before anything is run.
        _, pose = self._pipeline(changed, None)
        if pose is not None:
            pose.close()

    def compare(self) -> Comparison:
        """Run the session as it was; return what differs."""
        prefix = DFF_PREFIX if self._settings.kind == "clnf" else POSE_PREFIX
        sink = ComparingSink(self._session, prefix, self.whole.last_ns)
        loop, _ = self._run("replay", self._settings, sink, self._script, replay_rig(self._script), as_recorded=True)
        whole = self.whole
        if whole.end is not None and loop.status.state.phase is not Phase.DONE and loop.status.frames:
            at_ns = max(loop.status.now_ns, whole.end.time_ns)
            sink.note(end_rows(loop.status.state, whole.end.detail, at_ns))
        found = sink.end()
        if whole.lost_rows:
            found.take(Mismatch(int(self._session.frames.frame[-1]), ROWS, whole.counted, whole.rows))
        return found

    def change(self, changed: Settings, changes: Mapping[str, str]) -> Change:
        """Run the session with other settings; return what would have happened."""
        script = with_returns(self._script, self._session.events)
        rig = replay_rig(script, changed.outputs)
        instead = None
        if changes_signal(changes):
            names = parse_rule(changed.formula).names
            instead = Signal(float("nan"), False, NO_IMAGE, (float("nan"),) * len(names))
        sink = ChangedLog(self._session, changed)
        loop, why = self._run("with the change", changed, sink, script, rig, instead=instead)
        return sink.end(loop.status.state, why, changes)

    def _pipeline(self, settings: Settings, instead: Signal | None) -> tuple[Pipeline, LoggedPose | None]:
        """Return what measures frames, and the poses behind it, which are open. Raises InputError."""
        session, images = self._session, self._images
        if settings.movement is not None:
            pose = LoggedPose(session, images.shape)
            pose.open()
            check_point(settings, pose)
            return MovementPipeline(pose, settings.movement, settings.geometry.ppmm, lambda: None), pose
        inner = BrainPipeline(
            parse_rule(settings.formula), settings.rois, settings.dff, settings.camera.framerate, images.shape,
            images.dtype,
        )  # fmt: skip
        return RecordedSignals(inner, session.frames, self.lacking(settings), instead), None

    def _run(
        self, what: str, settings: Settings, sink: FrameSink, script: InputScript, rig: Rig, *,
        instead: Signal | None = None, as_recorded: bool = False,
    ) -> tuple[Loop, str]:  # fmt: skip
        """Drive a loop to the end of the recording; return it, and why a changed session ended before, if it did."""
        total = self.whole.rows
        frames = RecordedFrames(
            self._session.frames, self._images, script.between, total, lambda done: self._progress(what, done, total)
        )
        pipeline, pose = self._pipeline(settings, instead)
        plan = recorded_plan(self._session, settings)
        loop = Loop(frames, pipeline, plan, rig, sink, VirtualClock())
        try:
            return loop, _drive(loop, frames, script, as_recorded=as_recorded)
        finally:
            self._progress(what, total, total)
            rig.close()
            if pose is not None:
                pose.close()


def _drive(loop: Loop, frames: RecordedFrames, script: InputScript, *, as_recorded: bool) -> str:
    """Give the loop its frames and inputs in their recorded order.

    Returns why a session that does not go ``as_recorded`` ended: ``done``, ``refused: ...`` or an empty text, where
    the recording did.
    """
    cut = False
    while True:
        number = frames.next_judged
        try:
            state = loop.turn(0.0, script.wishes.get(number, ()))
        except CameraTimeout:
            cut = _between(loop, frames.last, script, cut, as_recorded=as_recorded)
            continue
        except EndOfSource:
            return ""
        except DeviceLost:
            # The pose: what came of it are inputs of their own.
            state = loop.status.state
        except OutputError as refused:
            if not as_recorded:
                return f"refused: {refused}"
            state = loop.status.state
        cut = False
        if state.phase is Phase.DONE and not as_recorded:
            return "done"


def _between(loop: Loop, number: int, script: InputScript, cut: bool, *, as_recorded: bool) -> bool:
    """Give what came after a frame and before the next; return whether a trial was cut for a device still lost."""
    for step in script.between[number]:
        if step.kind == CUT:
            cut = loop.cut(step.who, step.time_ns) or cut
        elif cut or as_recorded:
            loop.rest_from(step.time_ns)
    return cut
