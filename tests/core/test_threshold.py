"""The adaptive threshold, decision 5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.threshold import ThresholdSettings, adapt, first_threshold
from core.values import as_ns

SETTINGS = ThresholdSettings(
    reward_threshold=0.05, adaptive_threshold=True, adaptive_step=0.002, adaptive_epoch_s=30.0,
    threshold_min=0.045, threshold_max=0.055,
)  # fmt: skip
EPOCH = as_ns(30.0)


@pytest.mark.parametrize(("rewards", "expected"), [(0, 0.048), (1, 0.05), (2, 0.052), (9, 0.052)])
def test_one_step_by_rewards_of_the_epoch(rewards, expected):
    state = adapt(SETTINGS, first_threshold(SETTINGS), EPOCH, rewards)
    assert state.value == pytest.approx(expected)
    assert (state.epoch_ns, state.rewards) == (0, 0)


def test_a_gap_in_the_frames_moves_the_threshold_once():
    """Ten epochs in which no frame came: the mouse could not act in them."""
    state = adapt(SETTINGS, first_threshold(SETTINGS), 10 * EPOCH + 5, 0)
    assert (state.value, state.epoch_ns) == (pytest.approx(0.048), 5)
    assert adapt(SETTINGS, state, as_ns(0.1), 0).value == state.value


def test_fixed_threshold_never_moves():
    fixed = ThresholdSettings(adaptive_threshold=False)
    state = first_threshold(fixed)
    assert adapt(fixed, state, 100 * EPOCH, 0) is state


@given(st.lists(st.tuples(st.integers(0, EPOCH), st.integers(0, 5)), max_size=200))
def test_clopy_fault_02_the_threshold_stays_within_its_bounds(history):
    state = first_threshold(SETTINGS)
    for trial_ns, rewards in history:
        state = adapt(SETTINGS, state, trial_ns, rewards)
        assert SETTINGS.threshold_min <= state.value <= SETTINGS.threshold_max


@given(parts=st.lists(st.integers(1, EPOCH // 10), min_size=1, max_size=100))
def test_only_the_sum_of_trial_time_counts(parts):
    state = first_threshold(SETTINGS)
    for part in parts:
        state = adapt(SETTINGS, state, part, 1)
    steps = sum(parts) // EPOCH
    assert state.epoch_ns == sum(parts) - steps * EPOCH


def test_time_beyond_an_epoch_counts_for_the_next():
    state = adapt(SETTINGS, first_threshold(SETTINGS), EPOCH + EPOCH // 2, 0)
    assert state.value == pytest.approx(0.048)
    assert adapt(SETTINGS, state, EPOCH // 2, 0).value == pytest.approx(0.046)


def test_a_start_outside_the_bounds_is_not_pulled_across_them():
    settings = ThresholdSettings(0.2, True, 0.002, 30.0, 0.01, 0.1)
    assert adapt(settings, first_threshold(settings), EPOCH, 2).value == 0.2
    assert adapt(settings, first_threshold(settings), EPOCH, 0).value == pytest.approx(0.198)
