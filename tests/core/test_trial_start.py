"""Trials that wait for the mouse: its start condition, and the end of a session that waits in vain."""

import pytest

from core.trial import Phase
from core.values import Operator, OperatorKind, Signal
from tests.support.trials import make_plan, play

# QUICK at 10 frames/s: the first rest is over at frame 10.


def moving_until(frame, text="moving"):
    return lambda k: Signal(0.0, True, waits=text if k < frame else "")


@pytest.mark.parametrize("ready", [0, 5, 10, 11, 25])
def test_a_trial_begins_when_the_rest_is_over_and_the_mouse_is_ready(ready):
    story = play(make_plan(), moving_until(ready))
    assert story.marks("trial_start")[0][0] == max(10, ready)


def test_that_it_waits_is_marked_once():
    story = play(make_plan(), moving_until(20))
    assert [(k, mark.detail) for k, mark in story.marks("start_waits")] == [(10, "moving")]


def test_the_second_wait_is_marked_too():
    # Trial 1 runs from frame 10 to its time-out at 40; its rest is over at 60.
    story = play(make_plan(), lambda k: Signal(0.0, True, waits="moving" if 55 <= k < 70 else ""))
    assert [k for k, _ in story.marks("start_waits")] == [60]
    assert [k for k, _ in story.marks("trial_start")][:2] == [10, 70]


def test_within_a_trial_the_condition_is_nobodys_business():
    story = play(make_plan(), lambda k: Signal(0.2 if k == 20 else 0.0, True, waits="moving" if k > 10 else ""))
    assert story.water == [25]


def test_a_session_in_which_no_trial_may_begin_ends():
    story = play(make_plan(max_start_wait_s=3.0), moving_until(10**9))
    assert story.state.phase is Phase.DONE
    assert story.state.outcome == "no_start"
    assert [mark.detail for _, mark in story.marks("start_waits")] == ["moving", "too long: moving"]
    assert story.marks("session_end")[0] == (45, story.marks("session_end")[0][1]), "10 + 30 + 0.5 s of final rest"
    assert story.marks("session_end")[0][1].detail == "no_start"


def test_without_a_limit_it_waits_on():
    story = play(make_plan(), moving_until(10**9), max_frames=3000)
    assert story.state.phase is Phase.REST
    assert story.state.waiting


def test_a_person_can_end_the_wait():
    wishes = {100: (Operator(OperatorKind.STOP_AFTER_TRIAL, who="SIGINT"),)}
    story = play(make_plan(max_start_wait_s=1000.0), moving_until(10**9), wishes=wishes)
    assert story.state.outcome == "stopped"
    assert len(story.verdicts) == 106


def test_a_pause_is_no_waiting():
    wishes = {15: (Operator(OperatorKind.PAUSE),), 60: (Operator(OperatorKind.RESUME),)}
    story = play(make_plan(max_start_wait_s=3.0), moving_until(10**9), wishes=wishes)
    assert [k for k, _ in story.marks("start_waits")] == [10, 85]
