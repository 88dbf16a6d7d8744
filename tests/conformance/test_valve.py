"""What every valve must do. A new one is one more line in CASES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutputError
from core.outputs import Openings
from core.ports import Valve
from core.values import as_ns
from hardware.fake import FakeValve
from hardware.settings import OutputSettings
from insilico.devices import MouseSpout
from tests.hardware.near_guardian import NearValve

BOUNDS = OutputSettings(max_pulse_s=1.0, max_session_water_s=3.0, min_pulse_gap_s=0.1)

Opening = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """One implementation.

    Attributes
    ----------
    make : callable
        Makes a valve with these bounds.
    openings : callable
        Tells start and end of every opening so far and to come, ns, in order.
    is_shut : callable
        Tells whether the valve is shut for good.
    """

    make: Callable[[OutputSettings], Valve]
    openings: Callable[[Valve], list[Opening]]
    is_shut: Callable[[Valve], bool]


def spout(bounds: OutputSettings) -> Valve:
    return MouseSpout(Openings(bounds.max_pulse_s, bounds.min_pulse_gap_s, bounds.max_session_water_s))


CASES = {
    "fake": Case(FakeValve, lambda valve: valve.pulses, lambda valve: valve.closed),
    "guarded": Case(NearValve, NearValve.openings, NearValve.is_shut),
    "simulated": Case(spout, lambda valve: valve.pulses, lambda valve: valve.closed),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def test_is_a_valve(case: Case) -> None:
    assert isinstance(case.make(BOUNDS), Valve)


@pytest.mark.usefixtures("nobody_sleeps")
def test_a_pulse_opens_now_and_times_itself(case: Case) -> None:
    valve = case.make(BOUNDS)
    assert case.openings(valve) == []
    valve.pulse(0.3, as_ns(5))
    assert case.openings(valve) == [(as_ns(5), as_ns(5.3))]


@pytest.mark.usefixtures("nobody_sleeps")
def test_a_pulse_while_another_runs_follows_it(case: Case) -> None:
    """No drop is lost, none is merged with another, and the caller does not wait."""
    valve = case.make(BOUNDS)
    valve.pulse(0.3, 0)
    valve.pulse(0.2, as_ns(0.2))
    valve.pulse(0.3, as_ns(0.2))
    expected = [(0, as_ns(0.3)), (as_ns(0.4), as_ns(0.6)), (as_ns(0.7), as_ns(1.0))]
    assert case.openings(valve) == expected


@pytest.mark.parametrize("duration", [0.0, -1.0, 1.001, float("nan"), float("inf")])
def test_clopy_fault_10_a_pulse_is_bounded(case: Case, duration: float) -> None:
    valve = case.make(BOUNDS)
    with pytest.raises(OutputError, match="max_pulse_s"):
        valve.pulse(duration, 0)
    assert case.openings(valve) == []
    valve.pulse(BOUNDS.max_pulse_s, 0)
    assert case.openings(valve) == [(0, as_ns(BOUNDS.max_pulse_s))]


def test_clopy_fault_10_the_water_of_a_session_is_bounded(case: Case) -> None:
    valve = case.make(OutputSettings(max_session_water_s=1.0))
    for k in range(3):
        valve.pulse(0.3, as_ns(k))
    for _ in range(2):
        with pytest.raises(OutputError, match="max_session_water_s"):
            valve.pulse(0.3, as_ns(3))
    assert len(case.openings(valve)) == 3
    valve.pulse(0.1, as_ns(4))
    assert len(case.openings(valve)) == 4, "what was refused does not count"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@given(asked=st.lists(st.tuples(st.floats(0, 2), st.floats(-0.5, 1.5)), max_size=20), gap=st.sampled_from([0.0, 0.25]))
def test_whatever_is_asked_the_bounds_hold(case: Case, asked: list[tuple[float, float]], gap: float) -> None:
    """``asked``: time since the pulse before, and duration, s."""
    bounds = OutputSettings(max_pulse_s=1.0, max_session_water_s=3.0, min_pulse_gap_s=gap)
    valve = case.make(bounds)
    now, given_s = 0.0, []
    for since, duration in asked:
        now += since
        try:
            valve.pulse(duration, as_ns(now))
        except OutputError:
            continue
        given_s.append(duration)
    openings = case.openings(valve)
    assert [end - start for start, end in openings] == [as_ns(duration) for duration in given_s]
    assert all(0 < duration <= bounds.max_pulse_s for duration in given_s)
    assert sum(end - start for start, end in openings) <= as_ns(bounds.max_session_water_s)
    assert all(late - end >= as_ns(gap) for (_, end), (late, _) in pairwise(openings))


@pytest.mark.parametrize("pulses", [0, 1, 3])
def test_close_shuts_the_valve_whatever_it_was_doing(case: Case, pulses: int) -> None:
    valve = case.make(BOUNDS)
    for _ in range(pulses):
        valve.pulse(0.5, 0)
    valve.close()
    assert case.is_shut(valve)
    valve.close()
    assert case.is_shut(valve)


def test_a_closed_valve_refuses(case: Case) -> None:
    valve = case.make(BOUNDS)
    valve.close()
    with pytest.raises(OutputError):
        valve.pulse(0.1, 0)
    assert case.openings(valve) == []
