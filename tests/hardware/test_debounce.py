"""Which touches are licks: cases, and the laws that hold for any touches."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.debounce import Contact, Touch, step

MS = 1_000_000
BOUNCE = 20 * MS


def onsets(touches, debounce_ns=BOUNCE):
    contact, found = Contact(), []
    for time_ns, touching in touches:
        contact, begins = step(contact, Touch(time_ns, touching), debounce_ns)
        if begins:
            found.append(time_ns)
    return found


def spans(*pairs):
    return [touch for begin, end in pairs for touch in ((begin * MS, True), (end * MS, False))]


@pytest.mark.parametrize(
    ("touches", "expected"),
    [
        ([], []),
        (spans((5, 35)), [5]),
        (spans((5, 35), (135, 165)), [5, 135]),
        (spans((5, 35), (54, 60)), [5]),
        (spans((5, 35), (55, 60)), [5, 55]),
        (spans((0, 10), (25, 30), (45, 50), (65, 70)), [0]),
        (spans((0, 10), (25, 30), (50, 60)), [0, 50]),
        ([(1 * MS, True), (2 * MS, True), (3 * MS, False)], [1]),
        ([(1 * MS, False), (2 * MS, True)], [2]),
        (spans((7, 7)), [7]),
    ],
)
def test_cases(touches, expected):
    assert onsets(touches) == [each * MS for each in expected]


def test_without_debounce_each_touch_is_a_lick():
    assert onsets(spans((0, 1), (1, 2), (2, 3)), 0) == [0, 1 * MS, 2 * MS]


edges = st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), max_size=60).map(lambda edges: sorted(edges))
debounces = st.integers(0, 10**8)


@given(edges=edges, debounce=debounces)
def test_two_onsets_are_never_closer_than_the_debounce(edges, debounce):
    found = onsets(edges, debounce)
    assert all(after - before >= debounce for before, after in itertools.pairwise(found))


@given(edges=edges, debounce=debounces)
def test_an_onset_is_the_time_of_a_touch_and_they_are_in_order(edges, debounce):
    found = onsets(edges, debounce)
    assert set(found) <= {time_ns for time_ns, touching in edges if touching}
    assert found == sorted(found)


@given(edges=edges, debounce=debounces)
def test_what_says_nothing_new_changes_nothing(edges, debounce):
    twice = [edge for edge in edges for _ in range(2)]
    assert onsets(twice, debounce) == onsets(edges, debounce)


@given(edges=edges, debounce=debounces)
def test_the_first_touch_is_a_lick(edges, debounce):
    touched = [time_ns for time_ns, touching in edges if touching]
    assert onsets(edges, debounce)[:1] == touched[:1]


@given(
    gaps=st.lists(st.integers(1, 10**8), min_size=1, max_size=20),
    length=st.integers(1, 10**7),
    debounce=debounces,
)
def test_the_number_of_licks_is_one_and_the_gaps_that_are_long_enough(gaps, length, debounce):
    begin, touches = 0, []
    for gap in (0, *gaps):
        begin += gap
        touches += [(begin, True), (begin + length, False)]
        begin += length
    assert len(onsets(touches, debounce)) == 1 + sum(gap >= debounce for gap in gaps)
