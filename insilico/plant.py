"""The simulated mouse as a session meets it: a camera, a speaker, a spout and a lick sensor.

The network runs in a process of its own (``insilico.mouse``), since Brian2 has one random state, one set of preferences
and one running network per process, and since a process can be ended whatever its network, or a compiler, is doing.
This module owns that process and the connection to it. Each frame is asked for by ``read``, which sends what was given
since the frame before: commands given after frame k act from frame k to frame k + 1, always.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.context import SpawnProcess
from typing import Any, NoReturn

import numpy as np

from core.errors import CameraError, CameraTimeout, InputError
from core.outputs import Openings
from core.ports import Clock, EndOfSource, Interrupted
from core.values import Frame, as_ns
from insilico.devices import Given, MouseSpeaker, MouseSpout, MouseTongue
from insilico.mouse import run_mouse
from insilico.spec import Failure, Go, MouseSpec, Ready, Shot, Stage
from insilico.wire import Gone, Wire, make_wires
from recording.child import signals_held_back

PREPARE_S = 900.0
"""Longest preparation, s: a compiler on a Raspberry Pi takes minutes the first time."""
LOOK_S = 0.1
END_S = 1.0
KILL_S = 0.5


class Plant:
    """The mouse. All verbs are called by the runner's thread.

    Parameters
    ----------
    spec : MouseSpec
    openings : Openings
        Bounds of its water.
    clock : Clock
    pace_real : bool
        Whether frames come at their own pace on the host's clock. A network that is slower than real time makes them
        late; none is lost, as the mouse's time is the frames' time.

    Attributes
    ----------
    about : dict
        What ``insilico.spec.Ready`` says; empty before ``prepare``.
    """

    frame_dtype = "uint8"

    def __init__(self, spec: MouseSpec, openings: Openings, clock: Clock, *, pace_real: bool = False) -> None:
        self._spec = spec
        self._clock = clock
        self._pace_real = pace_real
        self.frame_shape = (spec.height, spec.width, 3)
        self.speaker = MouseSpeaker()
        self.spout = MouseSpout(openings)
        self.tongue = MouseTongue()
        self.about: dict[str, str | int | float | bool] = {}
        self._given = Given(self.speaker, self.spout)
        context = multiprocessing.get_context("spawn")
        self._memory = context.RawArray("B", spec.height * spec.width * 3)
        self._image = np.frombuffer(self._memory, np.uint8).reshape(self.frame_shape)
        self._image.flags.writeable = False
        self._link: Wire | None = None
        self._process: SpawnProcess | None = None
        self._started = self._closed = self._asked = False
        self._shift_ns = 0
        self._number = 0
        self._coming: Frame | None = None

    @property
    def expected_frames(self) -> int | None:
        """``n_frames`` of the spec: None for a mouse without an end."""
        return self._spec.n_frames

    def prepare(self, go_on: Callable[[str], bool] = lambda _: True) -> None:
        """Start the process; return when the network is built, compiled, and stands at its first frame.

        Parameters
        ----------
        go_on : callable
            Called with what is being done, ten times a second; what it returns tells whether to go on.

        Raises
        ------
        InputError
            The network cannot be used: what is wrong, where, and the cure.
        Interrupted
            ``go_on`` returned False. The process has ended.
        """
        if self._process is not None or self._closed:
            raise CameraError("simulated mouse: prepared or closed before; make a new one")
        self._spawn()
        stage = "starting"
        for _ in range(round(PREPARE_S / LOOK_S)):
            if not go_on(stage):
                self.close()
                raise Interrupted
            if not self._connected().poll(LOOK_S):
                continue
            said = self._hear()
            if isinstance(said, Ready):
                self.about = said.about
                return
            if isinstance(said, Failure):
                self._refuse(said)
            stage = said.text if isinstance(said, Stage) else stage
        self.close()
        raise InputError(f"{self._name()}: not ready after {PREPARE_S:g} s ({stage}); make the network smaller")

    def start(self) -> None:
        """Begin to deliver frames. Raises CameraError."""
        if self._closed:
            raise CameraError("simulated mouse: it is closed; make a new one")
        if self._started:
            raise CameraError("simulated mouse: it was started before")
        if self._process is None:
            self.prepare()
        self._started = True
        self._shift_ns = self._clock.now_ns() if self._pace_real else 0

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame, waiting for the network for at most ``timeout_s`` (s).

        Raises EndOfSource after ``n_frames``; CameraTimeout, after which the same frame may be asked for again;
        CameraError when the network failed or its process died.
        """
        if self._closed or not self._started:
            state = "closed and gives no frames; make a new one" if self._closed else "not started; call start() first"
            raise CameraError(f"simulated mouse: it is {state}")
        if self._coming is None:
            self._coming = self._fetch(timeout_s)
        frame = self._coming
        if self._pace_real:
            self._wait_until_due(frame.time_ns, timeout_s)
        self._coming = None
        return frame

    def close(self) -> None:
        """End the network and its process; within 2 s, whatever they are doing."""
        self._closed = True
        if self._link is not None:
            with suppress(Gone):
                self._link.send(None)
        if self._process is not None:
            # While it is being built or compiled nothing in it can hear that it is to end.
            self._process.join(END_S if self.about else 0)
            if self._process.exitcode is None:
                self._process.kill()
            self._process.join(KILL_S)
            if self._process.exitcode is not None:
                self._process.close()
            self._process = None
        if self._link is not None:
            self._link.close()
            self._link = None

    def _spawn(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._link, theirs = make_wires()
        with theirs:
            # A daemon: if nobody calls close(), the interpreter ends it at its own exit.
            process = context.Process(
                target=run_mouse, args=(theirs, self._memory, self._spec), name="rigloop-mouse", daemon=True
            )
            try:
                with signals_held_back():
                    process.start()
            except OSError as error:
                self.close()
                text = f"{self._name()}: no process can be started ({error.strerror}); end other programs and try again"
                raise InputError(text) from error
            self._process = process

    def _fetch(self, timeout_s: float) -> Frame:
        """Have the network go on to its next frame, if that has not been asked for yet, and wait for it."""
        if self._spec.n_frames is not None and self._number >= self._spec.n_frames:
            raise EndOfSource(f"the simulated mouse was to give {self._number} frames")
        link = self._connected()
        if not self._asked:
            self._tell(self._given.go(self._shift_ns))
        if not link.poll(timeout_s):
            raise CameraTimeout(
                f"{self._name()}: the network did not come to its next frame within {timeout_s:g} s; make it smaller, "
                "or raise camera_timeout_s"
            )
        said = self._hear()
        if isinstance(said, Failure):
            error = CameraError(f"{self._name()}: the network failed: {said.text}")
            error.details = said.details
            raise error
        if not isinstance(said, Shot):
            raise CameraError(f"{self._name()}: said {said!r} for a frame; this is a fault of Rigloop, report it")
        self._asked = False
        self._number += 1
        self.tongue.put(lick + self._shift_ns for lick in said.licks_ns)
        return Frame(self._image, self._number, said.time_ns + self._shift_ns)

    def _wait_until_due(self, due_ns: int, timeout_s: float) -> None:
        last = self._clock.now_ns() + as_ns(timeout_s)
        self._clock.sleep_until_ns(min(due_ns, last))
        if due_ns > last:
            raise CameraTimeout(f"{self._name()}: no frame is due within {timeout_s:g} s; allow more")

    def _tell(self, go: Go) -> None:
        try:
            self._connected().send(go)
        except Gone:
            # What the mouse said before it ended names the cause better than its end does.
            if not self._connected().poll(0):
                self._died()
        self._asked = True

    def _hear(self) -> Any:
        try:
            return self._connected().recv()
        except Gone:
            self._died()

    def _died(self) -> NoReturn:
        code = None
        if self._process is not None:
            self._process.join(END_S)
            code = self._process.exitcode
        text = (
            f"{self._name()}: its process ended (exit code {code}); the system's log tells whether it was killed, or "
            "whether the memory was full"
        )
        if self.about:
            raise CameraError(text)
        self.close()
        raise InputError(text)

    def _refuse(self, failure: Failure) -> NoReturn:
        self.close()
        error = InputError(f"{self._name()}: {failure.text}")
        error.details = failure.details
        raise error

    def _connected(self) -> Wire:
        if self._link is None:
            raise CameraError("simulated mouse: it is closed; make a new one")
        return self._link

    def _name(self) -> str:
        own = "SIM1" if self._spec.limb is None else "SIM2"
        return f"network = {self._spec.network}" if self._spec.network else f"the simulated mouse {own}"
