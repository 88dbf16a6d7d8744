"""Drops on a person's wish: all of them, on time, and none after a stop."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import VirtualClock
from core.errors import OutputError
from core.values import Report
from hardware.settings import OutputSettings
from session.drops import LOOK_NS, DropPlan, give_drops
from tests.support.outputs import VirtualGuard, after

ROOMY = OutputSettings(max_session_water_s=3600)


def never():
    return False


@given(st.integers(1, 40), st.floats(0.005, 1.0), st.floats(0.0, 2.0))
def test_every_drop_is_given_with_its_pause(pulses, duration_s, pause_s):
    clock = VirtualClock()
    guard = VirtualGuard(clock, ROOMY)
    guard.start()
    given_ = give_drops(guard, DropPlan(pulses, duration_s, pause_s), clock, never)
    assert (given_.pulses, given_.stopped) == (pulses, False)
    assert given_.seconds == pytest.approx(pulses * duration_s, abs=1e-6)
    opened = guard.pulses
    for (_, down), (up, _) in pairwise(opened):
        assert -2 <= up - down - pause_s * 1e9 <= 3 * LOOK_NS
    assert max(b - a for a, b in pairwise(guard.alive_ns)) <= LOOK_NS if pulses > 2 else True


@given(st.floats(0.0, 10.0))
def test_after_a_stop_nothing_is_asked_for(stop_s):
    clock = VirtualClock()
    guard = VirtualGuard(clock, ROOMY)
    guard.start()
    start = clock.now_ns()
    told = give_drops(guard, DropPlan(10, 0.5, 0.5), clock, after(clock, stop_s))
    guard.close()
    if not told.stopped:
        assert told.pulses == 10
        return
    assert clock.now_ns() - start <= stop_s * 1e9 + LOOK_NS
    assert told.pulses <= stop_s + 0.5 + LOOK_NS / 1e9
    assert all(up <= start + stop_s * 1e9 for up, _ in guard.pulses)
    assert guard.open_s() <= stop_s / 2 + 0.5


def test_a_valve_whose_line_does_not_answer():
    clock = VirtualClock()
    guard = VirtualGuard(clock, stuck=True)
    guard.start()
    with pytest.raises(OutputError, match=r"opening 1 of 0.1 s was not over"):
        give_drops(guard, DropPlan(3, 0.1, 0.1), clock, never)
    assert len(guard.pulses) == 1


def test_a_guardian_that_is_lost_ends_it():
    clock = VirtualClock()
    guard = VirtualGuard(clock, lost_after_ns=clock.now_ns() + 10**9)
    guard.start()
    with pytest.raises(OutputError, match="is lost"):
        give_drops(guard, DropPlan(100, 0.1, 0.1), clock, never)


@pytest.mark.parametrize("kind", ["water_cut", "lines_low", "refused"])
def test_water_that_the_guardian_cuts_is_an_error(kind):
    clock = VirtualClock()
    guard = VirtualGuard(clock)
    guard.start()
    guard.reports = lambda: (Report(clock.now_ns(), kind, "max_day_water_s"),)
    with pytest.raises(OutputError, match=rf"no more water .{kind}: max_day_water_s"):
        give_drops(guard, DropPlan(100, 0.1, 0.1), clock, never)


def test_a_drop_that_has_to_wait_is_given_all_the_same():
    clock = VirtualClock()
    guard = VirtualGuard(clock)
    guard.start()
    edges = guard.reports
    guard.reports = lambda: (Report(clock.now_ns(), "water_wait", "drop 2 waits 0.1 s"), *edges())
    assert give_drops(guard, DropPlan(3, 0.1, 0.1), clock, never).pulses == 3


def test_what_was_given_before_a_refusal_is_told():
    clock = VirtualClock()
    guard = VirtualGuard(clock, OutputSettings(max_session_water_s=0.25))
    guard.start()
    with pytest.raises(OutputError, match=r"max_session_water_s.*; given: 2 of 9 openings, 0.200 s of water"):
        give_drops(guard, DropPlan(9, 0.1, 0.1), clock, never)


def test_a_pulse_that_is_refused_is_told():
    clock = VirtualClock()
    guard = VirtualGuard(clock)
    guard.start()
    with pytest.raises(OutputError, match="max_pulse_s"):
        give_drops(guard, DropPlan(1, 3.0, 0.1), clock, never)


def test_a_person_is_told_how_long_it_takes():
    clock = VirtualClock()
    guard = VirtualGuard(clock, ROOMY)
    guard.start()
    told = []
    give_drops(guard, DropPlan(4, 0.5, 0.5), clock, never, lambda *what: told.append(what))
    assert told[0] == (0, 3.5)
    left = [seconds for _, seconds in told]
    assert left == sorted(left, reverse=True)
    assert left[-1] <= 0.1
