"""Counts by cause: what went in comes out, and no tally changes once another thread may have it."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from core.losses import losses_of
from session.frame_tally import FrameTally, as_text

runs = st.lists(st.tuples(st.sampled_from(("transport", "late")), st.integers(1, 5)), max_size=4).map(tuple)


@given(st.lists(runs, max_size=10), st.lists(st.tuples(st.sampled_from(("inference", "late")), st.integers(0, 9))))
def test_the_causes_add_up(losses, skips):
    tally = FrameTally()
    for lost in losses:
        tally = tally.lose(lost)
    for cause, frames in skips:
        tally = tally.skip(frames, cause)
    assert sum(tally.dropped.values()) == sum(n for lost in losses for _, n in lost)
    assert sum(tally.skipped.values()) == sum(n for _, n in skips)
    assert all(n > 0 for counts in dataclasses.astuple(tally) for n in counts.values()), "a cause is one that was"


def test_a_tally_stays_as_it_was():
    before = FrameTally({"late": 1}, repeated={"time": 1})
    later = before.lose(losses_of(2, ())).repeat("time").repeat("number")
    later = later.with_images({"recorder_late": 2, "disk_full": 0})
    assert before == FrameTally({"late": 1}, repeated={"time": 1})
    assert later.json() == {
        "dropped": {"late": 1, "unknown": 2}, "skipped": {}, "repeated": {"time": 2, "number": 1},
        "images_dropped": {"recorder_late": 2},
    }  # fmt: skip


def test_the_most_frequent_cause_comes_first():
    assert as_text({"late": 1, "transport": 2}) == " (2 transport, 1 late)"
    assert as_text({}) == ""
