"""What a page is told may be changed is what a running session takes."""

import pytest

from core.changes import KEYS
from core.errors import InputError
from core.trial_state import begin
from session.build import draw_plan
from session.live_changeable import changeable
from session.live_controls import read_control
from session.settings import load_settings
from tests.support.sessions import CONFIG, OFFLINE

KINDS = {
    "neurofeedback": ("DEMO", {"tone_floor": "0.01"}, ("reward_threshold", "dF/F", "above 0.01", "0.05")),
    "speed": ("PAW", {}, ("speed_threshold", "mm/s", "above 0", "100.0")),
    "target": ("PAW", {"reward_by": "target"}, ("reward_threshold", "mm", "above -7.83123", "-3.0")),
}


def told(mouse, overrides):
    settings = load_settings(CONFIG, mouse, overrides=overrides)
    return changeable(settings), draw_plan(settings, OFFLINE)


def asked(plan, key, value):
    message = {"id": 1, "do": "set", "who": "anna", "key": key, "value": value}
    return read_control(message, plan, begin(plan))


@pytest.mark.parametrize(("mouse", "overrides", "first"), KINDS.values(), ids=KINDS)
def test_a_session_takes_each_value_that_it_is_told_to_have(mouse, overrides, first):
    keys, plan = told(mouse, overrides)
    assert tuple(keys[0][name] for name in ("key", "unit", "bounds", "value")) == first
    assert [key["key"] for key in keys[1:]] == list(KEYS)
    for key in keys:
        assert key["text"].endswith(".")
        assert bool(key["choices"]) != bool(key["bounds"])
        for value in (key["value"], *key["choices"]):
            assert asked(plan, key["key"], value).who == "anna"


@pytest.mark.parametrize(("mouse", "overrides", "first"), KINDS.values(), ids=KINDS)
def test_what_is_out_of_the_bounds_that_are_told_is_refused(mouse, overrides, first):
    keys, plan = told(mouse, overrides)
    for key in keys:
        _, _, least = key["bounds"].rpartition("above ")
        for value in ("nan", "-1e9", "x", *([str(float(least) - 0.001)] if key is keys[0] else [])):
            with pytest.raises(InputError, match=key["key"]):
                asked(plan, key["key"], value)


def test_a_session_without_trials_has_nothing_to_change():
    assert told("DEMO", {"session_type": "behavior_recording"})[0] == []
