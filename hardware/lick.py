"""The lick sensor of a rig as a session meets it; the sensor itself is looked at by a process of its own.

This module owns that process (``hardware.lick_process``) and the socket from it. It ends with ``close()``, and by
itself when the controller is gone.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from core.errors import OutputError
from core.values import Lick, Report
from hardware.device_process import DeviceProcess
from hardware.find_gpio import find_gpio as find_gpio_of_board
from hardware.lick_process import LickSpec, run_licks
from hardware.lick_wire import MAX_BYTES, Alive, Lost, Ready, unpack
from hardware.settings import LickSettings, PinSettings
from hardware.smbus import Bus, open_smbus
from hardware.steps import STEP_S, Reopening, Steps, always, to_the_end

START_S = 30.0
"""A cold start of Python on a Pi takes seconds; so may a slow bus."""
SILENCE_NS = 3_000_000_000
"""Without a sign of life for this long the sensor is lost: it hangs in the kernel, or was stopped."""
END_S, KILL_S = 1.0, 1.0
DROP_S = 0.3
"""How long the end of a process is waited for that was killed since nobody waits for its sensor any more, s."""
MOST_REPORTS = 1000
"""Reports that wait to be taken; of more the oldest are forgotten. A sensor makes a few per second at most."""


class LickReader:
    """MPR121 or beam-break: LickSensor, Reporter, Reconnectable, Described and LeavesBehind.

    All verbs are called by the runner's thread; none but ``start``, ``reconnect`` (0.1 s) and ``close`` waits.

    Parameters
    ----------
    settings : LickSettings
    pins : PinSettings
        Of these the board and the numbering, for ``lick_pin``.
    open_bus : callable
        See ``LickSpec``; must be picklable, as ``find_gpio``.
    find_gpio : callable

    Attributes
    ----------
    name : str
        The sensor, its place and how it is asked; empty before ``start``.
    """

    def __init__(
        self,
        settings: LickSettings,
        pins: PinSettings,
        *,
        open_bus: Callable[[int], Bus] = open_smbus,
        find_gpio: Callable[[PinSettings], tuple[Any, int]] = find_gpio_of_board,
    ) -> None:
        self._spec = LickSpec(settings, pins, open_bus, find_gpio, os.getpid())
        self._link: socket.socket | None = None
        self._process = DeviceProcess("lick sensor")
        self._licks: deque[Lick] = deque()
        self._reports: deque[Report] = deque(maxlen=MOST_REPORTS)
        self._heard_ns = 0
        self._lost = ""
        self._closed = False
        self._reopening = Reopening("lick sensor")
        self.name = ""

    def start(self, go_on: Callable[[], bool] = always) -> None:
        """Start the process, and wait until the sensor is in use.

        Parameters
        ----------
        go_on : callable
            Asked ten times a second and more whether to go on.

        Raises
        ------
        OutputError
            No bus, no permission, no chip, another chip, no GPIO, a busy pin: which, and the cure.
        Interrupted
            ``go_on`` returned False. With both nothing is left behind.
        """
        if self._closed:
            raise OutputError("lick sensor: it is closed; make a new one")
        if self._link is not None:
            raise OutputError("lick sensor: it was started before")
        to_the_end(self._opening(), go_on)

    @property
    def pid(self) -> int:
        """Id of the process, 0 where there is none."""
        return self._process.pid

    @property
    def facts(self) -> Mapping[str, object]:
        """The sensor that was found at the last opening; empty before."""
        return {"sensor": self.name} if self.name else {}

    def read(self, until_ns: int) -> tuple[Lick, ...]:
        """Return the licks up to ``until_ns`` that have not been returned yet. Raises OutputError once it is closed.

        Of a sensor that is lost it returns what is left, then nothing; ``reports`` says that it is lost.
        """
        if self._closed:
            raise OutputError("lick sensor: used after it was closed; the loop must end before its sensors")
        self._listen()
        licks = []
        while self._licks and self._licks[0].time_ns <= until_ns:
            licks.append(self._licks.popleft())
        return tuple(licks)

    def reports(self) -> tuple[Report, ...]:
        """Return what has happened to the sensor since the last look.

        Kinds: ``i2c_error`` (looks that failed, and went well again) and ``lick_sensor``. Raises OutputError when the
        sensor is lost and all reports before that were returned.
        """
        if self._closed:
            return ()
        self._listen()
        taken = (*self._reports, *self.left_behind())
        self._reports.clear()
        if taken:
            return taken
        if not self._lost and self._link is not None and time.monotonic_ns() - self._heard_ns > SILENCE_NS:
            self._lost = (
                f"lick sensor: the {self.name} has said nothing for {SILENCE_NS / 1e9:g} s; its bus hangs: check SDA "
                "and SCL, switch the chip off and on"
            )
        if self._lost:
            raise OutputError(self._lost)
        return ()

    def reconnect(self) -> None:
        """End the process and start another, a step of it; licks that were not read yet are kept.

        Raises StillOpening and OutputError as Reconnectable says.
        """
        if self._closed:
            raise OutputError("lick sensor: it is closed; make a new one")
        self._reopening.go_on(self._reopen)

    def left_behind(self) -> tuple[Report, ...]:
        """Return the processes that could not be ended (``licks_stuck``), as LeavesBehind says."""
        return tuple(Report(time.monotonic_ns(), "licks_stuck", text) for text in self._process.take_left())

    def close(self) -> None:
        """End the process; within 2 s, whatever it is doing."""
        self._closed = True
        self._reopening.cancel()
        to_the_end(self._ending())

    def _reopen(self) -> Steps[None]:
        yield from self._ending()
        yield from self._opening()

    def _opening(self) -> Steps[None]:
        """Start the process and hear that the sensor is in use. Raises OutputError."""
        try:
            self._lost, self.name = "", ""
            self._link = self._spawn()
            self._heard_ns = time.monotonic_ns()
            yield from self._first_words(self._link, self._heard_ns + round(START_S * 1e9))
            if self._lost:
                yield from self._ending()
                raise OutputError(self._lost)
        except BaseException:
            self._process.kill()
            to_the_end(self._ending(DROP_S))
            raise

    def _first_words(self, link: socket.socket, until_ns: int) -> Steps[None]:
        """Listen until the sensor has its name, or is lost."""
        while not (self.name or self._lost):
            if time.monotonic_ns() >= until_ns:
                self._lost = (
                    f"lick sensor: not ready after {START_S:g} s; does its bus hang? Switch the chip off and on"
                )
            elif select.select([link], [], [], STEP_S)[0]:
                self._listen()
            else:
                yield

    def _spawn(self) -> socket.socket:
        """Start the process; return the socket from it. Raises OutputError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                # A daemon: if nobody calls close(), the interpreter ends it at its own exit.
                self._process.start(run_licks, (theirs, self._spec), "rigloop-licks", daemon=True)
            except OutputError:
                ours.close()
                raise
        return ours

    def _listen(self) -> None:
        """Take all that has been said; never waits."""
        while self._link is not None and not self._lost:
            try:
                packet = self._link.recv(MAX_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if not packet:
                self._lost = (
                    f"lick sensor: its process {self.pid} has ended; the system's log tells whether it was killed"
                )
                return
            self._heard_ns = time.monotonic_ns()
            said = unpack(packet)
            if isinstance(said, Ready):
                self.name = said.name
            elif isinstance(said, Lost):
                self._lost = said.text
            elif isinstance(said, Report):
                self._reports.append(said)
            elif not isinstance(said, Alive):
                self._licks.extend(said)

    def _ending(self, patience_s: float = END_S) -> Steps[None]:
        """Hang up, and see the process end; kill it where it does not, and leave it behind where nothing ends it."""
        if self._link is not None:
            self._link.close()
            self._link = None
        yield from self._process.ending(patience_s, KILL_S)
