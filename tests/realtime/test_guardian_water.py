"""The water of session, day and the last 10 s over guardians that are restarted, and sessions that are killed."""

import os
import shutil
import signal
import threading
import time

import pytest

from core.errors import OutputError
from core.values import Level, Line
from hardware.guard import Guard
from hardware.ledger_day import local_day, read_day
from hardware.ledger_rows import Purpose
from hardware.settings import OutputSettings
from tests.support.guarded import (
    CLOCK,
    LIGHT,
    VALVE,
    await_all_gone,
    await_end_of,
    await_true,
    controller,
    guarded,
    is_lost,
    lines_in_memory,
    open_valve,
    pids_of,
    pulse,
    reports_until,
    spec,
    water,
)
from tests.support.processes import await_end
from tests.support.reopening import reopen


def test_reconnecting_counts_the_water_of_the_session_on(monkeypatch):
    bounds = OutputSettings(max_session_water_s=0.1, max_duty=1.0)
    with guarded(monkeypatch, outputs=bounds) as (guard, trace):
        pulse(guard, 0.06)
        await_true(lambda: len(water(trace)) == 1)
        before = guard.pids
        guard.lines.set(Level(Line.LIGHT, True), CLOCK.now_ns())
        reopen(guard)
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
        while time.monotonic() < begin + 5 or len(water(trace)) < 2:
            assert time.monotonic() < begin + 60, "no water comes"
            pulse(guard, 0.4)
            deadline = time.monotonic() + 0.6
            while time.monotonic() < deadline:
                guard.alive()
                time.sleep(0.02)
            os.kill(guard.pids[0], signal.SIGKILL)
            reopen(guard)
        given = water(trace)
        for _, end in given:
            begin = end - 10 * 10**9
            assert sum(fall - max(rise, begin) for rise, fall in given if begin < fall <= end) / 1e9 < 1.001
        assert sum(fall - rise for rise, fall in given) / 1e9 > 0.75


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
            reopen(guard)
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
    bounds = OutputSettings(max_pulse_s=5, max_day_water_s=4.2, max_duty=1.0)
    with guarded(monkeypatch, ledger=ledger, outputs=bounds, session="S1") as (guard, trace):
        pulse(guard, 0.1)
        pulse(guard, 4.0)
        await_true(lambda: len(trace.edges(VALVE)) == 3)
        time.sleep(0.05)
        guard.valve.close()
        opened_s = sum(fall - rise for rise, fall in water(trace)) / 1e9
    given = read_day(ledger, today)
    assert 0.14 < given.seconds < 4
    assert given.seconds == pytest.approx(opened_s, abs=0.01)
    assert given.by_purpose[Purpose.reward] == pytest.approx(given.seconds)
    assert ",S1\n" in ledger.read_text()
    with guarded(monkeypatch, ledger=ledger, outputs=bounds, purpose=Purpose.free) as (guard, _):
        with pytest.raises(OutputError, match="max_day_water_s"):
            pulse(guard, 4.2 - given.seconds + 0.01)
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
        await_end_of(guard, "water of the day")
        assert trace.edges(VALVE) == [], "no water without its row"
        (tmp_path / "M1").unlink()
        reopen(guard)
        (told,) = [report for report in reports_until(guard, "ledger") if report.kind == "ledger"]
        assert "may be missing" in told.detail


def test_a_watcher_that_is_stopped_costs_no_row(monkeypatch, tmp_path):
    """Drops go on until the guardian finds it silent; what was given stands in the ledger all the same."""
    ledger = tmp_path / "M1" / "water.csv"
    bounds = OutputSettings(max_session_water_s=60, max_day_water_s=60, max_duty=1.0, min_pulse_gap_s=0.05)
    with guarded(monkeypatch, ledger=ledger, outputs=bounds) as (guard, trace):
        for _ in range(60):
            pulse(guard, 0.05)
        await_true(lambda: len(water(trace)) >= 3)
        os.kill(guard.pids[1], signal.SIGSTOP)
        await_end_of(guard, "its watcher gives no sign of life")
        reopen(guard)
        given = water(trace)
        assert 3 <= len(given) < 60
        rows = read_day(ledger, local_day(CLOCK.wall_ns())).seconds
        assert rows == pytest.approx(sum(fall - rise for rise, fall in given) / 1e9, abs=0.005)


@pytest.mark.parametrize("what", ["damaged", "folder"])
def test_a_ledger_that_cannot_be_read_stops_the_start(monkeypatch, tmp_path, what):
    ledger = tmp_path / "water.csv"
    if what == "damaged":
        ledger.write_text("nonsense\n")
    else:
        ledger.mkdir()
    with lines_in_memory(monkeypatch), pytest.raises(OutputError, match="water of the day"):
        Guard(spec(ledger=ledger)).start()


def test_the_water_of_a_killed_controller_is_in_the_ledger_as_far_as_it_was_given(monkeypatch, tmp_path):
    ledger = tmp_path / "M1" / "water.csv"
    monkeypatch.setenv("LEDGER", str(ledger))
    with lines_in_memory(monkeypatch) as trace, controller(tmp_path) as process:
        pids = pids_of(process)
        open_valve(process, trace)
        time.sleep(0.2)
        process.kill()
        await_all_gone(trace, pids[:2])
        rise, fall = (edge.time_ns for edge in trace.edges(VALVE))
    given_s = read_day(ledger, local_day(CLOCK.wall_ns())).seconds
    assert given_s == pytest.approx((fall - rise) / 1e9, abs=0.01)
    assert len(ledger.read_text().splitlines()) == 3


def test_who_follows_a_killed_session_waits_for_its_last_rows(monkeypatch, tmp_path):
    """The old watcher stands still (as on a stalled disk) with the lines free: the day is read when it has written."""
    ledger = tmp_path / "M1" / "water.csv"
    monkeypatch.setenv("LEDGER", str(ledger))
    with lines_in_memory(monkeypatch) as trace, controller(tmp_path) as process:
        pids = pids_of(process)
        open_valve(process, trace)
        time.sleep(0.3)
        os.kill(pids[1], signal.SIGSTOP)
        process.kill()
        await_end(pids[0])
        guard = Guard(spec(ledger=ledger))
        assert read_day(ledger, local_day(CLOCK.wall_ns())).seconds > 1, "that it was cut is not written yet"
        threading.Timer(0.7, os.kill, (pids[1], signal.SIGCONT)).start()
        guard.start()
        try:
            rise, fall = (edge.time_ns for edge in trace.edges(VALVE))
            given_s = (fall - rise) / 1e9
            assert read_day(ledger, local_day(CLOCK.wall_ns())).seconds == pytest.approx(given_s, abs=0.01)
            # What it had read before was more, and who is in doubt gives less.
            assert guard.valve.day_s >= given_s
        finally:
            guard.close()


def test_max_duty_knows_the_last_10_s_of_a_session_that_was_killed(monkeypatch, tmp_path):
    """One gave 0.6 s and was killed; one that follows at once may give 1 s in 10 s, and waits with half a second."""
    ledger = tmp_path / "M1" / "water.csv"
    monkeypatch.setenv("LEDGER", str(ledger))
    with lines_in_memory(monkeypatch) as trace:
        with controller(tmp_path) as process:
            pids = pids_of(process)
            open_valve(process, trace)
            time.sleep(0.6)
            process.kill()
            await_all_gone(trace, pids[:2])
        [(_, fall)] = water(trace)
        guard = Guard(spec(ledger=ledger, outputs=OutputSettings(max_pulse_s=1, max_duty=0.1)))
        guard.start()
        try:
            pulse(guard, 0.5)
            told = reports_until(guard, "water_wait")[-1]
            assert len(water(trace)) == 1
        finally:
            guard.close()
    waits_s = float(told.detail.split("waits ")[1].split()[0])
    # At its end the 10 s before hold all of it, and of the first session no more than the last half second.
    assert (told.time_ns - fall) / 1e9 + waits_s == pytest.approx(9.0, abs=0.05)


def test_a_day_is_one_whatever_data_folder_and_is_known_though_one_ledger_is_lost(monkeypatch, tmp_path):
    """Both guardian and watcher are killed within the drop: the rows are in both files, as a whole drop."""
    shared, copies = tmp_path / "state" / "M1.csv", [tmp_path / name / "water.csv" for name in ("one", "two")]
    bounds = OutputSettings(max_day_water_s=0.5, max_duty=1.0)
    with guarded(monkeypatch, ledger=shared, copy=copies[0], outputs=bounds) as (guard, trace):
        pulse(guard, 0.3)
        await_true(lambda: trace.is_high(VALVE))
        await_true(lambda: all(path.exists() and "0.3" in path.read_text() for path in (shared, copies[0])))
        for pid in guard.pids:
            os.kill(pid, signal.SIGKILL)
        await_true(lambda: is_lost(guard))
        reopen(guard)
    for ledger, copy in ((shared, copies[1]), (shared, copies[0]), (tmp_path / "lost" / "M1.csv", copies[0])):
        with guarded(monkeypatch, ledger=ledger, copy=copy, outputs=bounds) as (guard, _):
            assert guard.valve.day_s == pytest.approx(0.3)
            with pytest.raises(OutputError, match="max_day_water_s"):
                pulse(guard, 0.3)
            guard.valve._openings.give_back(300_000_000)
            pulse(guard, 0.3)
            assert "max_day_water_s" in reports_until(guard, "refused")[-1].detail, "the guardian has counted it, too"


def test_a_state_folder_that_cannot_be_written_stops_the_start_with_its_cure(monkeypatch, tmp_path):
    """As in a home that is read-only."""
    (tmp_path / "home").write_text("no folder")
    with lines_in_memory(monkeypatch), pytest.raises(OutputError, match=r"choose another .*RIGLOOP_STATE"):
        Guard(spec(ledger=tmp_path / "home" / "state" / "M1.csv", copy=tmp_path / "water.csv")).start()
    assert not (tmp_path / "water.csv").exists()
