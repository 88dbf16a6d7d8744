"""The connection between a pose estimator and its process."""

import socket

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from behavior.pose_wire import MAX_DETAILS, MAX_TEXT, Answer, Failure, Gone, Ready, Stage, Wire

NS = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=100)


@pytest.fixture
def wires():
    made = [Wire(end) for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]
    yield made
    for wire in made:
        wire.close()


def round_trip(said):
    ours, theirs = [Wire(end) for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]
    theirs.say(said)
    back = ours.hear()
    ours.close()
    theirs.close()
    return back


@given(
    st.one_of(
        st.builds(Stage, TEXT),
        st.builds(Ready, st.lists(TEXT, max_size=30).map(tuple), st.dictionaries(TEXT, st.integers() | TEXT)),
        st.builds(Failure, st.sampled_from(["input", "missing", "raised"]), TEXT, TEXT),
    )
)
def test_what_is_said_is_heard(said):
    assert round_trip(said) == said


@given(rows=st.lists(st.tuples(*[st.floats()] * 3), max_size=200), start=NS, end=NS)
def test_points_come_bit_for_bit_and_can_be_written_to(rows, start, end):
    points = np.array(rows, np.float64).reshape(-1, 3)
    back = round_trip(Answer(points, start, end))
    assert (back.start_ns, back.end_ns) == (start, end)
    assert back.points.tobytes() == points.tobytes()
    assert back.points.shape == points.shape
    back.points[...] = 0


@pytest.mark.parametrize("character", ["x", "\n", "\x00", "\U0001f401", "\ud800"])
def test_a_failure_of_any_length_fits(character):
    back = round_trip(Failure("raised", character * 99_999, character * 99_999))
    assert len(back.text) <= MAX_TEXT
    assert len(back.details) <= MAX_DETAILS + 3


@given(NS)
def test_frames_are_asked_for_by_number(number):
    ours, theirs = [Wire(end) for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]
    ours.ask(number)
    assert theirs.asked() == number
    ours.close()
    theirs.close()


def test_the_other_end_has_gone(wires):
    ours, theirs = wires
    theirs.say(Stage("last words"))
    ours.ask(1)
    theirs.close()
    assert ours.hear() == Stage("last words")
    with pytest.raises(Gone):
        ours.hear()
    with pytest.raises(Gone):
        ours.ask(2)
