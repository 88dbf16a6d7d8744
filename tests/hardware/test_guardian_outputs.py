"""The guardian's logic on a virtual clock: drops, cuts, lines, sync pulses, refusals, a board that fails."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutputError
from core.values import as_ns
from hardware.board import OutputLine
from hardware.guardian_edges import BoardFailed
from hardware.guardian_lines import SYNC_WIDTH_NS
from hardware.guardian_valve import MAX_WAITING
from hardware.guardian_wire import Kind, Message
from hardware.memory_board import MemoryBoard, MemoryTrace
from hardware.settings import BoardKind, OutputSettings, PinSettings
from tests.hardware.near_guardian import ALL_PINS, NearGuardian

VALVE, LIGHT, LED = OutputLine.VALVE, OutputLine.LIGHT, OutputLine.SUCCESS_LED


def drop(seconds, number=1):
    return Message(Kind.WATER, number=number, a=as_ns(seconds))


def ask_at(guardian, time_s, message):
    guardian.run_to(as_ns(time_s))
    guardian.ask(message)


def test_every_edge_is_told_with_the_time_that_the_board_saw():
    guardian = NearGuardian()
    ask_at(guardian, 1, drop(0.3, 7))
    guardian.run_out()
    told = [(m.a, m.line, m.high, m.number) for m in guardian.kinds(Kind.EDGE)]
    assert told == [(as_ns(1), VALVE, True, 7), (as_ns(1.3), VALVE, False, 7)]
    assert [(edge.time_ns, edge.high) for edge in guardian.board.edges()] == [(as_ns(1), True), (as_ns(1.3), False)]


def test_a_drop_is_written_down_before_the_valve_opens_and_the_board_told_its_length():
    guardian = NearGuardian()
    guardian.ask(drop(0.3))
    assert guardian.rows == [(1, as_ns(0.3))]
    assert guardian.board.edges()[0].at_most_ns == as_ns(0.3)


def test_a_drop_that_cannot_be_written_down_is_not_given_and_the_next_one_is():
    guardian = NearGuardian(OutputSettings(max_session_water_s=0.3))
    guardian.ledger_problem = "the disk is full"
    guardian.ask(drop(0.3, 1))
    assert guardian.board.edges() == []
    assert [m.text for m in guardian.kinds(Kind.REFUSED)] == ["the disk is full"]
    guardian.ledger_problem = ""
    guardian.ask(drop(0.3, 2))
    assert guardian.board.is_high(VALVE)


def test_the_valve_opens_when_the_row_stands_in_the_ledger():
    guardian = NearGuardian()
    guardian.unwritten = 1
    guardian.ask(drop(0.3, 1))
    guardian.ask(drop(0.3, 2))
    guardian.run_to(as_ns(0.5))
    assert (guardian.pulses(), guardian.rows) == ([], [(1, as_ns(0.3))])
    guardian.unwritten = 0
    guardian.run_to(as_ns(0.6))
    assert guardian.board.is_high(VALVE)
    assert as_ns(0.5) <= guardian.board.edges()[0].time_ns < as_ns(0.501)
    guardian.run_out()
    assert guardian.rows == [(1, as_ns(0.3)), (2, as_ns(0.3))]
    assert [fall - rise for rise, fall in guardian.pulses()] == [as_ns(0.3)] * 2


def test_a_drop_whose_row_is_not_written_within_2_s_is_refused_and_taken_back():
    guardian = NearGuardian(OutputSettings(max_session_water_s=0.3))
    guardian.unwritten = 1
    guardian.ask(drop(0.3, 1))
    guardian.run_to(as_ns(2.1))
    (refused,) = guardian.kinds(Kind.REFUSED)
    assert "no row was written for 2 s; check the disk" in refused.text
    assert guardian.rows == [(1, as_ns(0.3)), (1, -as_ns(0.3))]
    guardian.unwritten = 0
    guardian.ask(drop(0.3, 2))
    guardian.run_out()
    assert len(guardian.pulses()) == 1


@pytest.mark.parametrize("how", ["cut_water", "drop"])
def test_a_drop_that_is_dropped_while_its_row_is_written_is_taken_back(how):
    guardian = NearGuardian()
    guardian.unwritten = 1
    guardian.ask(drop(0.3, 1))
    guardian.ask(drop(0.2, 2))
    if how == "drop":
        guardian.ask(Message(Kind.DROP))
    else:
        guardian.outputs.cut_water("why")
    guardian.unwritten = 0
    guardian.run_to(as_ns(1))
    assert guardian.pulses() == []
    assert guardian.rows == [(1, as_ns(0.3)), (1, -as_ns(0.3))]
    assert [m.number for m in guardian.kinds(Kind.DROPPED)] == [1, 2]


def test_a_cut_closes_at_once_drops_what_waits_and_gives_back_what_was_not_given():
    guardian = NearGuardian(OutputSettings(max_session_water_s=1.0))
    guardian.ask(drop(0.5, 1))
    guardian.ask(drop(0.5, 2))
    guardian.run_to(as_ns(0.2))
    guardian.outputs.cut_water("why")
    guardian.run_out()
    assert guardian.pulses() == [(0, as_ns(0.2))]
    (cut,), (dropped,) = guardian.kinds(Kind.CUT), guardian.kinds(Kind.DROPPED)
    assert (cut.number, cut.a, cut.b, cut.text) == (1, as_ns(0.2), as_ns(0.2), "why")
    assert (dropped.number, dropped.text) == (2, "why")
    assert guardian.rows == [(1, as_ns(0.5)), (1, -as_ns(0.3))]
    ask_at(guardian, 1, drop(0.8, 3))
    assert guardian.board.is_high(VALVE)
    guardian.outputs.cut_water("again")
    guardian.outputs.cut_water("and again")
    assert len(guardian.kinds(Kind.CUT)) == 2


@given(
    asked=st.lists(st.tuples(st.floats(0, 3), st.floats(-0.1, 1.5), st.booleans()), max_size=25),
    duty=st.sampled_from([0.05, 0.2, 1.0]),
    gap=st.sampled_from([0.0, 0.3]),
)
def test_the_guardian_keeps_the_bounds_by_itself_whatever_the_client_asks(asked, duty, gap):
    bounds = OutputSettings(max_pulse_s=1.0, max_session_water_s=4.0, max_duty=duty, min_pulse_gap_s=gap)
    guardian = NearGuardian(bounds)
    now = 0.0
    for since, duration, cut in asked:
        now += since
        ask_at(guardian, now, drop(duration))
        if cut:
            guardian.outputs.cut_water("law")
    guardian.run_out()
    pulses = guardian.pulses()
    assert all(end - start <= as_ns(1.0) for start, end in pulses)
    assert sum(end - start for start, end in pulses) <= as_ns(4.0)
    assert all(late - end >= as_ns(gap) for (_, end), (late, _) in pairwise(pulses))
    ends = [start + as_ns(10) for start, _ in pulses] + [end for _, end in pulses]
    for end in ends:
        assert sum(max(0, min(b, end) - max(a, end - as_ns(10))) for a, b in pulses) <= duty * 1e10
    # What the ledger adds up to is what was given.
    assert sum(length for _, length in guardian.rows) == sum(end - start for start, end in pulses)
    assert not guardian.board.is_high(VALVE)


def test_a_drop_that_waits_for_the_duty_says_so():
    guardian = NearGuardian(OutputSettings(max_duty=0.1))
    guardian.ask(drop(1.0, 1))
    ask_at(guardian, 2, drop(1.0, 2))
    (wait,) = guardian.kinds(Kind.WAIT)
    assert (wait.number, wait.a, wait.b) == (2, as_ns(2), as_ns(8))
    guardian.run_out()
    assert guardian.pulses() == [(0, as_ns(1)), (as_ns(10), as_ns(11))]


def test_too_many_waiting_drops_are_refused():
    guardian = NearGuardian(OutputSettings(max_session_water_s=3600))
    for number in range(MAX_WAITING + 2):
        guardian.ask(drop(0.5, number))
    (refused,) = guardian.kinds(Kind.REFUSED)
    assert "drops wait already" in refused.text


def test_a_level_stays_under_a_pulse_and_the_later_of_two_pulses_ends_them():
    guardian = NearGuardian()
    guardian.ask(Message(Kind.SET, LIGHT, True))
    guardian.ask(Message(Kind.PULSE, LIGHT, a=as_ns(0.5)))
    guardian.ask(Message(Kind.PULSE, LED, a=as_ns(0.5)))
    ask_at(guardian, 0.2, Message(Kind.PULSE, LED, a=as_ns(0.1)))
    guardian.run_out()
    assert guardian.pulses(LED) == [(0, as_ns(0.5))]
    assert guardian.board.is_high(LIGHT)


def test_a_level_taken_back_within_a_pulse_leaves_the_pulse():
    guardian = NearGuardian()
    guardian.ask(Message(Kind.PULSE, LED, a=as_ns(0.5)))
    guardian.ask(Message(Kind.SET, LED, True))
    guardian.ask(Message(Kind.SET, LED, False))
    guardian.run_out()
    assert guardian.pulses(LED) == [(0, as_ns(0.5))]


class Writes(MemoryBoard):
    """A board that remembers every write, also those that are no edge."""

    def __init__(self, pins, now_ns):
        super().__init__(pins, now_ns=now_ns)
        self.writes = []

    def write(self, line, high, at_most_ns=0):
        self.writes.append((self._now_ns(), line, high, at_most_ns))
        super().write(line, high, at_most_ns)


def dropped_by_itself(writes, line):
    """Return when a board with a clock of its own would have dropped a line before it was told to, ns."""
    early, bound_ns = [], None
    for time_ns, its, high, at_most_ns in writes:
        if its is line:
            if bound_ns is not None and bound_ns < time_ns:
                early.append(bound_ns)
            bound_ns = time_ns + at_most_ns if high and at_most_ns else None
    return early


LINE_COMMANDS = st.one_of(
    st.builds(lambda length: Message(Kind.PULSE, LED, a=as_ns(length)), st.sampled_from([0.1, 0.3, 0.5])),
    st.builds(lambda high: Message(Kind.SET, LED, high), st.booleans()),
)


@given(asked=st.lists(st.tuples(st.sampled_from([0.0, 0.05, 0.25]), LINE_COMMANDS), max_size=12))
def test_a_board_with_a_clock_of_its_own_drops_no_line_early_whatever_is_asked_of_it(asked):
    """A pulse over a pulse, a level set or taken back within one: the board is told the new bound."""
    guardian = NearGuardian(board=(board := Writes(ALL_PINS, lambda: guardian.clock.now_ns())))
    now = 0.0
    for since, message in asked:
        now += since
        ask_at(guardian, now, message)
    guardian.run_out()
    assert dropped_by_itself(board.writes, LED) == []


def test_what_waits_is_dropped_and_told_and_counts_no_more_while_the_drop_that_runs_ends_by_itself():
    guardian = NearGuardian(OutputSettings(max_session_water_s=1.5))
    for number in (1, 2, 3):
        guardian.ask(drop(0.5, number))
    ask_at(guardian, 0.2, Message(Kind.DROP))
    guardian.run_out()
    assert guardian.pulses() == [(0, as_ns(0.5))]
    assert [message.number for message in guardian.kinds(Kind.DROPPED)] == [2, 3]
    assert guardian.rows == [(1, as_ns(0.5))]
    ask_at(guardian, 1, drop(0.5, 4))
    ask_at(guardian, 2, drop(0.5, 5))
    guardian.run_out()
    assert len(guardian.pulses()) == 3, "what was dropped is not of the session's water"


def test_a_drop_that_waits_for_the_duty_can_be_dropped():
    guardian = NearGuardian(OutputSettings(max_duty=0.1))
    for number in range(3):
        guardian.ask(drop(0.5, number))
    ask_at(guardian, 2, Message(Kind.DROP))
    guardian.run_out()
    assert len(guardian.pulses()) == 2


@pytest.mark.parametrize(
    "message",
    [
        drop(0), drop(-1), drop(1.5), Message(Kind.SET, VALVE, True), Message(Kind.PULSE, VALVE, a=as_ns(0.1)),
        Message(Kind.SET, OutputLine.SYNC, True), Message(Kind.PULSE, LED, a=0), Message(Kind.PULSE, LED, a=-5),
        Message(Kind.PULSE, LED, a=as_ns(3601)), Message(Kind.READY),
    ],
)  # fmt: skip
def test_what_no_client_may_ask_is_refused(message):
    guardian = NearGuardian(pins=PinSettings(output_board=BoardKind.memory, pin_valve=1, pin_success_led=2, pin_sync=3))
    guardian.ask(message)
    assert len(guardian.kinds(Kind.REFUSED)) == 1
    assert guardian.board.edges() == []


def test_after_shut_no_water_and_after_low_no_line():
    guardian = NearGuardian()
    guardian.ask(drop(0.5))
    guardian.ask(Message(Kind.SET, LIGHT, True))
    guardian.ask(Message(Kind.SHUT))
    assert not guardian.board.is_high(VALVE)
    assert guardian.board.is_high(LIGHT)
    guardian.ask(drop(0.1))
    guardian.ask(Message(Kind.LOW))
    guardian.ask(Message(Kind.SET, LIGHT, True))
    assert not any(guardian.board.is_high(line) for line in OutputLine)
    assert [m.number for m in guardian.kinds(Kind.DONE)] == [Kind.SHUT, Kind.LOW]
    assert len(guardian.kinds(Kind.REFUSED)) == 2


SYNC_PINS = PinSettings(output_board=BoardKind.memory, pin_sync=9, sync_interval_s=(0.05, 0.2))


@given(st.integers(0, 2**32 - 1))
def test_sync_pulses_have_their_width_and_their_intervals(seed):
    guardian = NearGuardian(pins=SYNC_PINS, seed=seed)
    guardian.run_to(as_ns(5))
    guardian.outputs.stop("end")
    pulses = guardian.pulses(OutputLine.SYNC)
    assert all(end - start == SYNC_WIDTH_NS for start, end in pulses[:-1])
    assert all(as_ns(0.05) <= b - a <= as_ns(0.2) for (a, _), (b, _) in pairwise(pulses))
    assert [(m.a, m.high) for m in guardian.kinds(Kind.EDGE)] == [
        edge for start, end in pulses for edge in ((start, True), (end, False))
    ]


def test_a_seed_makes_the_same_sync_pulses():
    def pulses(seed):
        guardian = NearGuardian(pins=SYNC_PINS, seed=seed)
        guardian.run_to(as_ns(2.01))
        guardian.outputs.stop("end")
        return guardian.pulses(OutputLine.SYNC)

    assert pulses(3) == pulses(3) != pulses(4)


def test_a_line_without_a_pin_is_driven_and_told_by_nobody():
    guardian = NearGuardian(pins=PinSettings(output_board=BoardKind.memory, pin_valve=0, pin_fail_led=0))
    guardian.ask(drop(0.3))
    guardian.ask(Message(Kind.PULSE, OutputLine.FAIL_LED, a=5))
    guardian.run_out()
    assert guardian.said == []
    assert guardian.board.edges() == []


@pytest.mark.parametrize("fail_on", [1, 2, 3])
def test_a_board_that_fails_is_no_refusal_and_the_other_lines_fall_all_the_same(tmp_path, fail_on):
    trace = MemoryTrace.create(tmp_path / "lines", fail_on=fail_on)
    guardian = NearGuardian(board=MemoryBoard(ALL_PINS, tmp_path / "lines"))
    asked = [drop(0.3), Message(Kind.SET, LIGHT, True), Message(Kind.SET, LED, True)]
    for message in asked[: fail_on - 1]:
        guardian.ask(message)
    with pytest.raises(BoardFailed, match="as this board was told to"):
        guardian.ask(asked[fail_on - 1])
    guardian.outputs.stop("the board failed")
    assert not any(trace.is_high(line) for line in OutputLine)
    trace.close()


def test_a_valve_that_cannot_be_closed_does_not_keep_the_lines_high(tmp_path):
    trace = MemoryTrace.create(tmp_path / "lines", fail_on=3)
    board = MemoryBoard(ALL_PINS, tmp_path / "lines")
    guardian = NearGuardian(board=board)
    guardian.ask(drop(0.3))
    guardian.ask(Message(Kind.SET, LIGHT, True))
    with pytest.raises(OutputError, match="write 3 \\(valve\\) failed"):
        guardian.outputs.stop("end")
    assert [line for line in OutputLine if trace.is_high(line)] == [VALVE]
    board.close()
    assert not trace.is_high(VALVE)
    trace.close()
