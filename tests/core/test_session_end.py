"""The end of a session with two cameras: the brain camera's line goes low, high, low; drops of habituation."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.schedule import ScheduleSettings
from core.session_end import END_PULSE_S
from core.trial import Phase
from core.values import Level, Line, Operator, OperatorKind, Pulse, Water
from helper import SessionType
from tests.support.trials import QUICK, make_plan, play

ONE = ScheduleSettings(total_trials=1)
RESTING = ScheduleSettings(total_trials=1, session_type=SessionType.behavior_recording)


def line_of(story):
    """Return the frames at which the brain camera's line falls for good, and at which it is pulsed."""
    low = [k for k, c in story.commands if c == Level(Line.BRAIN_TTL, False)]
    pulses = [k for k, c in story.commands if c == Pulse(Line.BRAIN_TTL, END_PULSE_S)]
    return low, pulses


@pytest.mark.parametrize(("final", "end"), [(2.0, 60), (0.2, 42), (0.0, 42)])
def test_low_high_low_in_the_last_rest_and_the_session_ends_after_it(final, end):
    # The one trial begins at frame 10 and times out at frame 40; the rest is judged from frame 41 on.
    story = play(make_plan(replace(QUICK, final_rest_dur=final), schedule=ONE, end_pulse=True), lambda k: 0.0)
    assert line_of(story) == ([41], [42])
    assert story.state.phase is Phase.DONE
    assert len(story.verdicts) - 1 == max(end, 43)


def test_neurofeedback_sessions_do_not_tell():
    story = play(make_plan(schedule=ONE), lambda k: 0.0)
    assert line_of(story) == ([], [])


def test_a_resting_session_goes_on_for_a_last_rest():
    trial = replace(QUICK, spont_sess_duration=0.1, final_rest_dur=2.0)  # 6 s
    story = play(make_plan(trial, schedule=RESTING, end_pulse=True), lambda k: 0.0)
    assert line_of(story) == ([60], [61])
    assert len(story.verdicts) - 1 == 80


def test_a_session_that_is_stopped_tells_as_well():
    wishes = {30: (Operator(OperatorKind.STOP_AFTER_TRIAL),)}
    trial = replace(QUICK, spont_sess_duration=0.1, final_rest_dur=2.0)
    story = play(make_plan(trial, schedule=RESTING, end_pulse=True), lambda k: 0.0, wishes=wishes)
    assert line_of(story) == ([30], [31])
    assert story.state.outcome == "stopped"
    assert len(story.verdicts) - 1 == 50


@given(interval=st.integers(2, 40), fps=st.sampled_from([5.0, 10.0, 30.0]))
def test_a_drop_every_interval_as_long_as_the_rest_lasts(interval, fps):
    trial = replace(QUICK, spont_sess_duration=0.2, free_reward_interval_s=float(interval))  # 12 s
    story = play(make_plan(trial, schedule=RESTING), lambda k: 0.0, fps=fps)
    seconds = [story.times[k] / 1e9 for k in story.water]
    wanted = [n * interval for n in range(1, 100) if n * interval < 12]
    assert seconds == pytest.approx(wanted, abs=1 / fps)
    assert [c.duration_s for _, c in story.commands if isinstance(c, Water)] == [QUICK.reward_dur] * len(wanted)
    assert len(story.marks("free_water")) == len(wanted)


def test_only_resting_sessions_give_drops_by_themselves():
    story = play(make_plan(replace(QUICK, free_reward_interval_s=1.0), schedule=ONE), lambda k: 0.0)
    assert story.water == []
