"""What chance draws ahead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.schedule import RANDOM, SILENT, ScheduleSettings, draw_schedule
from helper import SessionType

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, n=st.integers(1, 200), audio=st.floats(0, 1), kind=st.sampled_from(SessionType))
def test_same_seed_same_schedule_and_as_many_trials_as_declared(seed, n, audio, kind):
    settings = ScheduleSettings(total_trials=n, session_type=kind, audio=audio)
    first, second = (draw_schedule(settings, np.random.default_rng(seed)) for _ in range(2))
    assert first == second
    assert len(first) == n


@given(seed=seeds, kind=st.sampled_from(SessionType))
def test_silent_types_never_sound_and_only_random_types_draw_water(seed, kind):
    plans = draw_schedule(ScheduleSettings(20, kind, audio=1.0), np.random.default_rng(seed))
    assert all(plan.audio != (kind in SILENT) for plan in plans)
    assert all((plan.water_after_s is not None) == (kind in RANDOM) for plan in plans)


@pytest.mark.parametrize("audio", [0.0, 1 / 3, 0.37, 0.5, 1.0])
def test_clopy_fault_06_each_trial_draws_its_own_sound_at_any_probability(audio):
    plans = draw_schedule(ScheduleSettings(total_trials=997, audio=audio), np.random.default_rng(3))
    share = sum(plan.audio for plan in plans) / len(plans)
    assert share == pytest.approx(audio, abs=4 * (audio * (1 - audio) / 997) ** 0.5)


def test_random_water_comes_at_its_rate():
    kind = SessionType.no_audio_random_reward
    plans = draw_schedule(ScheduleSettings(10_000, kind, random_reward_rate=0.03), np.random.default_rng(1))
    assert np.mean([plan.water_after_s for plan in plans]) == pytest.approx(1 / 0.03, rel=0.04)


def test_a_rate_of_zero_never_pays():
    kind = SessionType.no_audio_random_reward
    plans = draw_schedule(ScheduleSettings(5, kind, random_reward_rate=0.0), np.random.default_rng(1))
    assert all(plan.water_after_s == float("inf") for plan in plans)
