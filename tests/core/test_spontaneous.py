"""Threshold from a resting session: agrees with the trial logic that will use it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.schedule import ScheduleSettings
from core.spontaneous import Resting
from core.threshold import ThresholdSettings
from core.trial import TrialSettings
from helper import SessionType
from tests.support.trials import make_plan, play


def resting(values, fps=10.0):
    values = np.asarray(values, float)
    return Resting((np.arange(len(values)) * 1e9 / fps).astype(np.int64), values, np.isfinite(values))


signals = st.lists(st.sampled_from([0.0, 0.01, 0.02, 0.03, 0.05, 0.08]), min_size=20, max_size=300).filter(
    lambda values: max(values) > values[0]
)


@given(values=signals, threshold=st.sampled_from([0.005, 0.02, 0.025, 0.05, 0.08, 0.09]))
def test_counts_are_those_of_the_trial_logic(values, threshold):
    """One endless trial of continuous rewards without delay pays exactly the crossings that were counted."""
    trial = TrialSettings(initial_rest_dur=0, max_trial_dur=3600, reward_delay=0, reward_dur=0.01)
    schedule = ScheduleSettings(1, SessionType.continuous_rewards)
    story = play(make_plan(trial, ThresholdSettings(reward_threshold=threshold), schedule), values)
    assert len(story.water) == resting(values).crossings(np.array([threshold]))[0]


@given(values=signals, rate=st.floats(0.1, 200))
def test_the_rate_is_reached_and_no_higher_threshold_reaches_it(values, rate):
    rest = resting(values)
    try:
        found = rest.threshold_for_rate(rate)
    except InputError:
        counts = rest.crossings(np.unique(values))
        assert counts.max() * 60 / rest.duration_s < rate
        return
    higher = np.array([v + 1e-9 for v in np.unique(values) if v >= found])
    assert rest.crossings(np.array([found]))[0] * 60 / rest.duration_s >= rate
    assert (rest.crossings(higher) * 60 / rest.duration_s < rate).all()


@given(values=signals, share=st.floats(0.01, 1))
def test_the_success_is_reached(values, share):
    rest = resting(values)
    try:
        found = rest.threshold_for_success(share, trial_s=1.0)
    except InputError:
        return
    assert rest.success(np.array([found]), 1.0)[0] >= share
    assert (rest.success(np.array([v + 1e-9 for v in np.unique(values) if v >= found]), 1.0) < share).all()


def test_a_quarter_of_trials():
    values = np.zeros(400)
    values[[55, 155, 255, 355]] = [0.02, 0.08, 0.04, 0.06]
    assert resting(values).threshold_for_success(0.25, trial_s=9.9) == 0.08
    assert resting(values).threshold_for_success(0.5, trial_s=9.9) == 0.06


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda rest: rest.threshold_for_rate(0), "above 0"),
        (lambda rest: rest.threshold_for_rate(1e6), "no threshold"),
        (lambda rest: rest.threshold_for_success(1.5, 1), "share"),
        (lambda rest: rest.threshold_for_success(0.5, 1e6), "longer"),
    ],
)
def test_what_cannot_be_found_says_why(call, words):
    with pytest.raises(InputError, match=words):
        call(resting([0, 0.1, 0, 0.2, 0, 0.1]))


def test_no_valid_signal():
    with pytest.raises(InputError, match="no valid signal"):
        resting([np.nan, np.nan, 1.0])
