"""A pose estimator that lives in a process of its own: what the loop holds of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping

from behavior.pose_link import STEP_S, PoseLink
from behavior.pose_points import check_frame, copy_8_bits
from behavior.pose_spec import PoseSpec
from behavior.pose_wire import Answer, Failure, Gone, Ready, Said, Stage
from core.errors import InputError, MissingError, PoseError, RigError, StillOpening
from core.ports import Interrupted
from core.values import Frame, Pose, Report

START_S = 300.0
"""Longest opening, s: PyTorch from a slow card, and a large model's first inference, take a minute."""
LOOK_S = 0.05
"""How often others are kept company while a pose is waited for, s."""
CALL_NS = 60_000_000
"""A call of ``reconnect`` begins no further step after this time."""
END_S = 0.5
"""How long a process is waited for that was told to end, s."""
KILL_S = 0.5

Opening = Generator[str, None, None]


class ProcessPose:
    """PoseEstimator, Reconnectable, Described and LeavesBehind. All verbs are called by the runner's thread.

    Owns the process of ``behavior.pose_process``, through ``PoseLink``; it ends with ``close``, with any PoseError of
    ``estimate`` but that of a frame which is not as it should be, and with this process.

    Parameters
    ----------
    spec : PoseSpec
        What runs in the process.
    dtype : {"uint8", "uint16"}
        Of the frames; the model gets 8 bits.
    timeout_s : float
        A pose that takes longer is lost, s.

    Attributes
    ----------
    last_inference_ns : int
        How long the model took for the last pose, ns.
    last_span_ns : (int, int)
        When it began and was done, CLOCK_MONOTONIC.
    """

    def __init__(self, spec: PoseSpec, dtype: str, timeout_s: float) -> None:
        self.last_inference_ns = 0
        self.last_span_ns = (0, 0)
        self._spec = spec
        self._dtype = dtype
        self._timeout_s = timeout_s
        self._link = PoseLink(spec)
        self._names: tuple[str, ...] = ()
        self._facts: dict[str, object] = {}
        self._state = "it is not open; call open() first"
        self._opening: Opening | None = None
        self._closed = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the body parts; empty before ``open``."""
        return self._names

    @property
    def facts(self) -> Mapping[str, object]:
        """What the model is and runs on, as found at the last opening; empty before."""
        return dict(self._facts)

    @property
    def pid(self) -> int:
        """Id of the process, 0 without one."""
        return self._link.pid

    def open(self, go_on: Callable[[str], bool]) -> None:
        """Start the process and have the model loaded and tried; seconds. As PoseEstimator says."""
        if self._closed or self._names:
            raise PoseError("pose: opened or closed before; make a new one")
        try:
            for stage in self._steps():
                if not go_on(stage):
                    raise Interrupted
        except BaseException:
            self._link.drop()
            raise

    def estimate(self, frame: Frame, alive: Callable[[], None]) -> Pose:
        """Return the pose in a frame, in px of the whole frame. As PoseEstimator says."""
        if self._state:
            raise PoseError(f"pose: {self._state}")
        check_frame(frame, self._spec.shape, self._dtype)
        wire = self._link.wire
        assert wire is not None
        copy_8_bits(frame.image, self._link.image)
        try:
            wire.ask(frame.number)
        except Gone:
            # What the process said before it ended names the cause better than its end does.
            if not wire.poll(0):
                raise self._ended(opening=False) from None
        until_ns = time.monotonic_ns() + round(self._timeout_s * 1e9)
        while not wire.poll(max(0.0, min(LOOK_S, (until_ns - time.monotonic_ns()) / 1e9))):
            alive()
            if time.monotonic_ns() >= until_ns:
                raise self._lost(
                    f"no pose in frame {frame.number} within pose_timeout_s {self._timeout_s:g}; its process was ended"
                )
        return self._pose(self._heard(wire.hear))

    def reconnect(self) -> None:
        """End what is left of the process and start it anew, a step of it; as Reconnectable says, with PoseError."""
        if self._closed:
            raise PoseError("pose: closed before; make a new one")
        if self._opening is None:
            self._opening = self._anew()
        stage = ""
        until_ns = time.monotonic_ns() + CALL_NS
        try:
            while True:
                stage = next(self._opening)
                if time.monotonic_ns() >= until_ns:
                    break
        except StopIteration:
            self._opening = None
            return
        except RigError as error:
            self._opening = None
            self._link.kill()
            failure = PoseError(str(error))
            failure.details = error.details
            raise failure from error
        raise StillOpening(f"pose: it is being opened again ({stage})")

    def left_behind(self) -> tuple[Report, ...]:
        """Return the processes that could not be ended (``pose_stuck``), as LeavesBehind says."""
        return tuple(
            Report(
                time.monotonic_ns(),
                "pose_stuck",
                f"pose: its process {pid} hangs in the kernel and was left behind; restart this computer",
            )
            for pid in self._link.take_left()
        )

    def close(self) -> None:
        """End the process, within 2 s whatever it is doing; twice is legal."""
        self._closed = True
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.close()
        # One that waits for a frame hears that the other end has hung up; one that loads or hangs hears nothing.
        idle = not self._state
        self._state = "it is closed; make a new one"
        for _ in self._link.ending(END_S if idle else 0.0, KILL_S):
            pass

    def _anew(self) -> Opening:
        self._state = "it is being opened again"
        self._link.kill()
        yield from ("ending its process" for _ in self._link.ending(0.0, KILL_S))
        names = self._names
        yield from self._steps()
        if names and self._names != names:
            self._state = "its body parts are no longer those that the session began with"
            changed, self._names = self._names, names
            raise PoseError(
                f"pose: the model now has the body parts {', '.join(changed)}, and had {', '.join(names)} when the "
                "session began; put the model back"
            )

    def _steps(self) -> Iterator[str]:
        """Start the process and see it become ready; yields what it is at, after STEP_S at most."""
        self._link.start()
        stage = "starting"
        for _ in range(round(START_S / STEP_S)):
            yield stage
            said = self._heard(self._link.hear, opening=True)
            if isinstance(said, Ready):
                self._names, self._facts, self._state = said.names, said.facts, ""
                return
            stage = said.text if isinstance(said, Stage) else stage
        raise InputError(f"pose: not ready after {START_S:g} s ({stage}); use a smaller model")

    def _heard(self, hear: Callable[[], Said | None], *, opening: bool = False) -> Said | None:
        """Return what the process says; raise what it says of its failure, and its end."""
        try:
            said = hear()
        except Gone:
            raise self._ended(opening) from None
        if not isinstance(said, Failure):
            return said
        if not opening:
            raise self._lost(f"the model failed: {said.text}", said.details)
        text = f"pose: the model cannot be loaded: {said.text}" if said.kind == "raised" else said.text
        error = MissingError(text) if said.kind == "missing" else InputError(text)
        error.details = said.details
        raise error

    def _pose(self, said: Said | None) -> Pose:
        if not isinstance(said, Answer) or len(said.points) != len(self._names):
            raise self._lost(f"its process said {said!r} for a pose; this is a fault of Rigloop, report it")
        self.last_span_ns = (said.start_ns, said.end_ns)
        self.last_inference_ns = said.end_ns - said.start_ns
        return Pose(said.points)

    def _ended(self, opening: bool) -> RigError:
        """Return the error of a process that has ended without a word."""
        # It closes its socket as it dies: the code is there within a moment.
        code = self._link.exit_code(KILL_S)
        text = (
            f"its process ended (exit code {code}); the system's log tells whether it was killed, or whether the "
            "memory was full"
        )
        return PoseError(f"pose: {text}") if opening else self._lost(text)

    def _lost(self, text: str, details: str = "") -> PoseError:
        """End the process, and return why as an error."""
        self._state = text
        self._link.kill()
        error = PoseError(f"pose: {text}")
        error.details = details
        return error
