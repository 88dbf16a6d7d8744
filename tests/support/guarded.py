"""What tests of the guardian share: a guard on lines in memory, burners that load the machine, controllers to kill."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from core.clock import MonotonicClock
from core.errors import OutputError
from hardware.board import OutputLine
from hardware.guard import Guard
from hardware.guardian_spec import GuardSpec
from hardware.memory_board import TRACE_VARIABLE, MemoryTrace
from hardware.settings import BoardKind, OutputSettings, PinSettings
from tests.support.processes import await_end

CLOCK = MonotonicClock()
ROOT = Path(__file__).resolve().parents[2]
VALVE = OutputLine.VALVE
LIGHT = OutputLine.LIGHT
PINS = PinSettings(output_board=BoardKind.memory, pin_valve=27, pin_light=21, pin_success_led=5)
MANY = OutputSettings(max_pulse_s=5, max_session_water_s=3600, max_day_water_s=36_000, max_duty=1.0)
LONG_S = 4.0
BURN = "while True:\n    sum(k * k for k in range(10_000))"


def spec(**changes):
    return GuardSpec(**{"pins": PINS, "outputs": MANY, **changes})


@contextlib.contextmanager
def lines_in_memory(monkeypatch, *, persist=True, fail_on=0, hang_on=0):
    """Lines whose memory outlives every process; under /dev/shm, as a disk would be written to."""
    path = Path("/dev/shm") / f"rigloop-lines-{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setenv(TRACE_VARIABLE, str(path))
    trace = MemoryTrace.create(path, persist=persist, fail_on=fail_on, hang_on=hang_on)
    try:
        yield trace
    finally:
        trace.close()
        path.unlink()


@contextlib.contextmanager
def guarded(monkeypatch, *, persist=True, fail_on=0, hang_on=0, **changes):
    """A started guard and its lines."""
    with lines_in_memory(monkeypatch, persist=persist, fail_on=fail_on, hang_on=hang_on) as trace:
        guard = Guard(spec(**changes))
        guard.start()
        try:
            yield guard, trace
        finally:
            with contextlib.suppress(Exception):
                guard.close()
            assert not any(trace.is_high(line) for line in OutputLine)
            assert not trace.owned


@contextlib.contextmanager
def burners(count):
    """Programs that take every core they can get."""
    running = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait(10)


def may_be_realtime():
    """Whether SCHED_FIFO is allowed here; asked of a program of its own."""
    code = "import sys; from hardware.realtime import become_realtime; sys.exit(bool(become_realtime(80)))"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def pause(seconds):
    """Let time go by."""
    CLOCK.sleep_until_ns(CLOCK.now_ns() + round(seconds * 1e9))


def await_true(what, timeout_s=30.0):
    """Wait until a condition holds; fail if it does not come to hold."""
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause(0.002)


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


CONTROLLER = """
import os, select, sys, time
from pathlib import Path
from hardware.guard import Guard
from tests.support.guarded import LONG_S, spec
from core.values import Level, Line

def main(fork):
    ledger = os.environ.get("LEDGER")
    guard = Guard(spec(ledger=Path(ledger) if ledger else None))
    guard.start()
    child = 0
    if fork:
        # A relative that has inherited every descriptor and goes on living.
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
    print(*guard.pids, child, flush=True)
    while True:
        if select.select([sys.stdin], [], [], 0.01)[0]:
            if not sys.stdin.buffer.raw.read(1):
                break
            guard.lines.set(Level(Line.LIGHT, True), time.monotonic_ns())
            guard.valve.pulse(LONG_S, time.monotonic_ns())
        guard.alive()
        guard.reports()

if __name__ == "__main__":
    main(sys.argv[1] == "fork")
"""


@contextlib.contextmanager
def controller(folder, *, fork=False):
    """A controller in a process of its own; yields its process."""
    script = folder / "controller.py"
    script.write_text(CONTROLLER)
    command = [sys.executable, str(script), "fork" if fork else "alone"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def pids_of(process):
    """Return the process ids of guardian, watcher and forked child (0: none) once the controller has them."""
    return tuple(map(int, process.stdout.readline().split()))


def open_valve(process, trace):
    """Have a controller open the valve for long; ask again where a stall had its drop cut at once."""
    asked_ns = 0

    def is_open():
        nonlocal asked_ns
        if not trace.is_high(VALVE) and CLOCK.now_ns() - asked_ns > 3 * 10**9:
            process.stdin.write(b"x")
            process.stdin.flush()
            asked_ns = CLOCK.now_ns()
        return trace.is_high(VALVE)

    await_true(is_open)


def falls_after(trace, since_ns, timeout_s=10.0):
    """Return how long after ``since_ns`` the valve, which was open then or opened since, fell, ms."""

    def fell():
        edges = trace.edges(VALVE)
        return edges and not edges[-1].high and edges[-1].time_ns > since_ns

    await_true(fell, timeout_s)
    return (trace.edges(VALVE)[-1].time_ns - since_ns) / 1e6


def signal_and_time(pid, number, trace):
    """Send a signal and return when, monotonic ns, and how long after it the valve fell, ms."""
    since = time.monotonic_ns()
    os.kill(pid, number)
    return since, falls_after(trace, since)


def pulse(guard, seconds):
    """Ask for a drop."""
    guard.valve.pulse(seconds, CLOCK.now_ns())


def water(trace):
    """Rise and fall of every opening, ns."""
    times = [edge.time_ns for edge in trace.edges(VALVE)]
    return list(zip(times[::2], times[1::2], strict=False))


def reports_until(guard, kind, timeout_s=30.0):
    """Return all reports up to the first of a kind."""
    found = []
    deadline = time.monotonic() + timeout_s
    while not any(report.kind == kind for report in found):
        assert time.monotonic() < deadline, f"no {kind} among {found}"
        guard.alive()
        found.extend(guard.reports())
        pause(0.002)
    return found


def await_end_of(guard, why, timeout_s=30.0):
    """Look at the reports until they tell that the guardian is lost; return what they told before."""
    found, lost = [], ""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            found.extend(guard.reports())
        except OutputError as error:
            lost = str(error)
            break
        pause(0.002)
    assert why in lost, found
    return found


def is_lost(guard):
    """Whether the reports tell that the guardian is lost."""
    try:
        guard.reports()
    except OutputError:
        return True
    return False


def await_all_gone(trace, pids):
    """Wait until these processes have ended; all lines are then low, and nobody's."""
    for pid in pids:
        await_end(pid)
    assert not trace.owned
    assert not any(trace.is_high(line) for line in OutputLine)
