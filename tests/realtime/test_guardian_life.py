"""The guardian as processes: its start and its end, signals, a loop that hangs, errors of its own, rights refused."""

import ctypes
import os
import pwd
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from core.errors import OutputError
from core.values import Level, Line
from hardware.guard import Guard
from hardware.memory_board import TRACE_VARIABLE
from tests.support.guarded import (
    CLOCK,
    LIGHT,
    ROOT,
    VALVE,
    await_end_of,
    await_true,
    falls_after,
    guarded,
    lines_in_memory,
    may_be_realtime,
    pulse,
    reports_until,
    spec,
    water,
)
from tests.support.reopening import cores_of, pinned, reopen
from tests.support.stalls import awake_ms


def test_the_processes_hear_no_ctrl_c_and_sigterm_closes_the_valve(monkeypatch, stalls):
    with guarded(monkeypatch) as (guard, trace):
        guardian, watcher = guard.pids
        assert os.getsid(guardian) == guardian
        assert os.getsid(watcher) == watcher
        for pid in guard.pids:
            os.kill(pid, signal.SIGINT)
        pulse(guard, 2.0)
        await_true(lambda: trace.is_high(VALVE))
        begin = time.monotonic_ns()
        os.kill(guardian, signal.SIGTERM)
        assert awake_ms((begin, falls_after(trace, begin)), stalls.seen()) < 500
        await_end_of(guard, "SIGTERM")


def test_a_hung_loop_loses_its_water_and_a_second_later_its_light(monkeypatch, stalls):
    """The heartbeat's thread lives, the loop does not turn."""
    with guarded(monkeypatch) as (guard, trace):
        guard.lines.set(Level(Line.LIGHT, True), CLOCK.now_ns())
        begin = CLOCK.now_ns()
        pulse(guard, 4.0)
        pulse(guard, 0.5)
        took_ms = falls_after(trace, begin)
        assert took_ms > 900
        assert awake_ms((begin, took_ms), stalls.seen()) < 1500
        await_true(lambda: not trace.is_high(LIGHT))
        assert trace.edges(LIGHT)[-1].time_ns - trace.edges(VALVE)[-1].time_ns > 500_000_000
        found = reports_until(guard, "lines_low")
        cut = [report.detail for report in found if report.kind == "water_cut"]
        assert len(cut) == 2
        assert "no sign of life for 50 ms" in cut[0]
        assert "drop 2 not given" in cut[1]
        # The loop turns again: so does the valve.
        pulse(guard, 0.02)
        await_true(lambda: any(report.detail == "valve 0" for report in guard.reports()))
        assert len(water(trace)) == 2


def test_a_guardian_whose_board_hangs_is_killed_and_its_lines_fall(monkeypatch):
    """Not stopped, but without a turn of its loop: it reads what does not come, as from a cable that was pulled."""
    with guarded(monkeypatch, hang_on=2) as (guard, trace):
        pulse(guard, 4.0)
        await_true(lambda: trace.is_high(VALVE))
        begin = CLOCK.now_ns()
        guard.lines.set(Level(Line.LIGHT, True), begin)
        assert 200 < falls_after(trace, begin) < 3000
        await_end_of(guard, "SIGKILL")


def test_an_error_of_the_board_ends_the_guardian_with_the_lines_low(monkeypatch):
    with guarded(monkeypatch, fail_on=3) as (guard, trace):
        guard.lines.set(Level(Line.LIGHT, True), CLOCK.now_ns())
        pulse(guard, 2.0)
        guard.lines.set(Level(Line.SUCCESS_LED, True), CLOCK.now_ns())
        await_end_of(guard, "write 3 (success_led) failed")
        await_true(lambda: not trace.is_high(VALVE) and not trace.is_high(LIGHT))
        with pytest.raises(OutputError, match="write 3"):
            pulse(guard, 0.1)
        reopen(guard)
        pulse(guard, 0.02)
        reports_until(guard, "edge")


def test_a_board_that_cannot_be_had_stops_the_start_and_leaves_no_process(monkeypatch):
    monkeypatch.setenv(TRACE_VARIABLE, "/nowhere/at/all")
    guard = Guard(spec())
    with pytest.raises(OutputError, match="cannot use /nowhere/at/all"):
        guard.start()
    assert guard.pids == ()
    guard.close()


def test_busy_lines_stop_the_start(monkeypatch):
    with guarded(monkeypatch), pytest.raises(OutputError, match="busy"):
        Guard(spec()).start()


def test_guardian_and_watcher_that_are_started_by_a_pinned_loop_have_every_core(monkeypatch):
    with guarded(monkeypatch) as (guard, _):
        with pinned() as cores:
            reopen(guard)
        assert [cores_of(pid) for pid in guard.pids] == [{cores}, {cores}]


TELLING = """
import gc, os, sys
from pathlib import Path
word = next((each for each in sys.orig_argv if each.startswith("hardware.guardian")), "")
if word:
    leave = os._exit
    def tell(code):
        Path(__file__).with_name(word).write_text(f"{gc.isenabled()} {gc.get_freeze_count() > 0}")
        leave(code)
    os._exit = tell
"""


def may_lock_memory():
    """Whether memory may be locked here; asked of a program of its own."""
    code = "import sys; from hardware.realtime import lock_memory; sys.exit(bool(lock_memory()))"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def memory_kb(pid):
    """Return how much of a process's memory is locked, and how much of it is there, kB."""
    lines = [line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    sizes = {name: int(values[0]) for name, *values in lines if name in ("VmLck:", "VmRSS:")}
    return sizes["VmLck:"], sizes["VmRSS:"]


def test_a_running_pair_comes_first_stays_in_memory_and_never_collects(monkeypatch, tmp_path):
    """Asked of the kernel, and of the processes themselves when they end; not of what they say was refused."""
    (tmp_path / "sitecustomize.py").write_text(TELLING)
    monkeypatch.syspath_prepend(tmp_path)
    with guarded(monkeypatch) as (guard, _):
        if may_be_realtime():
            threads = (*guard.pids, guard._heartbeat.native_id)
            for pid, priority in zip(threads, (80, 81, 70), strict=True):
                assert os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
                assert os.sched_getparam(pid).sched_priority == priority
        if may_lock_memory():
            for locked_kb, there_kb in map(memory_kb, guard.pids):
                assert locked_kb >= there_kb > 0
        guard.close()
    for module in ("hardware.guardian", "hardware.guardian_watcher"):
        assert (tmp_path / module).read_text() == "False True", "off, and what was there before is frozen"


def test_a_board_that_does_not_come_back_is_told_until_it_does(monkeypatch):
    with guarded(monkeypatch) as (guard, _):
        there = os.environ[TRACE_VARIABLE]
        monkeypatch.setenv(TRACE_VARIABLE, there + "-unplugged")
        again = partial(reopen, guard)
        for use in (again, guard.reports, lambda: guard.valve.pulse(0.1, CLOCK.now_ns()), again):
            with pytest.raises(OutputError, match=r"cannot use|not running"):
                use()
        monkeypatch.setenv(TRACE_VARIABLE, there)
        reopen(guard)
        pulse(guard, 0.02)
        reports_until(guard, "edge")


def test_the_controller_has_one_thread_more_and_no_file_left(monkeypatch):
    before = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    for _ in range(2):
        with guarded(monkeypatch):
            pass
    assert (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))) == before


WITHOUT_RIGHTS = """
import time
from hardware.fake import FakeLickSensor, FakeSpeaker
from hardware.guard import Guard
from tests.support.guarded import await_true, spec
if __name__ == "__main__":
    guard = Guard(spec())
    guard.start()
    print(*guard.refused, sep="\\n")
    guard.valve.pulse(0.02, time.monotonic_ns())
    told = []
    await_true(lambda: told.extend(guard.reports()) or len(told) == 2)
    print([report.detail for report in told])
    guard.close()
"""


def give_up_rights():
    """No real-time priority and no locked memory for this program, also where it is root's."""
    libc = ctypes.CDLL(None)
    for capability in (14, 23):  # CAP_IPC_LOCK, CAP_SYS_NICE, off the bounding set
        libc.prctl(24, capability, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 20, 1 << 20))


def test_where_real_time_is_refused_the_guardian_says_so_and_works(monkeypatch, tmp_path):
    script = tmp_path / "controller.py"
    script.write_text(WITHOUT_RIGHTS)
    with lines_in_memory(monkeypatch):
        done = subprocess.run(
            [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            timeout=60, preexec_fn=give_up_rights, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    user = pwd.getpwuid(os.getuid()).pw_name
    for name, priority in (("watcher", 81), ("guardian", 80)):
        refused = f"{name}: real-time priority {priority} refused (Operation not permitted)"
        assert f"{refused}: write '{user} - rtprio 90' into" in done.stdout
    assert "locking memory refused" in done.stdout
    assert "['valve 1', 'valve 0']" in done.stdout
