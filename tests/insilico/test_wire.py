"""The connection between a session and its mouse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insilico.spec import Failure, Go, Ready, Shot, Stage
from insilico.wire import MAX_DETAILS, MAX_TEXT, Gone, Wire, make_wires

NS = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture
def wires():
    ours, theirs = make_wires()
    other = Wire(theirs)
    yield ours, other
    ours.close()
    other.close()


@given(
    said=st.one_of(
        st.none(),
        st.builds(Go, st.none() | st.floats(0, 96_000), st.lists(st.tuples(NS, NS), max_size=20).map(tuple)),
        st.builds(Shot, NS, st.lists(NS, max_size=200).map(tuple)),
        st.builds(Stage, st.text(max_size=100)),
        st.builds(Failure, st.text(max_size=100), st.text(max_size=100)),
        st.builds(Ready, st.dictionaries(st.text(max_size=9), st.integers() | st.booleans(), max_size=9)),
    )
)
def test_what_is_said_is_heard(said):
    ours, theirs = make_wires()
    other = Wire(theirs)
    try:
        ours.send(said)
        assert other.poll(0)
        heard = other.recv()
        assert heard == said
        assert type(heard) is type(said)
        assert not other.poll(0)
    finally:
        ours.close()
        other.close()


def test_messages_stay_apart_and_in_order(wires):
    ours, other = wires
    said = [Shot(k, (k, k + 1)) for k in range(50)]
    for each in said:
        ours.send(each)
    assert [other.recv() for _ in said] == said


def test_an_endless_traceback_is_cut_at_its_beginning(wires):
    ours, other = wires
    ours.send(Failure("x" * 10**6, "begin" + "é" * 10**6 + "the last line"))
    heard = other.recv()
    assert heard.details.endswith("the last line")
    assert len(heard.details) <= MAX_DETAILS + 3
    assert len(heard.text) == MAX_TEXT


def test_the_end_of_the_other_side_is_heard_behind_its_last_words(wires):
    ours, other = wires
    other.send(Stage("last words"))
    ours.send(Go(None, ()))  # never read
    other.close()
    assert ours.recv() == Stage("last words")
    for act in (ours.recv, lambda: ours.send(None)):
        with pytest.raises(Gone):
            act()
