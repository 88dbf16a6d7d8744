"""The watcher: what it takes over from a guardian that is lost, and what becomes of a rig that loses its watcher."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from core.errors import OutputError
from hardware.guard import Guard
from hardware.guardian_life import Life, make_life_memory
from hardware.guardian_watcher import Watcher
from hardware.memory_board import TRACE_VARIABLE
from tests.support.guarded import (
    CLOCK,
    LONG_S,
    ROOT,
    VALVE,
    await_true,
    controller,
    falls_after,
    guarded,
    is_lost,
    lines_in_memory,
    open_valve,
    pids_of,
    signal_and_time,
    spec,
)
from tests.support.reopening import reopen


def test_the_log_says_how_the_guardian_was_lost_and_that_the_lines_are_low(monkeypatch):
    with guarded(monkeypatch) as (guard, trace):
        guard.valve.pulse(LONG_S, CLOCK.now_ns())
        await_true(lambda: trace.is_high(VALVE))
        os.kill(guard.pids[0], signal.SIGSTOP)
        found = []
        await_true(lambda: found.extend(guard.reports()) or any(report.kind == "lines_low" for report in found))
        assert found[-1].detail == "the guardian hung"
        # Held low by the watcher until it is told to let go.
        assert trace.owned
        guard.valve.close()
        guard.lines.close()


def test_a_kernel_that_drops_lines_is_served_as_well(monkeypatch):
    with guarded(monkeypatch, persist=False) as (guard, trace):
        guard.valve.pulse(LONG_S, CLOCK.now_ns())
        await_true(lambda: trace.is_high(VALVE))
        os.kill(guard.pids[0], signal.SIGKILL)
        await_true(lambda: not trace.is_high(VALVE))


def test_a_killed_watcher_ends_the_guardian(monkeypatch):
    with guarded(monkeypatch) as (guard, trace):
        guard.valve.pulse(LONG_S, CLOCK.now_ns())
        await_true(lambda: trace.is_high(VALVE))
        assert signal_and_time(guard.pids[1], signal.SIGKILL, trace)[1] < 500
        await_true(lambda: is_lost(guard))
        with pytest.raises(OutputError, match="its watcher died"):
            guard.valve.pulse(0.1, CLOCK.now_ns())
        reopen(guard)
        guard.valve.pulse(0.01, CLOCK.now_ns())
        await_true(lambda: any(report.detail == "valve 0" for report in guard.reports()))


def test_a_watcher_that_is_killed_in_mid_pulse_leaves_a_shut_valve_and_is_told_so(monkeypatch, tmp_path):
    with guarded(monkeypatch, ledger=tmp_path / "water.csv") as (guard, trace):
        guard.valve.pulse(LONG_S, CLOCK.now_ns())
        await_true(lambda: trace.is_high(VALVE))
        os.kill(guard.pids[1], signal.SIGKILL)
        await_true(lambda: not trace.is_high(VALVE))
        told = []

        def is_told():
            try:
                told.extend(guard.reports())
            except OutputError as error:
                return "its watcher died" in str(error)
            return False

        await_true(is_told)
        (row,) = [report.detail for report in told if report.kind == "ledger"]
        assert "s too much, as it was cut" in row
        guard.valve.close()


def test_a_watcher_does_not_mind_sigterm(capfd, monkeypatch):
    with guarded(monkeypatch) as (guard, trace):
        os.kill(guard.pids[1], signal.SIGTERM)
        time.sleep(0.2)
        guard.valve.pulse(0.01, CLOCK.now_ns())
        await_true(lambda: len(trace.edges(VALVE)) == 2)
        guard.close()
    assert "ignored" not in capfd.readouterr().err


OWNER = """
import sys, time
from pathlib import Path
from hardware.memory_board import MemoryBoard
from tests.support.guarded import PINS, VALVE
board = MemoryBoard(PINS, Path(sys.argv[1]))
board.write(VALVE, True)
print(flush=True)
time.sleep(60)
"""


def test_a_watcher_with_an_error_of_its_own_takes_the_lines_low_before_it_ends(monkeypatch):
    with lines_in_memory(monkeypatch) as trace, contextlib.ExitStack() as stack:
        command = [sys.executable, "-c", OWNER, os.environ[TRACE_VARIABLE]]
        owner = stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE))
        stack.callback(owner.kill)
        owner.stdout.readline()
        assert trace.is_high(VALVE)
        handle, memory = os.pidfd_open(owner.pid), make_life_memory()
        stack.callback(os.close, handle)
        stack.callback(os.close, memory)
        link, rows = (stack.enter_context(end) for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        watcher = Watcher(link, rows, handle, handle, Life(memory), spec())
        assert not watcher.left_low
        watcher.shut_down()
        assert owner.wait(30) == -signal.SIGKILL
        assert watcher.left_low
        assert trace.owned
        assert not trace.is_high(VALVE)
        assert watcher.close()
        assert not trace.owned


UNRELEASED = """
import sys
if any("guardian_watcher" in word for word in sys.orig_argv):
    from core.errors import OutputError
    from hardware.memory_board import MemoryBoard
    close = MemoryBoard.close
    def fail(self):
        close(self)
        raise OutputError("pin_valve 27: could not be released")
    MemoryBoard.close = fail
"""


def test_a_board_that_the_watcher_cannot_release_costs_no_row_and_raises_no_false_alarm(monkeypatch, tmp_path, capfd):
    """The lines are low: nobody is told to close the water's tap."""
    (tmp_path / "sitecustomize.py").write_text(UNRELEASED)
    monkeypatch.syspath_prepend(tmp_path)
    ledger = tmp_path / "water.csv"
    with guarded(monkeypatch, ledger=ledger) as (guard, trace):
        guard.valve.pulse(LONG_S, CLOCK.now_ns())
        await_true(lambda: trace.is_high(VALVE))
        os.kill(guard.pids[0], signal.SIGKILL)
        await_true(lambda: is_lost(guard))
        guard.close()
        assert not trace.is_high(VALVE)
    assert "board was not released: pin_valve 27" in capfd.readouterr().err
    assert ledger.read_text().count(",reward,") == 1


def test_both_killed_at_once_is_told_and_mended_by_reconnecting(monkeypatch):
    """The one case that software cannot save: the error says so."""
    with guarded(monkeypatch) as (guard, trace):
        guard.valve.pulse(LONG_S, CLOCK.now_ns())
        await_true(lambda: trace.is_high(VALVE))
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in guard.pids[::-1]:
                os.kill(pid, number)
        await_true(lambda: is_lost(guard))
        with pytest.raises(OutputError, match="the valve may be open: close the water's tap"):
            guard.valve.close()
        reopen(guard)
        assert not trace.is_high(VALVE)


def test_a_guard_is_started_while_another_user_of_the_lines_is_still_ending(monkeypatch, tmp_path):
    """A session that was killed leaves the lines free within moments."""
    with lines_in_memory(monkeypatch) as trace, controller(tmp_path) as process:
        pids_of(process)
        open_valve(process, trace)
        process.kill()
        falls_after(trace, 0)
        await_true(lambda: not trace.owned)
        guard = Guard(spec())
        guard.start()
        guard.close()
