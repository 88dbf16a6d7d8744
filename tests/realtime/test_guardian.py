"""The guardian as processes: pulses on time, bounds, lost life, errors of its own, reconnecting, the day's water."""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from core.clock import MonotonicClock
from core.errors import OutputError
from core.values import Level, Line, Pulse, Water
from hardware.board import OutputLine
from hardware.fake import FakeLickSensor, FakeSpeaker
from hardware.guard import Guard
from hardware.ledger_day import local_day, read_day
from hardware.ledger_rows import Purpose
from hardware.memory_board import TRACE_VARIABLE
from hardware.rig import Rig
from hardware.settings import BoardKind, OutputSettings, PinSettings
from tests.realtime.guarded import (
    LIGHT,
    MANY,
    ROOT,
    VALVE,
    await_true,
    burners,
    falls_after,
    guarded,
    lines_in_memory,
    may_be_realtime,
    percentile,
    spec,
)  # fmt: skip

CLOCK = MonotonicClock()


def pulse(guard, seconds):
    guard.valve.pulse(seconds, CLOCK.now_ns())


def water(trace):
    """Rise and fall of every opening, ns."""
    times = [edge.time_ns for edge in trace.edges(VALVE)]
    return list(zip(times[::2], times[1::2], strict=False))


def reports_until(guard, kind, timeout_s=5.0):
    """Return all reports up to the first of a kind."""
    found = []
    deadline = time.monotonic() + timeout_s
    while not any(report.kind == kind for report in found):
        assert time.monotonic() < deadline, f"no {kind} among {found}"
        guard.alive()
        found.extend(guard.reports())
        time.sleep(0.002)
    return found


def pulse_errors_us(monkeypatch, load):
    """Return by how much each of 150 pulses of 50 ms was too long or too short, us."""
    with guarded(monkeypatch) as (guard, trace), burners(load):
        for _ in range(150):
            pulse(guard, 0.05)
            time.sleep(0.06)
            guard.alive()
            guard.reports()
        await_true(lambda: len(trace.edges(VALVE)) == 300)
        assert all(edge.at_most_ns == 50_000_000 for edge in trace.edges(VALVE)[::2])
        return [abs(fall - rise - 50_000_000) / 1000 for rise, fall in water(trace)]


@pytest.mark.parametrize("load", [0, 4], ids=["idle", "loaded"])
def test_a_pulse_of_50_ms_ends_on_time(monkeypatch, load):
    """Of three rounds one has to hold the bars: a virtual machine that stands still now and then says nothing of us.

    Of 150 the 98th percentile is the third largest.
    """
    rounds = []
    for _ in range(3):
        errors_us = pulse_errors_us(monkeypatch, load)
        rounds.append((percentile(errors_us, 50), percentile(errors_us, 98)))
        assert rounds[-1][0] <= 5000
        if not may_be_realtime() or (rounds[-1][0] <= 10 and rounds[-1][1] <= 200):
            return
    pytest.fail(f"p50 and p98 of the error, us: {rounds}")


def test_lines_levels_and_reports(monkeypatch):
    with guarded(monkeypatch) as (guard, trace):
        guard.lines.set(Level(Line.LIGHT, True), CLOCK.now_ns())
        guard.lines.pulse(Pulse(Line.SUCCESS_LED, 0.05), CLOCK.now_ns())
        pulse(guard, 0.02)
        pulse(guard, 0.03)
        await_true(lambda: len(trace.edges()) == 7)
        time.sleep(0.05)
        told = [report for report in guard.reports() if report.kind == "edge"]
        assert sorted(report.detail for report in told) == sorted(
            f"{edge.line.value} {edge.high:d}" for edge in trace.edges()
        )
        assert trace.is_high(LIGHT)
        assert not trace.is_high(OutputLine.SUCCESS_LED)
        # Told is when the board was called; the board's own stamps are that or little later.
        lateness = [edge.time_ns - report.time_ns for edge, report in zip(trace.edges(), told, strict=True)]
        assert percentile([abs(ns) for ns in lateness], 50) < 1_000_000
        guard.valve.close()
        assert trace.is_high(LIGHT)
        with pytest.raises(OutputError, match="closed"):
            pulse(guard, 0.02)
        guard.lines.close()
        assert not trace.is_high(LIGHT)
        pids = guard.pids
        begin = time.monotonic()
        guard.close()
        guard.close()
        assert time.monotonic() - begin < 5
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


def test_the_processes_hear_no_ctrl_c_and_sigterm_closes_the_valve(monkeypatch):
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
        assert falls_after(trace, begin) < 500
        await_end_of(guard, "SIGTERM")


def await_end_of(guard, why, timeout_s=5.0):
    """Look at the reports until they tell that the guardian is lost; return what they told before."""
    found, lost = [], ""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            found.extend(guard.reports())
        except OutputError as error:
            lost = str(error)
            break
        time.sleep(0.002)
    assert why in lost, found
    return found


def test_a_hung_loop_loses_its_water_and_a_second_later_its_light(monkeypatch):
    """The heartbeat's thread lives, the loop does not turn."""
    with guarded(monkeypatch) as (guard, trace):
        guard.lines.set(Level(Line.LIGHT, True), CLOCK.now_ns())
        begin = CLOCK.now_ns()
        pulse(guard, 4.0)
        pulse(guard, 0.5)
        assert 900 < falls_after(trace, begin) < 1500
        assert trace.is_high(LIGHT)
        await_true(lambda: not trace.is_high(LIGHT))
        found = reports_until(guard, "lines_low")
        cut = [report.detail for report in found if report.kind == "water_cut"]
        assert len(cut) == 2
        assert "no sign of life for 50 ms" in cut[0]
        assert "drop 2 not given" in cut[1]
        # The loop turns again: so does the valve.
        pulse(guard, 0.02)
        await_true(lambda: len(water(trace)) == 2)
        assert guard.reports()[-1].detail == "valve 0"


def test_a_loop_that_waits_for_a_frame_keeps_its_water(monkeypatch):
    """Of three drops of a second most are whole: a virtual machine may leave out the controller's processor."""
    with guarded(monkeypatch) as (guard, trace):
        for number in range(1, 4):
            pulse(guard, 1.0)
            for _ in range(5):
                guard.alive()
                time.sleep(0.22)
            await_true(lambda number=number: len(water(trace)) == number)
        lengths = [fall - rise for rise, fall in water(trace)]
        assert abs(percentile(lengths, 50) - 1_000_000_000) < 50_000_000
        cut = [report for report in guard.reports() if report.kind == "water_cut"]
        assert len(cut) <= 1


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
        guard.reconnect()
        pulse(guard, 0.02)
        reports_until(guard, "edge")


def test_what_waits_is_dropped_when_a_device_is_lost(monkeypatch):
    """The sound is lost, the guardian is not: the drop that runs ends at its time, the others never come."""
    outputs = OutputSettings(max_pulse_s=1, max_session_water_s=1.0, max_day_water_s=1.0)
    with guarded(monkeypatch, outputs=outputs) as (guard, trace):
        rig = Rig(FakeSpeaker(), guard.valve, guard.lines, FakeLickSensor(), guard)
        for _ in range(5):
            rig.apply(Water(0.2), CLOCK.now_ns())
        await_true(lambda: trace.is_high(VALVE))
        rig.hush(CLOCK.now_ns())
        told = reports_until(guard, "water_cut")
        end = time.monotonic() + 0.6
        while time.monotonic() < end:
            guard.alive()
            told.extend(guard.reports())
            time.sleep(0.01)
        assert [each.detail.split(":")[0] for each in told if each.kind == "water_cut"] == [
            f"drop {number} not given" for number in (2, 3, 4, 5)
        ]
        [(rise, fall)] = water(trace)
        assert fall - rise > 150_000_000
        assert guard.valve.session_s == 0.2
        pulse(guard, 0.8)


def test_reconnecting_counts_the_water_of_the_session_on(monkeypatch):
    bounds = OutputSettings(max_session_water_s=0.1, max_duty=1.0)
    with guarded(monkeypatch, outputs=bounds) as (guard, trace):
        pulse(guard, 0.06)
        await_true(lambda: len(water(trace)) == 1)
        before = guard.pids
        guard.lines.set(Level(Line.LIGHT, True), CLOCK.now_ns())
        guard.reconnect()
        assert not trace.is_high(LIGHT)
        assert not set(before) & set(guard.pids)
        with pytest.raises(OutputError, match="max_session_water_s"):
            pulse(guard, 0.06)
        # A client that has lost count is refused by the guardian.
        guard.valve._openings.give_back(60_000_000)
        pulse(guard, 0.06)
        (refused,) = [report for report in reports_until(guard, "refused") if report.kind == "refused"]
        assert "max_session_water_s" in refused.detail
        assert len(water(trace)) == 1


def test_reconnecting_counts_the_openings_of_the_last_10_s_on(monkeypatch):
    bounds = OutputSettings(max_pulse_s=0.5, max_duty=0.1, max_session_water_s=60)
    with guarded(monkeypatch, outputs=bounds) as (guard, trace):
        begin = time.monotonic()
        while time.monotonic() < begin + 5:
            pulse(guard, 0.4)
            deadline = time.monotonic() + 0.6
            while time.monotonic() < deadline:
                guard.alive()
                time.sleep(0.02)
            os.kill(guard.pids[0], signal.SIGKILL)
            guard.reconnect()
        assert 0.75 < sum(fall - rise for rise, fall in water(trace)) / 1e9 < 1.001


def test_a_guardian_that_is_started_after_midnight_goes_on_with_the_sessions_day(monkeypatch, tmp_path):
    ledger = tmp_path / "M1" / "water.csv"
    bounds = OutputSettings(max_day_water_s=0.5, max_duty=1.0)
    with lines_in_memory(monkeypatch) as trace:
        guard = Guard(spec(ledger=ledger, outputs=bounds))
        guard._wall_ns -= 86_400 * 10**9
        guard.start()
        try:
            pulse(guard, 0.3)
            await_true(lambda: len(water(trace)) == 1)
            guard.reconnect()
            with pytest.raises(OutputError, match="max_day_water_s"):
                pulse(guard, 0.3)
            guard.valve._openings.give_back(300_000_000)
            pulse(guard, 0.3)
            refused = reports_until(guard, "refused")[-1]
            assert "max_day_water_s" in refused.detail, "the guardian has counted it, too"
        finally:
            guard.close()


def test_the_water_of_the_day_outlives_guardians_and_what_was_cut_does_not_count(monkeypatch, tmp_path):
    ledger = tmp_path / "M1" / "water.csv"
    today = local_day(CLOCK.wall_ns())
    bounds = OutputSettings(max_day_water_s=0.5, max_duty=1.0)
    with guarded(monkeypatch, ledger=ledger, outputs=bounds, session="S1") as (guard, trace):
        pulse(guard, 0.1)
        pulse(guard, 0.3)
        await_true(lambda: len(trace.edges(VALVE)) == 3)
        time.sleep(0.05)
        guard.valve.close()
    given = read_day(ledger, today)
    assert 0.14 < given.seconds < 0.35
    assert given.by_purpose[Purpose.reward] == pytest.approx(given.seconds)
    assert ",S1\n" in ledger.read_text()
    with guarded(monkeypatch, ledger=ledger, outputs=bounds, purpose=Purpose.free) as (guard, _):
        with pytest.raises(OutputError, match="max_day_water_s"):
            pulse(guard, 0.45)
        pulse(guard, 0.1)
        reports_until(guard, "edge")
        os.kill(guard.pids[0], signal.SIGKILL)
        await_end_of(guard, "SIGKILL")
    assert read_day(ledger, today).by_purpose[Purpose.free] == pytest.approx(0.1), "written down before it was given"


def test_a_ledger_that_cannot_be_written_ends_the_water(monkeypatch, tmp_path):
    ledger = tmp_path / "M1" / "water.csv"
    with guarded(monkeypatch, ledger=ledger) as (guard, trace):
        shutil.rmtree(tmp_path / "M1")
        (tmp_path / "M1").write_text("a file where the folder should be")
        pulse(guard, 2.0)
        await_true(lambda: trace.is_high(VALVE))
        await_end_of(guard, "water of the day")
        await_true(lambda: not trace.is_high(VALVE))
        (tmp_path / "M1").unlink()
        guard.reconnect()
        (told,) = [report for report in reports_until(guard, "ledger") if report.kind == "ledger"]
        assert "may be missing" in told.detail
        assert guard.valve.day_s == 2.0, "it counts all the same"


@pytest.mark.parametrize("what", ["damaged", "folder"])
def test_a_ledger_that_cannot_be_read_stops_the_start(monkeypatch, tmp_path, what):
    ledger = tmp_path / "water.csv"
    if what == "damaged":
        ledger.write_text("nonsense\n")
    else:
        ledger.mkdir()
    with lines_in_memory(monkeypatch), pytest.raises(OutputError, match="water of the day"):
        Guard(spec(ledger=ledger)).start()


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


def test_a_board_that_does_not_come_back_is_told_until_it_does(monkeypatch):
    with guarded(monkeypatch) as (guard, _):
        there = os.environ[TRACE_VARIABLE]
        monkeypatch.setenv(TRACE_VARIABLE, there + "-unplugged")
        for use in (guard.reconnect, guard.reports, lambda: guard.valve.pulse(0.1, CLOCK.now_ns()), guard.reconnect):
            with pytest.raises(OutputError, match=r"cannot use|not running"):
                use()
        monkeypatch.setenv(TRACE_VARIABLE, there)
        guard.reconnect()
        pulse(guard, 0.02)
        reports_until(guard, "edge")


def test_sync_pulses_come_at_random_and_both_edges_are_told(monkeypatch):
    pins = PinSettings(output_board=BoardKind.memory, pin_sync=4, sync_interval_s=(0.05, 0.1))
    with guarded(monkeypatch, pins=pins) as (guard, trace):
        found = []
        for _ in range(50):
            guard.alive()
            found.extend(guard.reports())
            time.sleep(0.02)
        sync = [report for report in found if report.kind == "sync"]
        edges = trace.edges(OutputLine.SYNC)
        assert [report.detail for report in sync] == [f"{edge.high:d}" for edge in edges][: len(sync)]
        assert 8 <= len(sync) // 2 <= 21
        widths = [b.time_ns - a.time_ns for a, b in zip(edges[::2], edges[1::2], strict=False)]
        assert abs(percentile(widths, 50) - 10_000_000) < 1_000_000


def test_reports_that_nobody_takes_are_counted_and_hold_nothing_up(monkeypatch):
    pins = PinSettings(output_board=BoardKind.memory)
    with guarded(monkeypatch, pins=pins, outputs=MANY) as (guard, trace):
        for k in range(6000):
            guard.lines.set(Level(Line.LIGHT, k % 2 == 0), CLOCK.now_ns())
            if k % 50 == 0:
                time.sleep(0.004)
        await_true(lambda: len(trace.edges(LIGHT)) == 6000)
        pulse(guard, 0.02)
        await_true(lambda: len(water(trace)) == 1)
        found = reports_until(guard, "reports_lost", 10)
        lost = int(found[-1].detail.split()[0])
        assert len([report for report in found if report.kind == "edge"]) + lost == 6002


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
from tests.realtime.guarded import await_true, spec
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
    for name, priority in (("watcher", 81), ("guardian", 80)):
        assert f"{name}: real-time priority {priority} refused (Operation not permitted): write '@users" in done.stdout
    assert "locking memory refused" in done.stdout
    assert "['valve 1', 'valve 0']" in done.stdout
