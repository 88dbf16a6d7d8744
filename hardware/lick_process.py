"""The process of the lick sensor: looks at it, makes licks of touches, sends them with their times.

Spawned by ``hardware.lick.LickReader``, in a session of its own so that Ctrl-C reaches only the controller. A process,
since a bus that a chip holds low keeps a transfer in the kernel for seconds. Owns the bus, the input line and the GPIO
library's thread. Ends when its socket does, when the controller is gone (looked at twice a second, as a forked relative
may hold the socket open), and when the sensor is lost, having said so.
"""

from __future__ import annotations

import os
import select
import socket
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core.clock import MonotonicClock
from core.errors import OutputError
from core.ports import Clock
from core.values import Report, as_ns
from hardware.debounce import Contact, Touch, step
from hardware.feeler import BeamFeeler, Feeler, InterruptFeeler, PolledFeeler
from hardware.lick_wire import MOST_LICKS, Alive, Lost, Ready, pack, pack_licks
from hardware.realtime import use_all_cores
from hardware.settings import BeamLevel, LickKind, LickSettings, PinSettings
from hardware.smbus import Bus
from recording.child import stand_alone

PRIORITY = 40
"""SCHED_FIFO, where allowed: below the loop, so that it waits for it, and above all that is not timed."""
ALIVE_NS = 250_000_000
GIVE_UP_NS = 1_000_000_000
"""A sensor that has failed for this long, and at FEWEST looks in a row, is lost."""
FEWEST = 5
RETRY_S = 0.01
MOST_WAITING = 4096
"""Messages that wait for a controller that does not read; of more the oldest are forgotten, and counted."""


@dataclass(frozen=True)
class LickSpec:
    """What the process is told.

    Attributes
    ----------
    settings : LickSettings
    pins : PinSettings
    open_bus : callable
        Opens the I2C bus of a number; ``hardware.smbus.open_smbus``, or a simulated one.
    find_gpio : callable
        Returns the GPIO module and its numbering; ``hardware.find_gpio.find_gpio``.
    controller : int
        Process id of the controller.
    """

    settings: LickSettings
    pins: PinSettings
    open_bus: Callable[[int], Bus]
    find_gpio: Callable[[PinSettings], tuple[Any, int]]
    controller: int


def make_feeler(spec: LickSpec, clock: Clock) -> Feeler:
    """Return the sensor of the settings, not started. Raises OutputError."""
    settings = spec.settings
    if settings.lick_sensor is LickKind.beam:
        low = settings.lick_beam_broken is BeamLevel.low
        return BeamFeeler(*spec.find_gpio(spec.pins), settings.lick_pin, low, clock)
    if settings.lick_sensor is LickKind.none:
        raise OutputError("lick sensor: there is none (lick_sensor = none); set it to mpr121 or beam")
    gpio = spec.find_gpio(spec.pins) if settings.lick_pin else None
    polled = PolledFeeler(spec.open_bus(settings.lick_i2c_bus), settings, clock)
    return polled if gpio is None else InterruptFeeler(polled, *gpio, settings.lick_pin, clock)


def run_licks(link: socket.socket, spec: LickSpec) -> None:
    """Run the process; never returns.

    Parameters
    ----------
    link : socket
        This end of the SOCK_SEQPACKET pair.
    spec : LickSpec
    """
    code = 1
    try:
        stand_alone()
        use_all_cores()
        code = _serve(link, spec)
    finally:
        if code == 1:
            traceback.print_exc()
        # Threads of GPIO libraries do not end by themselves.
        os._exit(code)


def _serve(link: socket.socket, spec: LickSpec) -> int:
    clock = MonotonicClock()
    feeler: Feeler | None = None
    code = 0
    try:
        feeler = make_feeler(spec, clock)
        feeler.start()
        _hurry()
        LickLoop(link, feeler, spec, clock).run()
    except OutputError as error:
        code = 3
        with suppress(OSError):
            link.send(pack(Lost(str(error))), socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)
    finally:
        if feeler is not None:
            # Sleep, and low current, are a courtesy: the chip may have gone.
            with suppress(OSError, OutputError):
                feeler.close()
    return code


def _hurry(priority: int = PRIORITY) -> None:
    """Put all threads, the GPIO library's too, before what is not timed, where that is allowed.

    Not before the sensor is in use: imports at this priority keep others from the processor for seconds.
    """
    for thread in os.listdir("/proc/self/task"):
        with suppress(OSError):
            os.sched_setscheduler(int(thread), os.SCHED_FIFO, os.sched_param(priority))


class LickLoop:
    """The loop of the process. Never waits for the controller.

    Parameters
    ----------
    link : socket
    feeler : Feeler
        Started.
    spec : LickSpec
    clock : Clock
    """

    def __init__(self, link: socket.socket, feeler: Feeler, spec: LickSpec, clock: Clock) -> None:
        self._link = link
        self._feeler = feeler
        self._controller = spec.controller
        self._debounce_ns = as_ns(spec.settings.lick_debounce_s)
        self._clock = clock
        self._contact = Contact()
        self._outbox: deque[bytes] = deque([pack(Ready(feeler.name))])
        self._forgotten = 0
        self._failures = 0
        self._failing_ns = 0
        self._why = ""
        self._alive_ns = 0
        self._ended = False

    def run(self) -> None:
        """Work until alone. Raises OutputError when the sensor is lost."""
        pause_ns = as_ns(self._feeler.pause_s)
        due = self._clock.now_ns()
        while not self._ended:
            self._post()
            self._look()
            now = self._clock.now_ns()
            if now >= self._alive_ns:
                self._live(now)
            # After an error sooner or later than usual; after a late look the next one is not hurried.
            due = now + as_ns(RETRY_S) if self._failures else max(due + pause_ns, now)
            self._wait(max(0, due - now))

    def _wait(self, pause_ns: int) -> None:
        ours = self._link.fileno()
        ready, _, _ = select.select([ours, *self._feeler.handles], [], [], min(pause_ns, ALIVE_NS) / 1e9)
        if ours in ready:
            # The controller says nothing: what is to be read is the end.
            self._ended = True

    def _look(self) -> None:
        now = self._clock.now_ns()
        try:
            touches = self._feeler.look()
        except OSError as error:
            self._failed(error, now)
            return
        if self._failures:
            self._report("i2c_error", f"{self._failures} looks at the {self._feeler.name} failed: {self._why}")
            self._failures = 0
        self._take(touches)
        for note in self._feeler.notes():
            self._report("lick_sensor", note)

    def _take(self, touches: list[Touch]) -> None:
        onsets = []
        for touch in touches:
            self._contact, begins = step(self._contact, touch, self._debounce_ns)
            if begins:
                onsets.append(touch.time_ns)
        for first in range(0, len(onsets), MOST_LICKS):
            self._say(pack_licks(onsets[first : first + MOST_LICKS]))

    def _failed(self, error: OSError, now: int) -> None:
        self._why = error.strerror or str(error)
        if not self._failures:
            self._failing_ns = now
        self._failures += 1
        if self._failures >= FEWEST and now - self._failing_ns >= GIVE_UP_NS:
            raise OutputError(
                f"lick sensor: the {self._feeler.name} has not answered for {GIVE_UP_NS / 1e9:g} s, {self._failures} "
                f"times ({self._why}); check its wires and supply"
            ) from error

    def _live(self, now: int) -> None:
        self._alive_ns = now + ALIVE_NS
        if os.getppid() != self._controller:
            self._ended = True
        elif not self._outbox:
            self._say(pack(Alive()))

    def _report(self, kind: str, detail: str) -> None:
        self._say(pack(Report(self._clock.now_ns(), kind, detail)))

    def _say(self, message: bytes) -> None:
        if len(self._outbox) == MOST_WAITING:
            self._outbox.popleft()
            self._forgotten += 1
        self._outbox.append(message)
        self._post()

    def _post(self) -> None:
        """Send what is to be said as far as the socket takes it."""
        while self._outbox:
            try:
                self._link.send(self._outbox[0], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except OSError:
                self._ended = True
                return
            self._outbox.popleft()
            if self._forgotten and not self._outbox:
                count, self._forgotten = self._forgotten, 0
                self._report("lick_sensor", f"{count} messages were lost, as the controller did not read them")
