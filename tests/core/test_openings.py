"""Bounds of the water: duty over any 10 s, water of the session and of the day, what is given back."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutputError
from core.outputs import DUTY_WINDOW_NS, Openings
from core.values import as_ns

GAPS = st.sampled_from([0.0, 0.1])
ASKED = st.lists(st.tuples(st.floats(0, 6), st.floats(0.001, 1.0)), max_size=30)


def most_in_window(pulses):
    """The most ns open in any 10 s, by trying every window that begins with an opening or ends with one."""
    ends = [start + DUTY_WINDOW_NS for start, _ in pulses] + [end for _, end in pulses]
    return max((sum(max(0, min(b, end) - max(a, end - DUTY_WINDOW_NS)) for a, b in pulses) for end in ends), default=0)


@given(asked=ASKED, duty=st.floats(0.1, 1.0), gap=GAPS)
def test_no_10_s_have_more_than_their_duty_and_no_drop_is_lost(asked, duty, gap):
    openings = Openings(1.0, gap, 3600.0, max_duty=duty)
    now = 0.0
    for since, duration in asked:
        now += since
        start, end = openings.add(duration, as_ns(now))
        assert start >= as_ns(now)
        assert end - start == as_ns(duration)
    assert most_in_window(openings.pulses) <= duty * DUTY_WINDOW_NS


@given(asked=ASKED, duty=st.floats(0.1, 1.0))
def test_a_drop_waits_no_longer_than_it_must(asked, duty):
    """A ns earlier it would overlap the one before, or be too much."""
    openings = Openings(1.0, 0.0, 3600.0, max_duty=duty)
    now = 0.0
    for since, duration in asked:
        now += since
        start, end = openings.add(duration, as_ns(now))
        if start > as_ns(now):
            before = openings.pulses[:-1]
            early = (start - 1, end - 1)
            assert early[0] < before[-1][1] or most_in_window([*before, early]) > int(duty * DUTY_WINDOW_NS)


def test_a_drop_waits_for_its_share_of_10_s():
    openings = Openings(1.0, 0.0, 60.0, max_duty=0.2)
    assert [openings.add(1.0, as_ns(k)) for k in (0, 3, 5)] == [
        (0, as_ns(1)),
        (as_ns(3), as_ns(4)),
        (as_ns(10), as_ns(11)),
    ]


def test_a_pulse_that_no_duty_allows_is_refused():
    with pytest.raises(OutputError, match="max_duty"):
        Openings(1.0, 0.0, 60.0, max_duty=0.05).add(0.6, 0)


def test_water_of_the_session_and_of_the_day_before_this_process_counts():
    with pytest.raises(OutputError, match="max_session_water_s"):
        Openings(1.0, 0.0, 3.0, session_s=2.5).add(0.6, 0)
    openings = Openings(1.0, 0.0, 3.0, max_day_water_s=10.0, day_s=9.5)
    openings.add(0.5, 0)
    with pytest.raises(OutputError, match=r"the day.s water is used up: 10 s so far, and max_day_water_s is 10"):
        openings.add(0.001, as_ns(1))


@given(asked=ASKED, limit=st.floats(0.5, 10), before=st.floats(0, 10))
def test_the_day_is_never_exceeded(asked, limit, before):
    openings = Openings(1.0, 0.0, 3600.0, max_day_water_s=limit, day_s=before)
    for k, (_, duration) in enumerate(asked):
        with suppress(OutputError):
            openings.add(duration, as_ns(k * 10))
    given_ns = sum(end - start for start, end in openings.pulses)
    assert given_ns == 0 or as_ns(before) + given_ns <= limit * 1e9


def test_what_is_given_back_may_be_taken_again():
    openings = Openings(1.0, 0.0, 1.0)
    length = openings.take(1.0)
    with pytest.raises(OutputError):
        openings.take(0.1)
    openings.note(0, length)
    openings.ended(as_ns(0.4))
    openings.give_back(length - as_ns(0.4))
    assert openings.pulses == [(0, as_ns(0.4))]
    assert openings.session_s == 0.4
    assert openings.take(0.6) == as_ns(0.6)


def test_what_would_be_refused_is_told_beforehand_and_counts_nothing():
    valve = Openings(1.0, 0.0, 1.0, max_day_water_s=10.0)
    assert [bool(valve.refusal(0.3, drops)) for drops in (1, 3, 4)] == [False, False, True]
    assert "max_pulse_s" in valve.refusal(2.0)
    assert valve.session_s == 0
    for _ in range(3):
        valve.take(0.3)
    with pytest.raises(OutputError) as refused:
        valve.take(0.3)
    assert valve.refusal(0.3) == str(refused.value)
