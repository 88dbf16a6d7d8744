"""Laws of losses: joined they are what they were one by one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.losses import joined, losses_of, total

losses = st.lists(st.tuples(st.sampled_from(("transport", "late")), st.integers(0, 4)), max_size=8)


@given(st.lists(losses, max_size=5))
def test_joined_is_one_after_the_other_in_as_few_runs_as_there_can_be(parts: list[list[tuple[str, int]]]) -> None:
    whole = joined(*parts)
    one_by_one = [cause for part in parts for cause, count in part for _ in range(count)]
    assert [cause for cause, count in whole for _ in range(count)] == one_by_one
    assert total(whole) == len(one_by_one)
    assert all(count > 0 for _, count in whole)
    assert all(one[0] != other[0] for one, other in pairwise(whole))


def test_what_has_no_cause_is_unknown() -> None:
    assert losses_of(0, ()) == ()
    assert losses_of(3, ()) == (("unknown", 3),)
    assert losses_of(3, (("late", 3),)) == (("late", 3),)
