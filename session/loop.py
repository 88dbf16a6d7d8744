"""One turn of the loop: frame -> signal -> decision -> commands -> record. The hot path: nothing waits for a disk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

from core.errors import CameraError, CameraTimeout, DeviceLost, PoseError
from core.ports import Clock, EndOfSource, NotJudged, Pipeline, Queued, Reporter
from core.trial import Phase, SessionPlan, TrialState, begin, step
from core.values import (
    POSE_LOST,
    SKIPPED,
    Command,
    Frame,
    Lick,
    Mark,
    Operator,
    OperatorKind,
    Report,
    Signal,
    TrialInput,
    Water,
)  # fmt: skip
from core.wishes import obey
from hardware.rig import Rig
from recording.schema import EventRow, FrameRow, InputRow, MissingRow, SideRow, TimingRow
from session.timing import Latencies


class FrameSource(Protocol):
    """What the loop needs of a camera."""

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame, as ``core.ports.Camera``."""


class FrameSink(Protocol):
    """What the loop needs of a recorder."""

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Take one frame and all that came of it. Raises RecordingError."""

    def note(self, side: Sequence[SideRow]) -> None:
        """Take what belongs to no frame. Raises RecordingError."""


@dataclass(slots=True)
class Status:
    """What a person watching wants to know; written by the loop, read by the progress bar's thread.

    Attributes
    ----------
    frames, dropped, skipped : int
        Frames read, frames lost on the way, and of those read the ones that were recorded and not judged, as a newer
        one waited.
    first_ns, now_ns : int
        Times of the first and the newest frame, -1 before.
    state : TrialState
    water : int
        Openings that were asked of the valve and not refused, free drops included.
    """

    state: TrialState
    frames: int = 0
    dropped: int = 0
    first_ns: int = -1
    now_ns: int = -1
    water: int = 0
    fails: int = 0
    skipped: int = 0


class Loop:
    """Runs frames through the parts of a session. Owns none of them and no thread.

    Parameters
    ----------
    camera, pipeline, plan, rig, recorder, clock
        The parts, started by the runner.
    live : bool
        Whether frames are stamped by ``clock``: what happens between two of them then has a time of its own.
    newest : bool
        Whether, of several frames that wait, only the newest is judged: for a pipeline that may be slower than the
        camera and needs no frame before. The others are recorded.
    """

    def __init__(
        self, camera: FrameSource, pipeline: Pipeline, plan: SessionPlan, rig: Rig, recorder: FrameSink, clock: Clock,
        *, live: bool = False, newest: bool = False,
    ) -> None:  # fmt: skip
        self._camera = camera
        self._pipeline = pipeline
        self._plan = plan
        self._rig = rig
        self._recorder = recorder
        self._now = clock.now_ns
        self._live = live
        self._camera_reports = camera.reports if isinstance(camera, Reporter) else None
        self._queue = camera if newest and isinstance(camera, Queued) else None
        self._measured_ns = 0
        self._waited_for = ""
        self._done = 0
        self._last_number = 0
        self.latencies = Latencies()
        self.lateness = Latencies()
        self.status = Status(begin(plan))
        self.noted_ns = 0

    def turn(self, timeout_s: float, wishes: tuple[Operator, ...]) -> TrialState:
        """Take one frame through the loop.

        Raises what ``camera.read`` raises, CameraTimeout where that gave a frame again, OutputError from the rig
        (DeviceLost where a device may be opened again) and RecordingError from the recorder.
        """
        frame, read_ns = self._read(timeout_s)
        while (measured := self._measure(frame, read_ns)) is None:
            frame, read_ns = self._read(timeout_s)
        signal, lost = measured
        signal_ns = self._now()
        self._measured_ns = signal_ns - read_ns
        licks = self._rig.licks(frame.time_ns)
        given = TrialInput(frame.time_ns, signal, licks, wishes)
        state, commands = step(self._plan, self.status.state, given)
        decision_ns = self._now()
        refused = self._carry_out(commands, frame.time_ns)
        command_ns = self._now()
        self.latencies.add(command_ns - read_ns)
        self.lateness.add(read_ns - frame.time_ns)
        water = sum(isinstance(command, Water) for command in commands[: self._done])
        asked = sum(isinstance(command, Water) for command in commands)
        if refused is not None:
            state, commands = _without_refused(self.status.state, state, commands, water)
        self._note(frame, state, water)
        trial = state.verdict.trial
        # A camera that tells of itself tells of its drops, by cause.
        dropped = frame.dropped if self._camera_reports is None else 0
        side: list[SideRow] = [*_events(frame, dropped, trial, licks, commands)] if commands or licks or dropped else []
        side.extend(EventRow(told.time_ns, told.kind, trial, told.detail) for told in self._reports())
        if refused is not None:
            side.append(EventRow(frame.time_ns, "output_error", trial, str(refused)))
            if water < asked:
                side.append(InputRow(frame.number, frame.time_ns, "refused", water, ""))
        if licks or wishes:
            side.extend(_inputs(frame, given))
        if frame.dropped:
            side.extend(_missing(frame))
        row = _row(frame, signal, state, water, len(licks))
        timing = TimingRow(frame.number, read_ns, signal_ns, decision_ns, command_ns)
        try:
            self._recorder.write(frame, row, timing, side)
        finally:
            # What an output failed with comes first; a recorder that fails as well hangs on to it as context.
            self._rig.check_lost()
            if refused is not None:
                raise refused
            if lost is not None:
                raise DeviceLost({"pose": str(lost)}) from lost
        return state

    def _read(self, timeout_s: float) -> tuple[Frame, int]:
        """Return the next frame that is to be judged, and when it was read."""
        frame = self._camera.read(timeout_s)
        read_ns = self._now()
        if frame.number <= self._last_number or frame.time_ns <= self.status.now_ns:
            self._refuse(frame)
        self._rig.alive()
        if self._queue is not None and self._queue.waiting:
            return self._skip_to_newest(frame, read_ns, self._queue)
        self._waited_for = ""
        return frame, read_ns

    def _measure(self, frame: Frame, read_ns: int) -> tuple[Signal, PoseError | None] | None:
        """Return the signal of a frame; one without a pose is recorded all the same, and what failed comes with it.

        None for a frame that the session whose poses are replayed had skipped, too: it has been recorded.
        """
        try:
            return self._pipeline.update(frame), None
        except (NotJudged, EndOfSource) as skipped:
            self._record_skipped(frame, read_ns)
            self.status.skipped += 1
            if isinstance(skipped, EndOfSource):
                raise
            return None
        except PoseError as error:
            parts = (math.nan,) * len(self._pipeline.names)
            return Signal(math.nan, False, POSE_LOST, parts, POSE_LOST), error

    def _skip_to_newest(self, frame: Frame, read_ns: int, queue: Queued) -> tuple[Frame, int]:
        """Record all frames that wait but the newest, which is returned, with the time when it was read."""
        before_ns, skipped = self.status.now_ns, 0
        for _ in range(queue.waiting):
            self._record_skipped(frame, read_ns)
            skipped += 1
            frame = self._camera.read(0.0)
            read_ns = self._now()
            if frame.number <= self._last_number or frame.time_ns <= self.status.now_ns:
                self._refuse(frame)
        # Of the time for which frames waited the model took most, or something else held the loop up.
        slow = 2 * self._measured_ns >= frame.time_ns - before_ns
        self._note_skipped(skipped, self._waited_for or ("inference" if slow else "late"))
        self._waited_for = ""
        return frame, read_ns

    def _note_skipped(self, frames: int, cause: str) -> None:
        self.status.skipped += frames
        self.note("skip", f"{frames} {cause}")

    def record_waiting(self, name: str) -> None:
        """Record the frames that wait while a device is opened again, so that their queue does not overflow.

        A camera that fails meanwhile is for the next turn to find. Raises RecordingError.
        """
        self._waited_for = f"{name} lost"
        skipped = 0
        try:
            for _ in range(self._queue.waiting if self._queue is not None else 0):
                frame = self._camera.read(0.0)
                if frame.number > self._last_number and frame.time_ns > self.status.now_ns:
                    self._record_skipped(frame, self._now())
                    skipped += 1
        except (CameraError, EndOfSource):
            pass
        if skipped:
            self._note_skipped(skipped, self._waited_for)

    def _record_skipped(self, frame: Frame, read_ns: int) -> None:
        """Record a frame that is not judged; the trial's state stays what it is."""
        status = self.status
        parts = (math.nan,) * len(self._pipeline.names)
        row = _row(frame, Signal(math.nan, False, SKIPPED, parts), status.state, 0, 0)._replace(outcome=0)
        dropped = frame.dropped if self._camera_reports is None else 0
        side: list[SideRow] = [*_events(frame, dropped, row.trial, (), ()), *_missing(frame)]
        self._recorder.write(frame, row, TimingRow(frame.number, read_ns, 0, 0, 0), side)
        self._last_number = frame.number
        status.frames += 1
        status.dropped += frame.dropped
        status.now_ns = frame.time_ns
        if status.first_ns < 0:
            status.first_ns = frame.time_ns

    @property
    def between_ns(self) -> int:
        """Time of what happens between two frames, ns: now, or that of the newest frame where the clock is another."""
        newest_ns = max(self.status.now_ns, 0)
        return max(self._now(), newest_ns) if self._live else newest_ns

    def note(self, kind: str, detail: str, time_ns: int = 0) -> None:
        """Log something that belongs to no frame, at ``time_ns``, or at the time of the newest frame if that is later.

        ``noted_ns`` is the latest time that was noted.
        """
        status = self.status
        at_ns = max(status.now_ns, time_ns)
        self.noted_ns = max(self.noted_ns, at_ns)
        self._recorder.note([EventRow(at_ns, kind, status.state.verdict.trial, detail)])

    def cut(self, who: str, time_ns: int) -> bool:
        """Cut the running trial short at once, for a device that was lost; return whether one ran.

        The tone is for the rig to silence.
        """
        before, commands = self.status.state, list[Command]()
        self.status.state = obey(self._plan, before, Operator(OperatorKind.ABORT_TRIAL, who=who), time_ns, commands)
        marks = [each for each in commands if isinstance(each, Mark)]
        events = [EventRow(time_ns, mark.kind, mark.trial, mark.detail) for mark in marks]
        self._recorder.note([*events, InputRow(self._last_number, time_ns, "cut", 0.0, who)])
        return any(mark.kind == "cut_short" for mark in marks)

    def rest_from(self, time_ns: int) -> None:
        """Let the rest after a trial that was cut begin at ``time_ns``, when the device is back."""
        self._recorder.note([InputRow(self._last_number, time_ns, "rest_from", 0.0, "")])
        if self.status.state.phase is Phase.REST:
            self.status.state = self.status.state._replace(since_ns=time_ns)

    def note_last_words(self, more: Sequence[Report] = ()) -> list[Report]:
        """Log what rig and camera, which have been closed, still tell: the last edges, a driver that hangs.

        Returns it, and ``more``, what others told.
        """
        told = [*self._rig.last_words, *(self._camera_reports() if self._camera_reports is not None else ()), *more]
        if told:
            self._recorder.note([EventRow(each.time_ns, each.kind, 0, each.detail) for each in told])
        return told

    def _reports(self) -> list[Report]:
        """Return what devices tell of themselves: rig and camera."""
        reports = self._rig.reports()
        if self._camera_reports is not None:
            reports.extend(self._camera_reports())
        return reports

    def _refuse(self, frame: Frame) -> NoReturn:
        """Log a frame that is not after the one before it. It is no news of the mouse, so it counts as none at all."""
        status = self.status
        text = f"frame {frame.number} at {frame.time_ns} ns after frame {self._last_number} at {status.now_ns} ns"
        self._recorder.note([EventRow(status.now_ns, "repeat", status.state.verdict.trial, text)])
        raise CameraTimeout(f"the camera repeats itself: {text}")

    def _carry_out(self, commands: tuple[Command, ...], time_ns: int) -> Exception | None:
        """Issue the commands; return what one failed with, so that what was done before it is recorded first."""
        self._done = 0
        try:
            for command in commands:
                self._rig.apply(command, time_ns)
                self._done += 1
        except Exception as error:  # noqa: BLE001 - raised again once the frame is on record
            return error
        return None

    def _note(self, frame: Frame, state: TrialState, water: int) -> None:
        """Keep what the progress bar and the summary show."""
        status = self.status
        self._last_number = frame.number
        status.state = state
        status.frames += 1
        status.dropped += frame.dropped
        status.now_ns = frame.time_ns
        if status.first_ns < 0:
            status.first_ns = frame.time_ns
        status.water += water
        if state.verdict.outcome < 0:
            status.fails += 1


def _without_refused(
    before: TrialState, state: TrialState, commands: tuple[Command, ...], water: int
) -> tuple[TrialState, tuple[Command, ...]]:
    """Take out of what was decided the drops that the valve refused: the log and the counts tell what was given."""
    kept: list[Command] = []
    rewards = before.rewards
    for command in commands:
        if isinstance(command, Mark) and command.kind in ("reward", "free_water"):
            if not water:
                continue
            water -= 1
            rewards += command.kind == "reward"
        kept.append(command)
    return state._replace(rewards=rewards), tuple(kept)


def _row(frame: Frame, signal: Signal, state: TrialState, water: int, licks: int) -> FrameRow:
    """Return the log's row of this frame; ``image`` is filled in by the recorder."""
    verdict = state.verdict
    return FrameRow(
        frame.number,
        frame.time_ns,
        frame.sensor_ns,
        frame.dropped,
        -1,
        signal.value,
        signal.parts,
        signal.valid,
        signal.reason,
        verdict.threshold,
        state.freq_hz,
        verdict.phase.value,
        verdict.trial,
        int(verdict.audio),
        verdict.outcome,
        water,
        licks,
    )


def _events(
    frame: Frame, dropped: int, trial: int, licks: tuple[Lick, ...], commands: tuple[Command, ...]
) -> list[EventRow]:
    """Return the event log's rows of this frame: drops, licks with their own times, then what was decided."""
    events = [EventRow(frame.time_ns, "drop", trial, str(dropped))] if dropped else []
    events.extend(EventRow(lick.time_ns, "lick", trial, "") for lick in licks)
    events.extend(EventRow(frame.time_ns, c.kind, c.trial, c.detail) for c in commands if isinstance(c, Mark))
    return events


def _inputs(frame: Frame, given: TrialInput) -> list[InputRow]:
    """Return what the trial logic was given with this frame."""
    rows = [InputRow(frame.number, lick.time_ns, "lick", 0.0, "") for lick in given.licks]
    rows.extend(InputRow(frame.number, frame.time_ns, w.kind.value, w.value, w.who) for w in given.operator)
    return rows


def _missing(frame: Frame) -> list[MissingRow]:
    """Return the numbers that were lost just before this frame, and why."""
    rows, number = list[MissingRow](), frame.number - frame.dropped
    for cause, count in frame.lost or (("unknown", frame.dropped),) if frame.dropped else ():
        rows.append(MissingRow(number, frame.time_ns, cause, count))
        number += count
    return rows
