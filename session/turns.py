"""Turns the loop until the session is over: waits for frames, and opens devices again that were lost on the way."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Mapping

from core.errors import CameraError, CameraTimeout, DeviceLost, OutputError, PoseError, RigError, StillOpening
from core.ports import Camera, Clock, Described, EndOfSource, Interrupted, Reconnectable
from core.trial import Phase, TrialState
from core.values import Operator, as_ns
from hardware.rig import LOOP, Rig
from session.camera_start import start_camera
from session.loop import Loop
from session.settings import Settings
from session.silence import LOOK_S, check_silence, wait_s
from session.stop import StopRequest

HEALTH_S = 60.0
"""How often the machine is looked at while no trial runs, as in a resting session, s of the frames' time."""
SOON_S = 10.0
"""A pose estimator that is lost within this time of its start does not work, s of the host's time."""
OFTEN = 3
"""How often in succession it may be lost so soon before the session ends."""

CURES = {
    "camera": "see to its cable and power",
    "sound": "see to the sound card and its cable",
    "board": "see to the board of the output lines and its cable",
    "licks": "see to the lick sensor and its wires",
    "pose": "see to the pose model, to the memory that is free, and to the GPU",
}
"""What a person can do for a device that stays away; the loop itself comes back at once."""


def _fact(name: str, error: RigError) -> str:
    """Return what an error of a device says, without its cure and the device's name."""
    return str(error).partition("; ")[0].removeprefix(f"{name}: ")


class Turns:
    """Runs a loop whose parts have been started. Called by the runner's thread.

    A device that is lost leaves the outputs silent, and the trial is cut short at once. Then it is opened again, if the
    settings say so, for at most ``reconnect_s``; what could not be opened ends the session.

    Parameters
    ----------
    settings, camera, rig, loop, clock, stop
    watch_health : callable
        Called when there is time for it: after each trial, and every HEALTH_S while none runs.
    beside : callable
        Called after each turn, and while a frame or a lost device is waited for: what runs beside the loop.
    pose : PoseEstimator or None
        Opened again when it is lost, where it can be.

    Attributes
    ----------
    interruptions : int
        How often a device was lost.
    """

    def __init__(
        self,
        settings: Settings,
        camera: Camera,
        rig: Rig,
        loop: Loop,
        clock: Clock,
        stop: StopRequest,
        watch_health: Callable[[], None],
        beside: Callable[[], None] = lambda: None,
        pose: object = None,
    ) -> None:
        self._settings = settings
        self._camera = camera
        self._rig = rig
        self._loop = loop
        self._clock = clock
        self._stop = stop
        self._watch_health = watch_health
        self._beside = beside
        self._pose = pose
        self._last_ns = clock.now_ns()
        self._health_ns = 0
        self._cut = False
        self._pose_back_ns = clock.now_ns() - as_ns(SOON_S)
        self._lost_soon = 0
        self.interruptions = 0

    def begin(self, look: Callable[[], None]) -> bool:
        """Start camera and outputs, and take the first look; return False on a stop.

        A device that is lost meanwhile is opened again as in mid-session. Raises what ``look`` raises, and as ``run``.
        """
        return (
            # First, since it may take seconds, in which nobody would tell the lines' keeper that the session lives.
            self._begin_with(lambda: start_camera(self._camera, lambda: not self._stop), lambda: None)
            and self._begin_with(self._rise, self._rig.check_lost)
            and self._begin_with(look, look)
        )

    def _begin_with(self, step: Callable[[], None], once_back: Callable[[], None]) -> bool:
        """Do a step, or ``once_back`` in its stead when what was lost in it is back; return False on a stop."""
        while True:
            try:
                step()
            except Interrupted:
                return False
            except (DeviceLost, CameraError) as lost:
                if not self._recover_any(lost):
                    return False
                step = once_back
            else:
                return True

    def _rise(self) -> None:
        """Light and triggers on, of a rig of which nothing is lost. Raises DeviceLost, OutputError."""
        self._rig.settle()
        self._rig.check_lost()
        try:
            self._rig.start(0)
        except OutputError:
            self._rig.settle()
            self._rig.check_lost()
            raise

    def _recover_any(self, lost: DeviceLost | CameraError) -> bool:
        """Open what was lost again; return False on a stop. Raises the error where that is not to be, or in vain."""
        if isinstance(lost, CameraError):
            return self._recover_camera(lost)
        if lost.devices == ("pose",):
            return self._recover_pose(lost)
        return all(self._recover_output(name, lost) for name in lost.devices)

    def run(self) -> str:
        """Turn until the end; return the session's outcome.

        Raises what the loop raises, for a device that cannot be, or is not to be, opened again.
        """
        self._last_ns = self._clock.now_ns()
        while True:
            wishes = self._stop.wish()
            try:
                state = self._turn(wishes)
            except EndOfSource:
                return "aborted" if wishes else "source_ended"
            except (DeviceLost, CameraError) as lost:
                if not self._recover_any(lost):
                    return "aborted"
                continue
            if state is None:
                if self._stop:
                    return "aborted"
                continue
            if state.phase is Phase.DONE:
                return state.outcome
            self._use_the_time(state)

    def _use_the_time(self, state: TrialState) -> None:
        """Collect what a trial left, and look at the machine, where nothing is late for it."""
        now_ns = self._loop.status.now_ns
        self._health_ns = self._health_ns or now_ns
        if state.verdict.outcome:
            gc.collect()
        elif state.phase is Phase.TRIAL or now_ns - self._health_ns < as_ns(HEALTH_S):
            return
        self._watch_health()
        self._health_ns = now_ns

    def _turn(self, wishes: tuple[Operator, ...]) -> TrialState | None:
        """Take one frame through the loop; return None when none has come yet. Raises CameraTimeout after too long."""
        silent_ns = self._clock.now_ns() - self._last_ns
        try:
            state = self._give(wait_s(self._settings.camera, silent_ns), wishes)
        except CameraTimeout:
            self._rig.alive()
            if not self._stop:
                check_silence(self._settings.camera, self._clock.now_ns() - self._last_ns)
            self._beside()
            return None
        self._cut = False
        self._last_ns = self._clock.now_ns()
        self._beside()
        return state

    def _give(self, timeout_s: float, wishes: tuple[Operator, ...]) -> TrialState:
        """Turn the loop once; a wish counts as given also where a device failed after the decision."""
        before = self._loop.status.state
        try:
            return self._loop.turn(timeout_s, wishes)
        finally:
            if wishes and self._loop.status.state is not before:
                self._stop.given(wishes)

    def _recover_camera(self, error: CameraError) -> bool:
        """Open the camera again; return False on a stop. Raises the error where that is not to be, or in vain."""
        camera = self._camera
        if not (self._settings.faults.lost_camera and isinstance(camera, Reconnectable)):
            raise error
        return self._recover("camera", error, camera.reconnect)

    def _recover_pose(self, lost: DeviceLost) -> bool:
        """Open the pose estimator again, as ``_recover_camera``."""
        error = lost.__cause__ if isinstance(lost.__cause__, PoseError) else PoseError(str(lost))
        wanted = self._settings.pose is not None and self._settings.pose.lost_pose
        if not (wanted and isinstance(self._pose, Reconnectable)):
            raise error
        soon = self._clock.now_ns() - self._pose_back_ns < as_ns(SOON_S)
        self._lost_soon = self._lost_soon + 1 if soon else 0
        if self._lost_soon >= OFTEN:
            again = f"it was lost {OFTEN + 1} times within {SOON_S:g} s of its start"
            raise PoseError(f"{_fact('pose', error)}; {again}: raise pose_timeout_s, or {CURES['pose']}") from error
        back = self._recover("pose", error, self._pose.reconnect)
        self._pose_back_ns = self._clock.now_ns()
        return back

    def _recover_output(self, name: str, error: DeviceLost) -> bool:
        """Open an output or sensor again, as ``_recover_camera``."""
        faults = self._settings.faults
        wanted = {"sound": faults.lost_sound, LOOP: True}.get(name, faults.lost_board)
        if not (wanted and self._rig.can_reconnect(name)):
            raise error
        return self._recover(name, OutputError(self._rig.lost.get(name, str(error))), lambda: self._rig.reconnect(name))

    def _recover(self, name: str, error: RigError, reconnect: Callable[[], None]) -> bool:
        """Fall silent, open the device again and again, go on."""
        since_ns, lost_ns = self._clock.now_ns(), self._loop.between_ns
        self.interruptions += 1
        self._rig.hush(max(self._loop.status.now_ns, 0))
        self._loop.note("lost", f"{name}: {str(error).removeprefix(f'{name}: ')}", lost_ns)
        self._cut = self._loop.cut(name, lost_ns) or self._cut
        while not self._stop:
            try:
                reconnect()
            except RigError as again:
                self._check_patience(name, error, again, since_ns)
                self._rig.alive()
                self._beside()
                if name != "camera":
                    self._loop.record_waiting(name)
                if not isinstance(again, StillOpening):
                    self._clock.sleep_until_ns(self._clock.now_ns() + as_ns(LOOK_S))
                    self._rig.alive()
            else:
                self._back(name, since_ns)
                return True
        return False

    def _check_patience(self, name: str, error: RigError, again: RigError, since_ns: int) -> None:
        """Raise the error once the device has been tried for long enough."""
        patience_s = self._settings.faults.reconnect_s
        if self._clock.now_ns() - since_ns < as_ns(patience_s):
            return
        lost, last = (_fact(name, each) for each in (error, again))
        why = "" if last == lost else f" ({last})"
        kind = {"camera": CameraError, "pose": PoseError}.get(name, OutputError)
        text = f"{name} lost: {lost}; it did not come back within {patience_s:g} s, reconnect_s{why}; {CURES[name]}"
        raise kind(text) from error

    def _back(self, name: str, since_ns: int) -> None:
        """Note that the device is back, and what it is now; light and triggers on again."""
        facts = self._facts(name)
        told = f": {json.dumps(dict(facts), default=str)}" if facts else ""
        back_ns = self._loop.between_ns
        self._loop.note("back", f"{name} after {(self._clock.now_ns() - since_ns) / 1e9:.1f} s{told}", back_ns)
        if self._cut:
            self._loop.rest_from(back_ns)
        self._rig.settle()
        try:
            self._rig.start(max(self._loop.status.now_ns, 0))
        except OutputError:
            # The lines may be lost as well, which the next turn finds and mends; else it is a failure of its own.
            self._rig.reports()
            if not self._rig.lost:
                raise
        self._last_ns = self._clock.now_ns()

    def _facts(self, name: str) -> Mapping[str, object]:
        if name == "pose":
            return self._pose.facts if isinstance(self._pose, Described) else {}
        if name != "camera":
            return self._rig.facts(name)
        return self._camera.facts if isinstance(self._camera, Described) else {}
