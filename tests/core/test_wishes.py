"""What a person may ask of a running session, and what it does to trials."""

from dataclasses import replace

import pytest

from core.threshold import ThresholdSettings
from core.trial import Phase
from core.values import Operator, OperatorKind, Signal
from tests.support.trials import QUICK, make_plan, play, pulses_at

OP = OperatorKind


def test_pause_stops_time_and_sound_and_loses_nothing():
    wishes = {15: (Operator(OP.PAUSE),), 115: (Operator(OP.RESUME),)}
    plain = play(make_plan(), pulses_at(30))
    paused = play(make_plan(), pulses_at(130), wishes=wishes)
    assert paused.water == [k + 100 for k in plain.water]
    assert all(freq == 0 for freq in paused.freqs[15:115])
    assert {v.phase for v in paused.verdicts[15:115]} == {Phase.PAUSED}


def test_pause_between_crossing_and_water_pays_after_the_pause():
    wishes = {22: (Operator(OP.PAUSE),), 52: (Operator(OP.RESUME),)}
    assert play(make_plan(), pulses_at(20), wishes=wishes).water == [55]


def test_free_water_is_given_in_any_phase_and_is_not_a_reward():
    wishes = {k: (Operator(OP.FREE_WATER),) for k in (3, 20)}
    story = play(make_plan(), lambda k: 0.0, wishes=wishes)
    assert story.water == [3, 20]
    assert story.state.rewards == 0


def test_the_threshold_can_be_set_live_and_nonsense_is_refused():
    wishes = {5: (Operator(OP.SET_THRESHOLD, 0.3),), 6: (Operator(OP.SET_THRESHOLD, float("nan")),)}
    story = play(make_plan(), pulses_at(20), wishes=wishes)
    assert story.water == []
    assert story.verdicts[20].threshold == 0.3
    assert len(story.marks("refused")) == 1


def test_stop_after_trial_finishes_the_running_one():
    story = play(make_plan(), pulses_at(30), wishes={20: (Operator(OP.STOP_AFTER_TRIAL),)})
    assert story.outcomes == [1]
    assert story.state.phase is Phase.DONE


def test_stop_now_cuts_the_trial_short_and_silences():
    story = play(make_plan(), lambda k: 0.05, wishes={20: (Operator(OP.STOP_NOW, who="SIGINT"),)})
    assert story.outcomes == []
    assert story.state.phase is Phase.DONE
    assert [m.kind for _, m in story.commands if not hasattr(m, "freq_hz")][-2:] == ["cut_short", "session_end"]
    assert story.tones[-1] == (20, 0.0)


def test_nothing_happens_after_the_end():
    plan = make_plan()
    done = play(plan, lambda k: 0.0, wishes={20: (Operator(OP.STOP_NOW),)}).state
    from core.trial import step
    from core.values import TrialInput

    state, commands = step(plan, done, TrialInput(10**12, Signal(0.5, True), (), (Operator(OP.FREE_WATER),)))
    assert commands == ()
    assert state.phase is Phase.DONE


ADAPTIVE = ThresholdSettings(0.1, True, 0.002, 5.0, 0.01, 0.5)


def test_a_pause_is_no_trial_time():
    wishes = {65: (Operator(OP.PAUSE),), 165: (Operator(OP.RESUME),)}
    story = play(make_plan(threshold=ADAPTIVE), lambda k: 0.0, wishes=wishes)
    # Trial time stands still from the last frame before the pause to the first one after it: one frame more.
    assert [k for k, _ in story.marks("threshold")] == [181]


def test_a_reward_waits_for_a_free_drop():
    wishes = {19: (Operator(OP.FREE_WATER),)}
    story = play(make_plan(replace(QUICK, reward_dur=1.0, reward_delay=0.2)), pulses_at(20), wishes=wishes)
    assert story.water == [19, 29]


@pytest.mark.parametrize("frames", [(18, 19), (19, 19)], ids=["one after another", "on one frame"])
def test_a_reward_waits_for_all_free_drops(frames):
    wishes = {k: (Operator(OP.FREE_WATER),) * frames.count(k) for k in frames}
    story = play(make_plan(replace(QUICK, reward_dur=1.0, reward_delay=0.2)), pulses_at(20), wishes=wishes)
    # The valve is open for 1 s from the first, then for 1 s more.
    assert story.water == [*frames, frames[0] + 20]


@pytest.mark.parametrize(("paused_at", "cut"), [(5, []), (15, [1])], ids=["in rest", "in a trial"])
def test_a_stop_while_paused_cuts_short_the_trial_that_was_paused(paused_at, cut):
    wishes = {paused_at: (Operator(OP.PAUSE),), 30: (Operator(OP.STOP_NOW, who="SIGINT"),)}
    story = play(make_plan(), lambda k: 0.0, wishes=wishes)
    assert [mark.trial for _, mark in story.marks("cut_short")] == cut
    assert story.state.phase is Phase.DONE


@pytest.mark.parametrize("value", [0.0, -0.1, float("nan"), float("inf")])
def test_a_threshold_without_a_place_on_the_tone_map_is_refused(value):
    story = play(make_plan(), lambda k: 0.0, wishes={5: (Operator(OP.SET_THRESHOLD, value),)})
    assert len(story.marks("refused")) == 1
    assert {verdict.threshold for verdict in story.verdicts} == {0.1}


def test_stop_after_trial_while_paused_in_rest_ends_at_once():
    wishes = {5: (Operator(OP.PAUSE),), 8: (Operator(OP.STOP_AFTER_TRIAL),)}
    story = play(make_plan(), lambda k: 0.0, wishes=wishes)
    assert story.state.phase is Phase.DONE
    assert len(story.verdicts) == 9


def test_stop_after_trial_in_rest_begins_the_final_rest():
    story = play(make_plan(), lambda k: 0.0, wishes={3: (Operator(OP.STOP_AFTER_TRIAL),)})
    assert story.marks("trial_start") == []
    assert len(story.verdicts) == 3 + 5 + 1


@pytest.mark.parametrize("at", [12, 20, 22, 25])
def test_a_trial_in_which_a_device_was_lost_has_no_outcome_and_earns_nothing(at):
    """Trial 1 begins at frame 10; its crossing, at 20, would be paid at 25."""
    story = play(make_plan(), pulses_at(20), wishes={at: (Operator(OP.ABORT_TRIAL, who="camera"),)})
    outcomes = story.marks("success") + story.marks("fail")
    assert 1 not in [mark.trial for _, mark in outcomes]
    assert story.marks("cut_short")[0][0] == at
    assert all(k >= at + 1 for k in story.water)
    assert story.freqs[at] == 0
    assert story.verdicts[at].phase is Phase.REST


def test_a_lost_device_in_rest_changes_nothing_but_the_log():
    plain = play(make_plan(), pulses_at(20))
    lost = play(make_plan(), pulses_at(20), wishes={3: (Operator(OP.ABORT_TRIAL, who="camera"),)})
    assert (lost.water, lost.freqs) == (plain.water, plain.freqs)


def test_a_trial_aborted_while_paused_stays_paused_and_goes_on_in_rest():
    wishes = {15: (Operator(OP.PAUSE),), 17: (Operator(OP.ABORT_TRIAL, who="camera"),), 19: (Operator(OP.RESUME),)}
    story = play(make_plan(), lambda k: 0.0, wishes=wishes)
    assert [verdict.phase for verdict in story.verdicts[15:20]] == [Phase.PAUSED] * 4 + [Phase.REST]
    assert [mark.trial for _, mark in story.marks("cut_short")] == [1]


def test_the_last_trial_aborted_is_the_last_all_the_same():
    story = play(make_plan(), lambda k: 0.0, wishes={})
    last = max(k for k, verdict in enumerate(story.verdicts) if verdict.phase is Phase.TRIAL)
    story = play(make_plan(), lambda k: 0.0, wishes={last - 1: (Operator(OP.ABORT_TRIAL, who="x"),)})
    assert story.state.phase is Phase.DONE
    assert story.state.outcome == "complete"
