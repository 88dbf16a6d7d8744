"""What a page may ask of a session depends on what it does; no session is run for that."""

import pytest

from core.errors import InputError
from core.trial import Phase
from core.trial_state import begin
from session.build import draw_plan
from session.live_controls import read_control
from session.settings import load_settings
from tests.support.sessions import CONFIG, OFFLINE

PLAN = draw_plan(load_settings(CONFIG, "DEMO"), OFFLINE)
REST = begin(PLAN)
PAUSED = REST._replace(phase=Phase.PAUSED)


def asked(do, state, **more):
    return read_control({"id": 1, "do": do, "who": "anna", **more}, PLAN, state)


@pytest.mark.parametrize(
    ("do", "state", "cure"),
    [
        ("pause", PAUSED, "paused already"),
        ("resume", REST, "not paused"),
        ("stop_after_trial", REST._replace(last_trial=True, outcome="stopped"), "ends after this trial already"),
        *((do, REST._replace(phase=Phase.DONE), "the session is over") for do in ("water", "pause", "stop_now")),
    ],
)
def test_what_would_change_nothing_is_refused(do, state, cure):
    with pytest.raises(InputError, match=f"^{do}: .*{cure}"):
        asked(do, state)


@pytest.mark.parametrize(
    ("do", "state"),
    [("pause", REST), ("resume", PAUSED), ("water", PAUSED), ("stop_after_trial", REST), ("stop_now", PAUSED)],
)
def test_what_can_be_had_is_a_wish_of_who_asks(do, state):
    assert asked(do, state).who == "anna"


@pytest.mark.parametrize("number", [True, 1.0, "1", None])
def test_an_answer_needs_a_number(number):
    with pytest.raises(InputError, match=r"id = .*give a whole number"):
        read_control({"id": number, "do": "water", "who": "anna"}, PLAN, REST)


@pytest.mark.parametrize("text", ["a\nb", "\u202egnp", "x\x00y", "\x1b[2J", "  ", "x" * 501])
def test_a_note_is_one_line_that_can_be_read(text):
    with pytest.raises(InputError, match="give one line of 1 to 500"):
        asked("note", REST, text=text)
