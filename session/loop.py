"""One turn of the loop: frame -> signal -> decision -> commands -> record. The hot path: nothing waits for a disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn, Protocol

from core.errors import CameraTimeout
from core.ports import Clock, Pipeline, Reporter
from core.trial import SessionPlan, TrialState, begin, step
from core.values import Command, Frame, Lick, Mark, Operator, Report, Signal, TrialInput, Water
from hardware.rig import Rig
from recording.schema import EventRow, FrameRow, TimingRow
from session.timing import Latencies


class FrameSource(Protocol):
    """What the loop needs of a camera."""

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame, as ``core.ports.Camera``."""


class FrameSink(Protocol):
    """What the loop needs of a recorder."""

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, events: list[EventRow]) -> None:
        """Take one frame and all that came of it. Raises RecordingError."""

    def note(self, events: list[EventRow]) -> None:
        """Take events that belong to no frame. Raises RecordingError."""


@dataclass(slots=True)
class Status:
    """What a person watching wants to know; written by the loop, read by the progress bar's thread.

    Attributes
    ----------
    frames, dropped : int
        Frames read, and frames lost on the way.
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


class Loop:
    """Runs frames through the parts of a session. Owns none of them and no thread.

    Parameters
    ----------
    camera, pipeline, plan, rig, recorder, clock
        The parts, started by the runner.
    """

    def __init__(
        self, camera: FrameSource, pipeline: Pipeline, plan: SessionPlan, rig: Rig, recorder: FrameSink, clock: Clock
    ) -> None:
        self._camera = camera
        self._pipeline = pipeline
        self._plan = plan
        self._rig = rig
        self._recorder = recorder
        self._now = clock.now_ns
        self._camera_reports = camera.reports if isinstance(camera, Reporter) else None
        self._done = 0
        self._last_number = 0
        self.latencies = Latencies()
        self.lateness = Latencies()
        self.status = Status(begin(plan))

    def turn(self, timeout_s: float, wishes: tuple[Operator, ...]) -> TrialState:
        """Take one frame through the loop.

        Raises what ``camera.read`` raises, CameraTimeout where that gave a frame again, OutputError from the rig
        (DeviceLost where a device may be opened again) and RecordingError from the recorder.
        """
        frame = self._camera.read(timeout_s)
        read_ns = self._now()
        if frame.number <= self._last_number or frame.time_ns <= self.status.now_ns:
            self._refuse(frame)
        self._rig.alive()
        signal = self._pipeline.update(frame)
        signal_ns = self._now()
        licks = self._rig.licks(frame.time_ns)
        state, commands = step(self._plan, self.status.state, TrialInput(frame.time_ns, signal, licks, wishes))
        decision_ns = self._now()
        refused = self._carry_out(commands, frame.time_ns)
        command_ns = self._now()
        self.latencies.add(command_ns - read_ns)
        self.lateness.add(read_ns - frame.time_ns)
        water = sum(isinstance(command, Water) for command in commands[: self._done])
        if refused is not None:
            state, commands = _without_refused(self.status.state, state, commands, water)
        self._note(frame, state, water)
        trial = state.verdict.trial
        # A camera that tells of itself tells of its drops, by cause.
        dropped = frame.dropped if self._camera_reports is None else 0
        events = _events(frame, dropped, trial, licks, commands) if commands or licks or dropped else []
        events.extend(EventRow(told.time_ns, told.kind, trial, told.detail) for told in self._reports())
        if refused is not None:
            events.append(EventRow(frame.time_ns, "output_error", trial, str(refused)))
        row = _row(frame, signal, state, water, len(licks))
        timing = TimingRow(frame.number, read_ns, signal_ns, decision_ns, command_ns)
        try:
            self._recorder.write(frame, row, timing, events)
        finally:
            # What an output failed with comes first; a recorder that fails as well hangs on to it as context.
            self._rig.check_lost()
            if refused is not None:
                raise refused
        return state

    def note(self, kind: str, detail: str) -> None:
        """Log something that belongs to no frame, such as the loss of a device, at the time of the newest frame."""
        status = self.status
        self._recorder.note([EventRow(max(status.now_ns, 0), kind, status.state.verdict.trial, detail)])

    def note_last_words(self) -> list[Report]:
        """Log what rig and camera, which have been closed, still tell: the last edges, a driver that hangs.

        Returns it.
        """
        told = [*self._rig.last_words, *(self._camera_reports() if self._camera_reports is not None else ())]
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
