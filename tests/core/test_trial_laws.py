"""Laws that hold for any signal, any settings and any session type."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.schedule import ScheduleSettings
from core.threshold import ThresholdSettings
from core.trial import TrialSettings
from core.values import WARM_UP, Signal, Water
from helper import SessionType
from tests.support.trials import QUICK, make_plan, play, pulses_at

signals = st.lists(
    st.one_of(
        st.floats(-0.2, 0.3),
        st.just(Signal(float("nan"), False, "dark ROI")),
        st.just(Signal(0.9, False, WARM_UP)),
    ),
    min_size=1,
    max_size=400,
)
durations = st.sampled_from([0.0, 0.1, 0.3, 1.0, 2.5])


@settings(max_examples=300)
@given(
    values=signals, rest=durations, fail=durations, delay=durations, longest=st.sampled_from([0.1, 1.0, 3.0]),
    kind=st.sampled_from(SessionType), audio_delay=durations, adaptive=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_laws_of_any_session(values, rest, fail, delay, longest, kind, audio_delay, adaptive, seed):
    """One crossing pays once; water, tone and trials are where they may be; counts are what was produced."""
    trial = TrialSettings(rest, longest, rest, fail, 0.3, audio_delay, delay)
    threshold = ThresholdSettings(0.1, adaptive, 0.002, 1.0, 0.01, 0.2)
    plan = make_plan(trial, threshold, ScheduleSettings(4, kind, 0.5, 1.0), seed=seed)
    story = play(plan, values)
    assert len(story.water) <= len(story.marks("crossing")) + len(story.marks("chance"))
    assert len(story.water) == len(story.marks("reward")) == story.state.rewards
    assert len(story.marks("trial_start")) <= 4
    assert story.outcomes.count(1) == story.state.successes
    for k, _ in story.marks("crossing"):
        value = values[k].value if isinstance(values[k], Signal) else values[k]
        assert value >= story.verdicts[k].threshold
        earlier = [v for v in values[:k] if not isinstance(v, Signal)]
        assert earlier, "a crossing needs a valid signal before it"
        assert earlier[-1] < max(v.threshold for v in story.verdicts[: k + 1])
    for k, verdict in enumerate(story.verdicts):
        assert verdict.trial > 0 or k not in story.water
        assert verdict.trial > 0 or story.freqs[k] == 0
        assert verdict.audio or story.freqs[k] == 0


@given(extra=st.integers(0, 30))
def test_decisions_depend_on_time_not_on_the_frame_rate(extra):
    slow = play(make_plan(), lambda k: 0.2 if 20 <= k < 22 else 0.0, fps=10)
    fps = 10 * (extra + 1)
    fast = play(make_plan(), lambda k: 0.2 if 2.0 <= k / fps < 2.2 else 0.0, fps=fps)
    seconds = [slow.times[k] for k, _ in slow.marks("trial_start")]
    assert [fast.times[k] for k, _ in fast.marks("trial_start")] == seconds
    assert [fast.times[k] for k in fast.water] == [slow.times[k] for k in slow.water]


def test_water_is_the_length_that_config_says():
    story = play(make_plan(replace(QUICK, reward_dur=0.123)), pulses_at(20))
    assert [c.duration_s for _, c in story.commands if isinstance(c, Water)] == [0.123]
