"""One turn of the loop: frame -> signal -> decision -> commands -> record. The hot path: nothing waits for a disk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn, Protocol

from camera.tally import REPEAT
from core.errors import CameraTimeout, DeviceLost, PoseError
from core.ports import Clock, Counting, EndOfSource, Losing, NotJudged, Pipeline, Queued, Reporter
from core.trial import Phase, SessionPlan, TrialState, begin, step
from core.values import POSE_LOST, Command, Frame, Operator, OperatorKind, Report, Signal, TrialInput, Water
from core.wishes import obey
from hardware.rig import Rig
from recording.schema import EventRow, InputRow, SideRow, TimingRow
from session.frame_tally import AGAIN_NUMBER, AGAIN_TIME
from session.loop_rows import frame_row, mark_rows, rows_after, side_rows, without_refused
from session.skipping import RECORDING, RowSink, Skipping
from session.status import Status
from session.timing import Latencies


class FrameSource(Protocol):
    """What the loop needs of a camera."""

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame, as ``core.ports.Camera``."""


class FrameSink(RowSink, Protocol):
    """What the loop needs of a recorder."""

    def note(self, side: Sequence[SideRow]) -> None:
        """Take what belongs to no frame. Raises RecordingError."""


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
        queue = camera if newest and isinstance(camera, Queued) else None
        self._newest = queue is not None
        self._measured_ns = 0
        self._repeats = 0
        self._done = 0
        self.latencies = Latencies()
        self.lateness = Latencies()
        self.status = Status(begin(plan))
        self._skipping = Skipping(
            queue, self._read_next, recorder, self.status, pipeline, self.note,
            tells=self._camera_reports is not None,
        )  # fmt: skip
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
        if refused is not None:
            asked = sum(isinstance(command, Water) for command in commands)
            state, commands = without_refused(self.status.state, state, commands, water)
        self._take_over(frame, state, water)
        trial = state.verdict.trial
        # A camera that tells of itself tells of its drops, by cause.
        dropped = frame.dropped if self._camera_reports is None else 0
        side = side_rows(frame, dropped, trial, given, commands)
        side.extend(EventRow(told.time_ns, told.kind, trial, told.detail) for told in self._reports())
        if refused is not None:
            side.append(EventRow(frame.time_ns, "output_error", trial, str(refused)))
            if water < asked:
                side.append(InputRow(frame.number, frame.time_ns, "refused", water, ""))
        row = frame_row(frame, signal, state, water, len(licks))
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
        frame, read_ns = self._read_next(timeout_s)
        self._rig.alive()
        return self._skipping.to_newest(frame, read_ns, self._measured_ns) if self._newest else (frame, read_ns)

    def _read_next(self, timeout_s: float) -> tuple[Frame, int]:
        """Return the camera's next frame, which is after the one before, and when it was read."""
        frame = self._camera.read(timeout_s)
        read_ns = self._now()
        if frame.number <= self.status.number or frame.time_ns <= self.status.now_ns:
            self._refuse(frame)
        return frame, read_ns

    def _measure(self, frame: Frame, read_ns: int) -> tuple[Signal, PoseError | None] | None:
        """Return the signal of a frame; one without a pose is recorded all the same, and what failed comes with it.

        None for a frame that the session whose poses are replayed had skipped, too: it has been recorded.
        """
        try:
            return self._pipeline.update(frame), None
        except (NotJudged, EndOfSource) as skipped:
            self._skipping.record(frame, read_ns)
            self.status.skip(1, RECORDING)
            if isinstance(skipped, EndOfSource):
                raise
            return None
        except PoseError as error:
            parts = (math.nan,) * len(self._pipeline.names)
            return Signal(math.nan, False, POSE_LOST, parts, POSE_LOST), error

    def record_waiting(self, name: str) -> None:
        """Record the frames that wait while a device is opened again, so that their queue does not overflow.

        A camera that fails meanwhile is for the next turn to find. Raises RecordingError.
        """
        self._skipping.waiting(name)

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
        events = mark_rows(time_ns, commands)
        self._recorder.note([*events, InputRow(self.status.number, time_ns, "cut", 0.0, who)])
        return any(event.kind == "cut_short" for event in events)

    def rest_from(self, time_ns: int) -> None:
        """Let the rest after a trial that was cut begin at ``time_ns``, when the device is back."""
        self._recorder.note([InputRow(self.status.number, time_ns, "rest_from", 0.0, "")])
        if self.status.state.phase is Phase.REST:
            self.status.state = self.status.state._replace(since_ns=time_ns)

    def note_last_words(self, more: Sequence[Report] = ()) -> list[Report]:
        """Log what rig and camera, which have been closed, still tell: last edges, last losses, a driver that hangs.

        Returns it, and ``more``, what others told.
        """
        status = self.status
        if status.frames and isinstance(self._camera, Losing) and (lost := self._camera.lost_since):
            status.lose(lost)
            self._recorder.note(rows_after(lost, status.number, status.now_ns))
        told = [*self._rig.last_words, *(self._camera_reports() if self._camera_reports is not None else ()), *more]
        if told:
            self._recorder.note([EventRow(each.time_ns, each.kind, 0, each.detail) for each in told])
        return told

    def _reports(self) -> list[Report]:
        """Return what devices tell of themselves: rig and camera."""
        reports = self._rig.reports()
        if self._camera_reports is not None and (told := self._camera_reports()):
            reports.extend(told)
            self._count_repeats()
        return reports

    def _count_repeats(self) -> None:
        """Take over how many frames the camera has kept to itself, since they had come before."""
        if isinstance(self._camera, Counting):
            repeats = self._camera.counts.get(REPEAT, 0) - self._repeats
            self._repeats += repeats
            self.status.tally = self.status.tally.repeat(AGAIN_TIME, repeats)

    def _refuse(self, frame: Frame) -> NoReturn:
        """Log a frame that is not after the one before it. It is no news of the mouse, so it counts as none at all."""
        status = self.status
        text = f"frame {frame.number} at {frame.time_ns} ns after frame {status.number} at {status.now_ns} ns"
        status.tally = status.tally.repeat(AGAIN_NUMBER if frame.number <= status.number else AGAIN_TIME)
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

    def _take_over(self, frame: Frame, state: TrialState, water: int) -> None:
        """Keep what the progress bar and the summary show."""
        status = self.status
        status.take(frame)
        status.state = state
        status.water += water
        if state.verdict.outcome < 0:
            status.fails += 1
