"""What all digital lines must do. A new implementation is one more line in CASES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from core.errors import OutputError
from core.ports import Lines
from core.values import Level, Line, Pulse, as_ns
from hardware.fake import FakeLines
from tests.hardware.near_guardian import NearLines


@dataclass(frozen=True)
class Case:
    """One implementation.

    Attributes
    ----------
    make : callable
        Makes the lines.
    is_high : callable
        Tells whether a line is high at a time (ns) that is not before the last call.
    """

    make: Callable[[], Lines]
    is_high: Callable[[Lines, Line, int], bool]


def fake_is_high(lines: FakeLines, line: Line, time_ns: int) -> bool:
    if lines.closed:
        return lines.levels[line]
    pulses = [(start, what) for start, name, what in lines.log if name is line and not isinstance(what, bool)]
    return lines.levels[line] or any(start <= time_ns < start + as_ns(length) for start, length in pulses)


CASES = {"fake": Case(FakeLines, fake_is_high), "guarded": Case(NearLines, NearLines.is_high)}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture
def lines(case: Case) -> Iterator[Lines]:
    made = case.make()
    yield made
    made.close()


def high(case: Case, lines: Lines, time_ns: int) -> set[Line]:
    return {line for line in Line if case.is_high(lines, line, time_ns)}


def test_are_lines(lines: Lines) -> None:
    assert isinstance(lines, Lines)


def test_all_are_low_until_told(case: Case, lines: Lines) -> None:
    assert high(case, lines, 0) == set()


@pytest.mark.usefixtures("nobody_sleeps")
@pytest.mark.parametrize("line", Line, ids=lambda line: line.value)
def test_a_level_is_set_and_left_and_moves_no_other_line(case: Case, lines: Lines, line: Line) -> None:
    lines.set(Level(line, True), 0)
    assert high(case, lines, as_ns(3600)) == {line}
    lines.set(Level(line, True), as_ns(3600))
    assert high(case, lines, as_ns(3600)) == {line}
    lines.set(Level(line, False), as_ns(3601))
    assert high(case, lines, as_ns(3601)) == set()


@pytest.mark.usefixtures("nobody_sleeps")
@pytest.mark.parametrize("line", Line, ids=lambda line: line.value)
def test_a_pulse_rises_now_and_falls_by_itself(case: Case, lines: Lines, line: Line) -> None:
    lines.pulse(Pulse(line, 0.5), as_ns(2))
    assert high(case, lines, as_ns(2)) == {line}
    assert high(case, lines, as_ns(2.499)) == {line}
    assert high(case, lines, as_ns(2.5)) == set()


def test_a_pulse_leaves_a_level_alone(case: Case, lines: Lines) -> None:
    lines.set(Level(Line.LIGHT, True), 0)
    lines.pulse(Pulse(Line.FAIL_LED, 0.5), 0)
    assert high(case, lines, 0) == {Line.LIGHT, Line.FAIL_LED}
    assert high(case, lines, as_ns(1)) == {Line.LIGHT}


@pytest.mark.parametrize("duration", [0.0, -1.0, float("nan"), float("inf")])
def test_a_pulse_without_an_end_or_a_length_is_refused(case: Case, lines: Lines, duration: float) -> None:
    with pytest.raises(OutputError):
        lines.pulse(Pulse(Line.FAIL_LED, duration), 0)
    assert high(case, lines, 0) == set()


def test_close_leaves_all_lines_low(case: Case, lines: Lines) -> None:
    for line in (Line.LIGHT, Line.BEHAVIOUR_TTL):
        lines.set(Level(line, True), 0)
    lines.pulse(Pulse(Line.SUCCESS_LED, 10.0), 0)
    for _ in range(2):
        lines.close()
        assert high(case, lines, as_ns(1)) == set()


def test_close_without_use_is_legal(lines: Lines) -> None:
    lines.close()
    lines.close()


def test_closed_lines_refuse(case: Case, lines: Lines) -> None:
    lines.close()
    with pytest.raises(OutputError):
        lines.set(Level(Line.LIGHT, True), 0)
    with pytest.raises(OutputError):
        lines.pulse(Pulse(Line.FAIL_LED, 0.5), 0)
    assert high(case, lines, 0) == set()
