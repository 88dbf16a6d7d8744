"""A second camera that is recorded beside the session: it drives nothing, decides nothing, and holds nobody up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from camera.grabber import Grabber
from camera.tally import REPEAT
from core.errors import CameraError, CameraTimeout, RigError, StillOpening
from core.ports import Camera, Clock, Counting, Described, EndOfSource, Reconnectable, Reporter
from core.values import Frame, as_ns
from recording.schema import SECOND_FOLDER, EventRow
from session.build import Options, Parts
from session.camera_start import start_camera
from session.frame_tally import AGAIN_NUMBER, AGAIN_TIME
from session.second_folder import SecondCounts, SecondFolder
from session.settings import Settings
from session.silence import LOOK_S, check_silence
from session.status import Status

Warn = Callable[[str], None]
"""Tells a person something that stops nothing."""
Note = Callable[[list[EventRow]], None]
"""Takes events of the session; raises RecordingError."""


class Beside:
    """What runs beside a session's loop, in the same thread; this one does nothing. Its verbs are called in order."""

    def open(self, warn: Warn) -> None:
        """Make its files, before any camera is started. ``warn`` tells a person. Raises RecordingError."""

    def start(self, go_on: Callable[[], bool]) -> None:
        """Begin, once; asked again it does nothing. ``go_on`` is asked ten times a second.

        Raises Interrupted, and CameraError where the session is not to go on without it.
        """

    def turn(self) -> None:
        """Do what there is to do, and wait for nothing. Raises RecordingError, and CameraError as ``start``."""

    @property
    def images_ended(self) -> str:
        """Why its images are recorded no more while its log is; empty as long as both are."""
        return ""

    def stop(self) -> None:
        """Let go of its devices. Raises what ``turn`` raises, having done it all the same."""

    def close(self, outcome: str) -> SecondCounts | None:
        """Close its files; return what they came to. Raises nothing."""
        del outcome
        return None


def _unheard(text: str) -> None:
    """Tell nobody: no session runs yet."""
    del text


def beside_of(
    settings: Settings, options: Options, parts: Parts, folder: Path, clock: Clock, status: Status, note: Note
) -> Beside:
    """Return the second camera of a session whose folder exists, or what does nothing where it has none."""
    if settings.camera2 is None or parts.second is None:
        return Beside()
    recording = SecondFolder(folder, settings.camera2, settings, parts.second, options.live)
    status.second = recording.tally_now
    return SecondCamera(parts.second, recording, settings, clock, status, note, live=options.live)


class SecondCamera(Beside):
    """Takes the frames of a second camera whenever the loop has turned, and records them.

    Its buffer holds what comes in between. The recording begins with the session's first frame and ends with its last.
    Where frames keep no pace (``live`` is false) both sources begin together, and a frame is recorded once the session
    has come as far; its time stays its own.

    A camera that is lost is opened again, for at most ``reconnect_s``, while the session goes on; with ``lost_camera =
    0`` the session ends. At the end of a recording, too, the session goes on without it.

    Parameters
    ----------
    camera : Camera
        Connected, not started; ``stop`` closes it.
    folder : SecondFolder
        ``close`` closes it.
    settings : Settings
        With ``camera2``.
    clock : Clock
    status : Status
        Of the session's loop, live.
    note : callable
        Takes events of the session.
    live : bool
    """

    def __init__(
        self, camera: Camera, folder: SecondFolder, settings: Settings, clock: Clock, status: Status, note: Note,
        *, live: bool,
    ) -> None:  # fmt: skip
        if settings.camera2 is None:
            raise TypeError("the settings name no second camera")
        self._camera = camera
        self._folder = folder
        self._of_camera = settings.camera2.camera
        self._faults = settings.faults
        self._clock = clock
        self._status = status
        self._note = note
        self._live = live
        # As many as can wait: a camera faster than this thread must not hold it for ever.
        self._most = self._of_camera.camera_buffer + 1 if live else None
        self._warn: Warn = _unheard
        self._started = False
        self._last: tuple[int, int] = (0, -1)
        self._in_hand: Frame | None = None
        self._shift_ns: int | None = None
        self._heard_ns = 0
        self._lost: CameraError | None = None
        self._lost_ns = 0
        self._retry_ns = 0
        self._interruptions = 0
        self._repeats = 0
        self._over = False
        self._ended = ""

    def open(self, warn: Warn) -> None:
        """Make the folder and start its writer. Raises RecordingError."""
        self._warn = warn
        self._folder.start()

    def start(self, go_on: Callable[[], bool]) -> None:
        """Start the camera. Raises Interrupted, and CameraError with ``lost_camera = 0``."""
        if self._started:
            return
        self._started = True
        self._heard_ns = self._clock.now_ns()
        try:
            start_camera(self._camera, go_on)
        except CameraError as error:
            self._lose(error)

    def turn(self) -> None:
        """Record the frames that wait. Raises RecordingError, and CameraError with ``lost_camera = 0``."""
        if self._over or not self._started or self._status.first_ns < 0:
            return
        try:
            if self._lost is None or self._is_back():
                self._take_waiting()
                self._check_silence()
        except EndOfSource:
            self._end("its recording ended")
            self._say("source_ended", SECOND_FOLDER)
        except CameraError as error:
            self._lose(error)
        finally:
            self._tell()

    @property
    def images_ended(self) -> str:
        """Why its images are recorded no more."""
        return self._folder.images_ended

    def stop(self) -> None:
        """Record what still waits, close the camera, and tell its last words."""
        try:
            if self._lost is None:
                self.turn()
        finally:
            self._over = True
            try:
                self._camera.close()
            finally:
                self._tell()
                self._folder.take_rest()

    def close(self, outcome: str) -> SecondCounts:
        """Close the recording and count it."""
        ended = self._ended or ("" if self._lost is None else str(self._lost))
        return self._folder.close(outcome, self._interruptions, ended)

    def _take_waiting(self) -> None:
        taken = 0
        while taken != self._most and (frame := self._next_due()) is not None:
            self._take(frame)
            taken += 1

    def _next_due(self) -> Frame | None:
        """Return the next frame, None where none waits or the session has not come as far."""
        frame, self._in_hand = self._in_hand, None
        if frame is None:
            try:
                frame = self._camera.read(0.0)
            except CameraTimeout:
                return None
        if self._live:
            return frame
        if self._shift_ns is None:
            self._shift_ns = self._status.first_ns - frame.time_ns
        if frame.time_ns + self._shift_ns > self._status.now_ns:
            self._in_hand = frame
            return None
        return frame

    def _take(self, frame: Frame) -> None:
        """Record a frame, unless it is the one before again, or from before the session's first."""
        read_ns = self._clock.now_ns()
        number, last_ns = self._last
        if frame.number <= number or frame.time_ns <= last_ns:
            text = f"frame {frame.number} at {frame.time_ns} ns after frame {number} at {last_ns} ns"
            self._say("repeat", f"{SECOND_FOLDER}: {text}")
            self._folder.repeat(AGAIN_NUMBER if frame.number <= number else AGAIN_TIME)
            return
        self._heard_ns = read_ns
        self._last = (frame.number, frame.time_ns)
        if self._live and frame.time_ns < self._status.first_ns:
            return
        if self._live and not self._folder.frames:
            # What was lost before is no loss of the session's.
            frame = frame._replace(dropped=0, lost=())
        self._folder.write(frame, read_ns)
        if frame.dropped and not isinstance(self._camera, Reporter):
            self._say("drop", f"{SECOND_FOLDER}: {frame.dropped}", frame.time_ns)

    def _check_silence(self) -> None:
        """Raise CameraTimeout once a camera that could be opened again has been silent for too long."""
        if self._live and isinstance(self._camera, Reconnectable):
            check_silence(self._of_camera, self._clock.now_ns() - self._heard_ns)

    def _lose(self, error: CameraError) -> None:
        """Note that the camera is lost. Raises CameraError where the session is to end with it."""
        self._interruptions += 1
        self._lost, self._lost_ns, self._retry_ns = error, self._clock.now_ns(), 0
        if not self._faults.lost_camera:
            self._end(str(error))
            raise CameraError(f"{SECOND_FOLDER}: {error}") from error
        self._say("lost", f"{SECOND_FOLDER}: {error}")
        self._warn(f"{SECOND_FOLDER} lost: {error}")
        if not isinstance(self._camera, Reconnectable):
            self._end(str(error))

    def _is_back(self) -> bool:
        """Go on with opening the camera again; return whether it is back."""
        now_ns = self._clock.now_ns()
        if now_ns < self._retry_ns:
            return False
        try:
            self._reconnect()
        except RigError as again:
            if not isinstance(again, StillOpening | CameraTimeout):
                self._retry_ns = now_ns + as_ns(LOOK_S)
            if now_ns - self._lost_ns >= as_ns(self._faults.reconnect_s):
                self._give_up(again)
            return False
        self._lost, self._heard_ns = None, now_ns
        facts = self._camera.facts if isinstance(self._camera, Described) else {}
        told = f": {json.dumps(dict(facts), default=str)}" if facts else ""
        self._say("back", f"{SECOND_FOLDER} after {(now_ns - self._lost_ns) / 1e9:.1f} s{told}")
        return True

    def _reconnect(self) -> None:
        """Take a step of opening the camera again, which the session's own frames must not wait for."""
        if isinstance(self._camera, Grabber):
            self._camera.reconnect(0.0)
        elif isinstance(self._camera, Reconnectable):
            self._camera.reconnect()

    def _give_up(self, again: RigError) -> None:
        patience = f"it did not come back within {self._faults.reconnect_s:g} s, reconnect_s"
        why = "" if str(again) == str(self._lost) else f" ({again})"
        self._end(f"{self._lost}; {patience}{why}")
        self._say("lost", f"{SECOND_FOLDER}: {patience}{why}; the session goes on without it")
        self._warn(f"{SECOND_FOLDER}: {patience}; the session goes on without it")

    def _end(self, why: str) -> None:
        """Take no more frames."""
        self._over, self._ended = True, why

    def _say(self, kind: str, detail: str, time_ns: int | None = None) -> None:
        """Log an event of the session, now where no time is given."""
        newest_ns = max(self._status.now_ns, 0)
        if time_ns is None:
            time_ns = max(self._clock.now_ns(), newest_ns) if self._live else newest_ns
        self._note([EventRow(time_ns, kind, self._status.state.verdict.trial, detail)])

    def _tell(self) -> None:
        """Log what the camera tells of itself, from the session's first frame on."""
        if not isinstance(self._camera, Reporter):
            return
        reports = self._camera.reports()
        heard = [told for told in reports if told.time_ns >= self._status.first_ns]
        for told in heard:
            self._say(told.kind, f"{SECOND_FOLDER}: {told.detail}", told.time_ns)
        if reports and isinstance(self._camera, Counting):
            # Those that the camera has kept to itself, since they had come before.
            repeats = self._camera.counts.get(REPEAT, 0) - self._repeats
            self._repeats += repeats
            self._folder.repeat(AGAIN_TIME, repeats if heard else 0)
