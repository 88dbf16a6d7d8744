"""The guardian on a kernel's real line, through the real rpi-lgpio; levels and times are those seen in sysfs.

Time in the guest is emulated and its host is loaded: bounds here are those of function. ``tests/realtime`` measures.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from core.clock import MonotonicClock
from core.errors import OutputError
from core.values import Level, Line, Report
from hardware.guard import Guard
from tests.guest.controller import LONG_S, SPEC
from tests.guest.expect import wait_until
from tests.guest.sim import SimLine
from tests.support.reopening import reopen

CLOCK = MonotonicClock()
VALVE, LIGHT = 27, 21
MS = 1_000_000
SOON_NS = 1000 * MS
"""A line must be low this soon after a kill, ns; far below LONG_S, for which it would stay high."""


def check_pulses_and_a_guardian_that_is_killed_or_stopped() -> None:
    # One check, since a guardian takes seconds to start here.
    guard = Guard(SPEC)
    guard.start()
    _pulses_of_50_ms_are_seen(guard)
    _a_lost_guardian_closes_the_valve_and_can_be_restarted(guard, signal.SIGKILL, "the guardian died")
    _a_lost_guardian_closes_the_valve_and_can_be_restarted(guard, signal.SIGSTOP, "the guardian hung")
    _lines_are_low_after_close(guard)


def _pulses_of_50_ms_are_seen(guard: Guard) -> None:
    line = SimLine(VALVE)
    lengths = []
    for _ in range(9):
        guard.valve.pulse(0.05, CLOCK.now_ns())
        rise = line.wait_for(True)
        lengths.append((line.wait_for(False) - rise) / MS)
        guard.alive()
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 20 * MS)
    told: list[str] = []

    def all_are_told() -> bool:
        told.extend(report.detail for report in guard.reports() if report.kind == "edge")
        return len(told) >= 18

    wait_until(all_are_told, what="the report of the last edge")
    print(f"  pulses of 50 ms, ms: {[round(length, 1) for length in lengths]}")
    assert 35 < statistics.median(lengths) < 150
    assert told == ["valve 1", "valve 0"] * 9


def _a_lost_guardian_closes_the_valve_and_can_be_restarted(guard: Guard, number: signal.Signals, why: str) -> None:
    line = SimLine(VALVE)
    guard.lines.set(Level(Line.LIGHT, True), CLOCK.now_ns())
    guard.valve.pulse(LONG_S, CLOCK.now_ns())
    line.wait_for(True)
    begin = CLOCK.now_ns()
    os.kill(guard.pids[0], number)
    took = line.wait_for(False) - begin
    print(f"  guardian sent {number.name}: low after {took / MS:.1f} ms")
    assert took < SOON_NS
    SimLine(LIGHT).wait_for(False)
    told: list[Report] = []
    wait_until(lambda: _lost(guard, told), what="the loss")
    assert [report.detail for report in told if report.kind == "lines_low"] == [why], told
    reopen(guard)


def _lost(guard: Guard, told: list[Report]) -> bool:
    try:
        told.extend(guard.reports())
    except OutputError:
        return True
    return False


def _lines_are_low_after_close(guard: Guard) -> None:
    guard.lines.set(Level(Line.LIGHT, True), CLOCK.now_ns())
    guard.valve.pulse(LONG_S, CLOCK.now_ns())
    SimLine(LIGHT).wait_for(True)
    SimLine(VALVE).wait_for(True)
    guard.close()
    assert not SimLine(VALVE).high
    assert not SimLine(LIGHT).high


@contextlib.contextmanager
def _controller(how: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A controller with the valve open, and its guardian's and watcher's process ids."""
    command = [sys.executable, "-m", "tests.guest.controller", how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as controller:
        try:
            assert controller.stdout is not None
            pids = [int(word) for word in controller.stdout.readline().split()]
            SimLine(VALVE).wait_for(True, 20.0)
            yield controller, pids
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(controller.pid, signal.SIGKILL)


def _low_after(controller: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal; the valve must be low soon."""
    begin = CLOCK.now_ns()
    controller.send_signal(number)
    took = SimLine(VALVE).wait_for(False) - begin
    print(f"  controller sent {number.name}: low after {took / MS:.1f} ms")
    assert took < SOON_NS < LONG_S * 1e9


def _kill_controller(how: str) -> None:
    with _controller(how) as (controller, pids):
        _low_after(controller, signal.SIGKILL)
        assert controller.wait(10) == -signal.SIGKILL
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="the guardian's end")


def check_a_killed_controller_closes_the_valve() -> None:
    _kill_controller("alone")


def check_a_killed_controller_whose_child_holds_the_socket_closes_the_valve() -> None:
    _kill_controller("fork")


def check_a_stopped_controller_closes_the_valve_and_may_go_on() -> None:
    with _controller("alone") as (controller, pids):
        _low_after(controller, signal.SIGSTOP)
        assert all(Path(f"/proc/{pid}").exists() for pid in pids), "a guardian outlives a controller that stands still"
        controller.send_signal(signal.SIGCONT)
        # It asks again when it hears that its drop was cut.
        SimLine(VALVE).wait_for(True, 20.0)
