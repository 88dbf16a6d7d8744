"""What of a plan a person may change in a running session, and from when on it holds."""

from dataclasses import replace

import numpy as np
import pytest

from core.changes import KEYS, read_change, with_change
from core.schedule import ScheduleSettings, draw_schedule
from core.trial import Phase
from core.values import Operator, OperatorKind
from helper import SessionType
from tests.support.trials import QUICK, make_plan, play, pulses_at


def ask(text):
    return (Operator(OperatorKind.SET, who="anna", text=text),)


def redraw(kind):
    return draw_schedule(ScheduleSettings(total_trials=3, session_type=kind), np.random.default_rng(0))


def starts(story):
    return [k for k, _ in story.marks("trial_start")]


def test_a_rest_that_was_changed_holds_from_the_next_rest_on():
    """Rests of 10, 20, 20 and 5 frames around trials of 30 that fail."""
    assert starts(play(make_plan(), lambda k: 0.0)) == [10, 60, 110]
    in_trial = play(make_plan(), lambda k: 0.0, wishes={20: ask("fail_rest_dur = 1")})
    assert starts(in_trial) == [10, 50, 90]
    in_rest = play(make_plan(), lambda k: 0.0, wishes={45: ask("fail_rest_dur = 1")})
    assert starts(in_rest) == [10, 60, 100]


def test_a_trial_that_runs_keeps_its_length_paused_or_not():
    pause = {15: (Operator(OperatorKind.PAUSE),), 25: (Operator(OperatorKind.RESUME),)}
    story = play(make_plan(), lambda k: 0.0, wishes={**pause, 20: ask("max_trial_dur = 1")})
    ends = [k for k, _ in story.marks("fail")]
    assert ends[0] == 50
    assert ends[1] - starts(story)[1] == 10


def test_the_last_change_of_a_key_holds_and_others_stay():
    wishes = {2: ask("max_trial_dur=1"), 3: ask("max_trial_dur=2"), 4: ask("fail_rest_dur=0")}
    story = play(make_plan(), lambda k: 0.0, wishes=wishes)
    assert starts(story) == [10, 31, 52]
    assert [mark.detail for _, mark in story.marks("set")] == ["max_trial_dur=1", "max_trial_dur=2", "fail_rest_dur=0"]


def test_the_type_of_the_next_trial():
    dry = ask("session_type = no_audio_no_reward")
    story = play(make_plan(redraw=redraw), pulses_at(20, 45, 75), wishes={12: dry})
    assert len(story.water) == 1
    assert story.outcomes == [1, 1, 1]
    assert all(freq == 0 for freq in story.freqs[starts(story)[1] :])
    assert story.state.rewards == 1


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("reward_dur = 1", "can is max_trial_dur"),
        ("fail_rest_dur", "can is max_trial_dur"),
        ("fail_rest_dur = soon", "give seconds"),
        ("fail_rest_dur = nan", "is not finite"),
        ("fail_rest_dur = -1", "give that or more"),
        ("max_trial_dur = 0", "give more"),
        ("audio_delay = 61", "give that or less"),
        ("session_type = loud", "is none of"),
        ("session_type = behavior_recording", "end this one"),
    ],
)
def test_what_cannot_be_changed_is_refused_and_marked(text, cure):
    story = play(make_plan(redraw=redraw), lambda k: 0.0, wishes={5: ask(text)}, max_frames=8)
    [(_, mark)] = story.marks("refused")
    assert cure in mark.detail
    assert story.state.changes == ()


def test_a_resting_session_and_one_without_a_draw_keep_their_type():
    resting = ScheduleSettings(session_type=SessionType.behavior_recording)
    for plan in (make_plan(schedule=resting, redraw=redraw), make_plan()):
        story = play(plan, lambda k: 0.0, wishes={1: ask("session_type = normal_audio_no_reward")}, max_frames=4)
        assert len(story.marks("refused")) == 1


def test_bounds_are_those_of_the_settings():
    for key in KEYS[:-1]:
        assert read_change(f"{key} = 60") == (key, 60.0)
        with pytest.raises(ValueError, match=key):
            read_change(f"{key} = 1e9")
    assert read_change("session_type=continuous_rewards") == ("session_type", SessionType.continuous_rewards)


def test_a_note_is_logged_with_the_trial_and_changes_nothing():
    note = {20: (Operator(OperatorKind.NOTE, who="anna", text="grooms"),)}
    plain, noted = (play(make_plan(), pulses_at(30), wishes=wishes) for wishes in ({}, note))
    assert [(k, mark.trial, mark.detail) for k, mark in noted.marks("note")] == [(20, 1, "grooms")]
    assert noted.state == plain.state
    assert noted.state.phase is Phase.DONE


def test_a_cut_trial_rests_as_long_as_was_asked_for():
    wishes = {2: ask("fail_rest_dur = 0.5"), 20: (Operator(OperatorKind.ABORT_TRIAL),)}
    assert starts(play(make_plan(), lambda k: 0.0, wishes=wishes))[:2] == [10, 25]


def test_plans_are_made_once():
    plan = make_plan(replace(QUICK))
    first, again = (play(plan, lambda k: 0.0, wishes={2: ask("fail_rest_dur=1")}) for _ in range(2))
    assert first.commands == again.commands
    assert list(plan.variants) == [("fail_rest_dur=1",)]


def test_of_a_key_the_last_change_is_kept():
    changes = ()
    for text in ("max_trial_dur = 5", "fail_rest_dur = 1", "max_trial_dur=6"):
        changes = with_change(changes, text)
    assert changes == ("fail_rest_dur = 1", "max_trial_dur=6")


def test_bounds_are_looked_up_once(monkeypatch):
    """Each look takes a third of a millisecond, and a frame with a change reads all that were made."""

    def again(*args, **more):
        raise AssertionError("looked up again")

    monkeypatch.setattr("core.changes.get_type_hints", again)
    assert read_change("fail_rest_dur = 4") == ("fail_rest_dur", 4.0)
