"""The guardian as processes: pulses on time, lines and their reports, drops that wait, sync pulses."""

import os
import socket
import time
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import OutputError
from core.values import Level, Line, Pulse, Water
from hardware import guard_pair
from hardware.board import OutputLine
from hardware.fake import FakeLickSensor, FakeSpeaker
from hardware.guardian_spec import GuardSpec
from hardware.rig import Rig
from hardware.settings import BoardKind, OutputSettings, PinSettings
from tests.support.guarded import (
    CLOCK,
    LIGHT,
    MANY,
    VALVE,
    await_true,
    burners,
    guarded,
    may_be_realtime,
    percentile,
    pulse,
    reports_until,
    water,
)
from tests.support.stalls import Stalls

STILL_S = 0.0023
"""The witness sleeps 2 ms at a time: it was woken 0.3 ms late at least. A pulse's last 0.2 ms are spent awake."""
NEAR_NS = 1_000_000


def pulse_errors_us(monkeypatch, load):
    """Return by how much each of 150 pulses of 50 ms was too long or too short, us; not those with a stall in them."""
    with guarded(monkeypatch) as (guard, trace), burners(load):
        witness = Stalls(STILL_S)
        for _ in range(150):
            pulse(guard, 0.05)
            time.sleep(0.06)
            guard.alive()
            guard.reports()
        await_true(lambda: len(trace.edges(VALVE)) == 300)
        seen = witness.seen()
        assert all(edge.at_most_ns == 50_000_000 for edge in trace.edges(VALVE)[::2])
        return [
            abs(fall - rise - 50_000_000) / 1000
            for rise, fall in water(trace)
            if not any(begin < fall + NEAR_NS and end > rise - NEAR_NS for begin, end in seen)
        ]


@pytest.mark.parametrize("load", [0, 4], ids=["idle", "loaded"])
def test_a_pulse_of_50_ms_ends_on_time(monkeypatch, load):
    """In one of three rounds the bars hold for all pulses (100 at least) in which no core was seen to stand still.

    That a virtual machine stands still says nothing of us: a witness of lower priority than the guardian's sees it.
    """
    rounds = []
    for _ in range(3):
        errors_us = pulse_errors_us(monkeypatch, load)
        if not errors_us:
            rounds.append((0, None, None))
            continue
        rounds.append((len(errors_us), percentile(errors_us, 50), percentile(errors_us, 99)))
        assert rounds[-1][1] <= 5000
        if not may_be_realtime():
            return
        if rounds[-1][0] >= 100 and rounds[-1][1] <= 10 and rounds[-1][2] <= 200:
            return
    pytest.fail(f"pulses, and p50 and p99 of their errors, us: {rounds}")


def test_lines_levels_and_reports(monkeypatch):
    with guarded(monkeypatch) as (guard, trace):
        guard.lines.set(Level(Line.LIGHT, True), CLOCK.now_ns())
        guard.lines.pulse(Pulse(Line.SUCCESS_LED, 0.05), CLOCK.now_ns())
        pulse(guard, 0.02)
        pulse(guard, 0.03)
        told = []

        def all_are_told():
            told.extend(report for report in guard.reports() if report.kind == "edge")
            return len(told) >= 7

        await_true(all_are_told)
        assert len(trace.edges()) == 7
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


def test_what_waits_is_dropped_when_a_device_is_lost(monkeypatch):
    """The sound is lost, the guardian is not: the drop that runs ends at its time, the others never come."""
    # Long, so that a loop that is held up for a moment still tells of the loss within the first drop.
    drop_s = 0.8
    outputs = OutputSettings(max_pulse_s=1, max_session_water_s=5 * drop_s, max_day_water_s=5 * drop_s)
    with guarded(monkeypatch, outputs=outputs) as (guard, trace):
        rig = Rig(FakeSpeaker(), guard.valve, guard.lines, FakeLickSensor(), guard)
        for _ in range(5):
            rig.apply(Water(drop_s), CLOCK.now_ns())
        await_true(lambda: trace.is_high(VALVE))
        rig.hush(CLOCK.now_ns())
        told = reports_until(guard, "water_cut")
        end = time.monotonic() + 2 * drop_s

        def first_drop_is_over():
            guard.alive()
            told.extend(guard.reports())
            return time.monotonic() >= end and water(trace)

        await_true(first_drop_is_over)
        assert [each.detail.split(":")[0] for each in told if each.kind == "water_cut"] == [
            f"drop {number} not given" for number in (2, 3, 4, 5)
        ]
        [(rise, fall)] = water(trace)
        assert fall - rise > 0.75 * drop_s * 1e9
        assert guard.valve.session_s == drop_s
        for _ in range(4):
            pulse(guard, drop_s)


SYNC_PINS = PinSettings(output_board=BoardKind.memory, pin_sync=4, sync_interval_s=(0.05, 0.1))


def sync_pulses(monkeypatch):
    """Return rise and fall of 20 sync pulses, ns, and the stalls meanwhile; both edges of each are told in order."""
    with guarded(monkeypatch, pins=SYNC_PINS) as (guard, trace):
        witness = Stalls(STILL_S)
        found = []

        def is_done():
            guard.alive()
            found.extend(report.detail for report in guard.reports() if report.kind == "sync")
            return len(found) >= 40

        await_true(is_done)
        edges = trace.edges(OutputLine.SYNC)[: len(found)]
        assert found == [f"{edge.high:d}" for edge in edges]
        assert found == ["1", "0"] * (len(found) // 2) + ["1"] * (len(found) % 2)
        times = [edge.time_ns for edge in edges]
        return list(zip(times[::2], times[1::2], strict=False)), witness.seen()


def sync_errors_us(pulses, seen):
    """Return by how much each pulse was not 10 ms long, and not where its seed has it after the one before it, us.

    Not those with a stall in them.
    """
    chance = np.random.default_rng(GuardSpec().seed)
    intervals_ns = [round(chance.uniform(*SYNC_PINS.sync_interval_s) * 1e9) for _ in range(len(pulses))][1:]
    errors_us = []
    for (before, _), (rise, fall), interval_ns in zip(pulses, pulses[1:], intervals_ns, strict=False):
        if not any(begin < fall + NEAR_NS and end > before - NEAR_NS for begin, end in seen):
            errors_us += [abs(fall - rise - 10_000_000) / 1000, abs(rise - before - interval_ns) / 1000]
    return errors_us


def test_sync_pulses_come_at_random_and_both_edges_are_told(monkeypatch):
    """In one of three rounds at least ten of twenty pulses came while no core stood still; those are on time."""
    for _ in range(3):
        errors_us = sync_errors_us(*sync_pulses(monkeypatch))
        if len(errors_us) >= 20:
            assert percentile(errors_us, 50) < 1000
            assert max(errors_us) < 1000 or not may_be_realtime()
            return
    pytest.fail("in none of three rounds were there ten pulses without a stall")


def short_of_room(*words):
    """Two connected sockets of which the second one's buffer is small, whatever this system's default is."""
    ours, theirs = socket.socketpair(*words)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
    return ours, theirs


def test_reports_that_nobody_takes_are_counted_and_hold_nothing_up(monkeypatch):
    pins = PinSettings(output_board=BoardKind.memory)
    monkeypatch.setattr(guard_pair, "socket", SimpleNamespace(**{**vars(socket), "socketpair": short_of_room}))
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
