"""Pulse errors and kill latencies of this machine, idle and loaded, beside a pulse of a thread that sleeps.

A guardian (``hardware.guard``) drives lines in memory, stamped with the monotonic clock, which keep their levels when
a process dies. In the same run, pulse by pulse in turn, a thread of this process sets a line of a board of its own,
sleeps and sets it back, as CLoPy does. Then controller and guardian are killed and stopped while the valve is open. The
load is two programs per core that compute.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import Bar, arguments, finish, table
from core.clock import MonotonicClock
from core.errors import OutputError, StillOpening
from hardware.board import OutputLine
from hardware.guard import Guard
from hardware.guardian_spec import GuardSpec
from hardware.memory_board import TRACE_VARIABLE, MemoryBoard, MemoryTrace
from hardware.realtime import freeze_collector, thaw_collector
from hardware.settings import BoardKind, OutputSettings, PinSettings

CLOCK = MonotonicClock()
PINS = PinSettings(output_board=BoardKind.memory)
SPEC = GuardSpec(PINS, OutputSettings(max_pulse_s=5, max_session_water_s=3600, max_day_water_s=36_000, max_duty=1.0))
LENGTH_S = 0.05
LONG_S = 4.0
BURN = "while True:\n    sum(k * k for k in range(10_000))"
CONTROLLER = "from bench.bench_rig import control; control()"


def control() -> None:
    """Be a controller that is to be killed: a line on standard input opens the valve for long."""
    guard = Guard(SPEC)
    guard.start()
    sys.stdout.write("up\n")
    sys.stdout.flush()
    while True:
        if select.select([sys.stdin], [], [], 0.01)[0]:
            if not os.read(sys.stdin.fileno(), 1):
                break
            guard.valve.pulse(LONG_S, CLOCK.now_ns())
        guard.alive()
        guard.reports()
    guard.close()


@contextlib.contextmanager
def load(programs: int) -> Iterator[None]:
    """Have programs take every core they can get."""
    running = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(programs)]  # noqa: S603 - fixed words
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


@contextlib.contextmanager
def lines() -> Iterator[MemoryTrace]:
    """Lines in memory that outlives its users, named to the guardian by the environment."""
    folder = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())  # noqa: S108 - memory
    path = folder / f"rigloop-bench-{os.getpid()}"
    os.environ[TRACE_VARIABLE] = str(path)
    trace = MemoryTrace.create(path)
    try:
        yield trace
    finally:
        trace.close()
        path.unlink()
        del os.environ[TRACE_VARIABLE]


def sleep_s(duration_s: float) -> None:
    """Sleep as a loop does between two frames."""
    CLOCK.sleep_until_ns(CLOCK.now_ns() + round(duration_s * 1e9))


def thread_pulse(board: MemoryBoard) -> threading.Thread:
    """Pulse a line with a thread that sleeps."""

    def pulse() -> None:
        board.write(OutputLine.VALVE, True)
        time.sleep(LENGTH_S)  # noqa: TID251 - what is compared with
        board.write(OutputLine.VALVE, False)

    thread = threading.Thread(target=pulse)
    thread.start()
    return thread


def pulses(count: int) -> dict[str, list[float]]:
    """Return errors of pulses of 50 ms, guardian and thread in turn, and command to edge; us."""
    asked_ns: list[int] = []
    # Of a board without a file only the last 1024 edges are kept: enough for 500 pulses.
    board = MemoryBoard(PINS)
    with lines() as trace:
        guard = Guard(SPEC)
        guard.start()
        freeze_collector()
        try:
            for _ in range(count):
                asked_ns.append(CLOCK.now_ns())
                guard.valve.pulse(LENGTH_S, asked_ns[-1])
                sleep_s(LENGTH_S + 0.01)
                guard.reports()
                thread_pulse(board).join()
        finally:
            thaw_collector()
            guard.close()
        ours, theirs = trace.edges(OutputLine.VALVE), board.edges()
    rises = [edge.time_ns for edge in ours if edge.high]
    return {
        "guardian, 50 ms pulse": errors_us(ours),
        "thread and sleep, 50 ms pulse": errors_us(theirs),
        "command to edge": [(rise - asked) / 1e3 for rise, asked in zip(rises, asked_ns, strict=True)],
    }


def errors_us(edges: Sequence[Any]) -> list[float]:
    """Return how far each pulse is from 50 ms, us."""
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [abs(fall.time_ns - rise.time_ns - LENGTH_S * 1e9) / 1e3 for rise, fall in pairs]


def fallen(trace: MemoryTrace, since_ns: int) -> float:
    """Wait until the valve has fallen; return when, ms after ``since_ns``."""
    deadline = since_ns + 10 * 10**9
    while trace.is_high(OutputLine.VALVE):
        if CLOCK.now_ns() > deadline:
            return float("inf")
        sleep_s(0.001)
    return (trace.edges(OutputLine.VALVE)[-1].time_ns - since_ns) / 1e6


def hit(trace: MemoryTrace, pid: int, number: int) -> float:
    """Send a signal while the valve is open; return when it fell, ms."""
    while not trace.is_high(OutputLine.VALVE):
        sleep_s(0.001)
    since = CLOCK.now_ns()
    os.kill(pid, number)
    return fallen(trace, since)


def controllers(number: int, count: int) -> list[float]:
    """Kill or stop a controller each time; return ms until the valve is low."""
    times: list[float] = []
    with lines() as trace:
        while len(times) < count:
            with subprocess.Popen(  # noqa: S603 - fixed words
                [sys.executable, "-c", CONTROLLER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            ) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdout.readline()
                # A stopped one goes on, and is stopped again; a killed one is made anew.
                for _ in range(count if number == signal.SIGSTOP else 1):
                    process.stdin.write(b"x")
                    process.stdin.flush()
                    times.append(hit(trace, process.pid, number))
                    os.kill(process.pid, signal.SIGCONT)
                process.kill()
            while trace.owned:
                sleep_s(0.001)
    return times


def guardians(number: int, count: int) -> list[float]:
    """Kill or stop a guardian each time; return ms until the watcher has the valve low."""
    times = []
    with lines() as trace:
        guard = Guard(SPEC)
        guard.start()
        for _ in range(count):
            guard.valve.pulse(LONG_S, CLOCK.now_ns())
            times.append(hit(trace, guard.pids[0], number))
            _reopen(guard)
        with contextlib.suppress(OutputError):
            guard.close()
    return times


def _reopen(guard: Guard) -> None:
    """Open the guardian again, as the runner does: call by call."""
    while True:
        try:
            return guard.reconnect()
        except StillOpening:
            continue


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p99, p99.9 and the maximum."""
    p50, p99, p999 = np.percentile(values, (50, 99, 99.9))
    return {"p50": float(p50), "p99": float(p99), "p99.9": float(p999), "max": float(max(values))}


def measure(programs: int, count: int, kills: int) -> dict[str, dict[str, float]]:
    """Measure everything under one load."""
    with load(programs):
        figures = {name: percentiles(values) for name, values in pulses(count).items()}
        figures["controller killed"] = percentiles(controllers(signal.SIGKILL, kills))
        figures["controller stopped"] = percentiles(controllers(signal.SIGSTOP, kills))
        figures["guardian killed"] = percentiles(guardians(signal.SIGKILL, kills))
        figures["guardian stopped"] = percentiles(guardians(signal.SIGSTOP, kills))
    return figures


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if a bar is missed."""
    options = arguments(__doc__, argv)
    count, kills = (20, 3) if options.quick else (500, 100)
    programs = 2 * len(os.sched_getaffinity(0))
    figures: dict[str, Any] = {}
    bars: list[Bar] = []
    for name, burning in (("idle", 0), ("loaded", programs)):
        print(f"{name}: {count} pulses, {kills} kills of each kind ...", file=sys.stderr)
        figures[name] = found = measure(burning, count, kills)
        unit = [
            (what, "ms" if what.endswith(("killed", "stopped")) else "us", *f.values()) for what, f in found.items()
        ]
        print(f"\n{name}\n" + table(("", "unit", "p50", "p99", "p99.9", "max"), unit))
        ours, theirs = found["guardian, 50 ms pulse"], found["thread and sleep, 50 ms pulse"]
        ratios = [f"{key} {theirs[key] / ours[key]:.0f}" for key in ("p50", "p99")]
        print(f"error of thread and sleep over that of the guardian: {', '.join(ratios)}")
        bars += [
            Bar(f"{name}: p50 of pulse error, us", ours["p50"], 10, at_least=False),
            Bar(f"{name}: p99 of pulse error, us", ours["p99"], 200, at_least=False),
            Bar(f"{name}: p99, controller killed, ms", found["controller killed"]["p99"], 15, at_least=False),
            Bar(f"{name}: p99, controller stopped, ms", found["controller stopped"]["p99"], 70, at_least=False),
        ]
    return finish("rig", options, figures, bars)


if __name__ == "__main__":
    sys.exit(main())
