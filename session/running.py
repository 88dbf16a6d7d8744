"""One session whose folder exists: starts its parts, turns its loop, and closes all of it. Watches the wall clock.

Owns the lifetime of every part: outputs end first, then cameras, recorders, summary. A session ends on its last trial,
at the end of a recording, on a stop request, when no frame comes for ``camera_timeout_s``, and on any error: always
through the same close.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from brain.exposure import exposure_facts, exposure_problems
from core.errors import ExposureError, RigError
from core.ports import Clock, LeavesBehind
from core.trial import Phase
from hardware.settings import OutputKind
from recording.folder import discard_session_folder
from recording.recorder import Recorder, RecorderResult
from recording.schema import DFF_PREFIX, POSE_PREFIX, EventRow
from session.calibration import start_warnings
from session.disk_room import ImagesWatch, watch_images
from session.failures import Failures
from session.finish import finish
from session.first_look import PutBack, first_look
from session.health import HealthWatch, machine_looks
from session.live_link import LiveLink
from session.live_status import live_about
from session.loop import Loop
from session.loop_rows import end_rows
from session.pages import Pages
from session.parts import Options, Parts, image_file_of
from session.real_time import real_time
from session.result import SessionResult
from session.second_camera import beside_of
from session.second_folder import SecondCounts
from session.settings import Settings
from session.stop import StopRequest
from session.turns import Turns
from session.watch import SessionWatch, goal_of
from session.water_day import WaterToday, water_today

STUCK = frozenset({"camera_stuck", "sound_stuck", "licks_stuck", "pose_stuck"})
"""What was left behind at the end, since it hangs in the kernel."""


class RunningSession:
    """One session; ``run`` is called once, and closes the parts."""

    def __init__(
        self, settings: Settings, options: Options, parts: Parts, folder: Path, clock: Clock, stop: StopRequest,
        little_room: str = "", link: LiveLink | None = None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._options = options
        self._parts = parts
        self._folder = folder
        self._clock = clock
        self._stop = stop
        self._little_room = little_room
        self._image_watches: tuple[ImagesWatch, ...] = ()
        self._started_ns = clock.now_ns()
        self._wall_start_ns = clock.wall_ns()
        self._failures = Failures(folder)
        self._recorder = Recorder(
            folder,
            parts.camera.frame_shape,
            parts.camera.frame_dtype,
            parts.pipeline.names,
            part_prefix=DFF_PREFIX if parts.pose is None else POSE_PREFIX,
            image_file=image_file_of(settings),
            video_codec=settings.recording.video_codec,
            framerate=settings.camera.framerate,
            record_images=settings.recording.record_images,
            slots=options.recorder_slots(settings, parts.camera),
            wait=not options.live,
        )
        self._camera = PutBack(parts.camera)
        self._pages = Pages(link, self._recorder, parts.plan, stop, parts.rig.refusal)
        self._loop = Loop(
            self._camera, parts.pipeline, parts.plan, parts.rig, self._pages, clock, live=options.live,
            newest=parts.pose is not None,
        )  # fmt: skip
        self._loop.status.images_dropped_by = lambda: self._recorder.images_dropped_by
        self._beside = beside_of(settings, options, parts, folder, clock, self._loop.status, self._recorder.note)
        self._second: SecondCounts | None = None
        self._interruptions = 0

    def run(self, watch: SessionWatch) -> SessionResult:
        """Start the parts, turn the loop, close everything, write the summary. Raises ExposureError, all closed."""
        outcome = "failed"
        refusal: ExposureError | None = None
        try:
            self._image_watches = watch_images(
                lambda: self._recorder.images_ended, lambda: self._beside.images_ended,
                self._settings.recording.disk_full, self._stop, watch.warn, self._loop.note,
            )  # fmt: skip
            self._recorder.start()
            about = live_about(
                self._settings, self._parts, str(self._folder), "session", self._options.live, self._had_today()
            )
            self._pages.open(about, self._loop.status, watch.warn)
            self._beside.open(watch.warn)
            outcome = self._turn_until_done(watch)
        except ExposureError as bad:
            refusal = bad
        except Exception as failure:  # noqa: BLE001 - whatever failed, all is closed and summed up
            self._failures.take(failure)
        wall_ns = self._clock.now_ns() - self._started_ns
        watch.closing()
        recorded = self._close(outcome, watch)
        watch.ended()
        if refusal is not None:
            self._discard(refusal)
        today = self._water_today()
        result = self._result("failed" if self._failures.text else outcome, wall_ns, recorded, today)
        self._pages.close(result.outcome, "\n".join(result.text()))
        return finish(result, self._settings, self._wall_start_ns, self._loop.status.first_ns)

    def _between_turns(self) -> None:
        """What runs beside the loop, and a look whether images are still recorded."""
        self._beside.turn()
        self._pages.look()
        for each in self._image_watches:
            each.check()

    def _discard(self, refusal: ExposureError) -> None:
        """Raise the refusal, with no session left; but one whose parts failed to close stays, to be told as failed."""
        if self._failures.text:
            self._failures.add("; ".join(refusal.problems))
            return
        discard_session_folder(self._folder)
        raise refusal

    def _look(self) -> None:
        """Judge what the camera sees before the loop's first turn.

        Raises ExposureError unless told to run anyway, and as the camera; DeviceLost where no light is why it is dark.
        """
        self._beside.start(self._stays)
        look = first_look(self._parts.camera, self._settings, self._clock, self._stop, self._parts.rig.alive)
        problems = exposure_problems(look.exposures, self._settings.mouse)
        if problems:
            # A light that went out since its board was lost is no badly exposed image.
            self._parts.rig.settle()
            self._parts.rig.check_lost()
        if problems and not self._options.accept_exposure:
            raise ExposureError(problems)
        self._recorder.note([EventRow(look.time_ns, "exposure", 0, fact) for fact in exposure_facts(look.exposures)])
        old = start_warnings(
            self._settings.valve, self._settings.outputs.calibration_max_age_days, self._clock.wall_ns()
        )
        self._recorder.note([EventRow(look.time_ns, "calibration", 0, line) for line in old])
        self._camera.put_back(look.first)

    def _stays(self) -> bool:
        """Tell the keeper of the lines that somebody is there; return whether to go on."""
        self._parts.rig.alive()
        return not self._stop

    def _turn_until_done(self, watch: SessionWatch) -> str:
        """Turn the loop until the session is over; return its outcome."""
        parts = self._parts
        with real_time(self._settings.faults, self._options.live) as refused:
            looks = machine_looks(self._settings.recording, self._options.live, self._clock)
            health = HealthWatch(looks, lambda text: self._warn(watch, text))
            turns = Turns(
                self._settings, parts.camera, parts.rig, self._loop, self._clock, self._stop, health.check,
                self._between_turns, parts.pose,
            )  # fmt: skip
            try:
                return self._turn(turns, watch, health, refused)
            finally:
                self._interruptions = turns.interruptions

    def _turn(self, turns: Turns, watch: SessionWatch, health: HealthWatch, refused: Sequence[str]) -> str:
        """Begin, tell who watches, and turn until the end."""
        if not turns.begin(self._look):
            return "aborted"
        watch.started(self._folder, self._loop.status, goal_of(self._parts))
        self._wall_start_ns = self._clock.wall_ns()
        self._started_ns = self._clock.now_ns()
        for text in (*self._parts.rig.warnings, *refused, *filter(None, [self._little_room])):
            self._warn(watch, text)
        health.check()
        return turns.run()

    def _warn(self, watch: SessionWatch, text: str) -> None:
        """Tell a person of something that is no fault yet, and log it."""
        watch.warn(text)
        self._loop.note("warning", text)

    def _close(self, outcome: str, watch: SessionWatch) -> RecorderResult:
        """Outputs off first; then the cameras; then the recorders, which take the end of a cut session with them.

        Each step is done whatever the step before it did.
        """
        for failure in self._parts.rig.close():
            self._failures.take(failure)
        steps: list[Callable[[], object]] = [self._parts.camera.close, self._beside.stop]
        if self._parts.pose is not None:
            steps.append(self._parts.pose.close)
        steps += [lambda: self._note_last_words(watch), lambda: self._note_end(outcome)]
        for step in steps:
            try:
                step()
            except Exception as failure:  # noqa: BLE001 - the recorder must be closed all the same
                self._failures.take(failure)
        recorded = self._recorder.close()
        self._second = self._beside.close(outcome)
        for each in self._image_watches:
            each.check(over=True)
        for error in (recorded.error, self._second.error if self._second is not None else ""):
            self._failures.add(error or "")
        self._failures.save()
        return recorded

    def _note_last_words(self, watch: SessionWatch) -> None:
        """Log what rig, camera and pose process tell at their end; what hangs in the kernel is no fault of the data."""
        pose = self._parts.pose
        for told in self._loop.note_last_words(pose.left_behind() if isinstance(pose, LeavesBehind) else ()):
            if told.kind in STUCK:
                self._warn(watch, told.detail)

    def _note_end(self, outcome: str) -> None:
        """Record the end of a session that did not come to its own."""
        status = self._loop.status
        if status.state.phase is Phase.DONE or not status.frames:
            return
        end_ns = max(status.now_ns, self._loop.noted_ns)
        if outcome == "aborted" and self._stop:
            # No frame came with which it would have been given to the trial logic, and been recorded.
            text = f"stopped by {self._stop.reason} while no frame came"
            self._recorder.note([EventRow(end_ns, "warning", status.state.verdict.trial, text)])
        self._recorder.note(end_rows(status.state, outcome, end_ns))

    def _had_today(self) -> float | None:
        """Return how long the valve was open for the mouse before this session, s; None where nobody counts it."""
        if self._options.outputs is not OutputKind.real:
            return None
        try:
            return water_today(self._settings, self._wall_start_ns).seconds
        except RigError:
            # A ledger that cannot be read is told of at the end, when it is read again.
            return None

    def _water_today(self) -> WaterToday | None:
        """Return what the mouse has had today; the ledger, which the guardian wrote, tells."""
        if self._options.outputs is not OutputKind.real:
            return None
        try:
            return water_today(self._settings, self._wall_start_ns, self._options.session)
        except RigError as failure:
            self._failures.add(str(failure))
            return None

    def _result(self, outcome: str, wall_ns: int, recorded: RecorderResult, today: WaterToday | None) -> SessionResult:
        """Gather the counts."""
        status = self._loop.status
        return SessionResult(
            session=self._folder,
            outcome=outcome,
            error=self._failures.text,
            trials=status.state.successes + status.fails,
            successes=status.state.successes,
            rewards=status.state.rewards,
            water=status.water,
            frames=status.frames,
            dropped=status.dropped,
            skipped=status.skipped,
            images=recorded.images,
            images_dropped=recorded.images_dropped,
            duration_s=(status.now_ns - status.first_ns) / 1e9,
            wall_s=wall_ns / 1e9,
            latency_us=self._loop.latencies.percentiles_us(),
            lateness_us=self._loop.lateness.percentiles_us() if self._options.live else {},
            interruptions=self._interruptions,
            threshold=status.state.threshold.value,
            water_today=today,
            second_camera=self._second,
            tally=status.tally.with_images(recorded.images_dropped_by),
        )
