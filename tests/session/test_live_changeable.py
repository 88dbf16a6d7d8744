"""What a page is told of a session: what may be changed, which is what the session takes, and its water."""

from dataclasses import replace

import pytest

from core.changes import KEYS
from core.clock import VirtualClock
from core.errors import InputError
from core.trial_state import begin
from hardware.ledger import Ledger, Opening
from hardware.ledger_rows import Purpose
from hardware.settings import OutputKind
from session import prepare, runner
from session.build import build, draw_plan
from session.frame_tally import FrameTally
from session.live_changeable import changeable
from session.live_controls import read_control
from session.live_link import LiveLink
from session.live_status import live_status
from session.runner import run_session
from session.settings import load_settings
from session.status import Status
from session.watch import SessionWatch
from session.water_day import water_ledgers
from tests.support.sessions import CONFIG, OFFLINE, StopAfter, settings_for

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


class Told(LiveLink):
    """Keeps what pages are told first."""

    def open(self, about):
        self.about = about
        super().open(about)


def test_counts_are_those_of_the_session():
    plan = draw_plan(load_settings(CONFIG, "DEMO"), OFFLINE)
    state = begin(plan)._replace(trial=7, successes=3, rewards=4)
    tally = FrameTally({"transport": 2}, {"late": 1}, {}, {})
    status = Status(
        state, 90, 2, 10**9, 4 * 10**9, water=6, fails=2, skipped=1, tally=tally,
        images_dropped_by=lambda: {"full": 5, "disk": 0},
    )  # fmt: skip
    told = live_status(status)
    assert {key: told[key] for key in ("trial", "successes", "fails", "rewards", "drops")} == {
        "trial": 7, "successes": 3, "fails": 2, "rewards": 4, "drops": 6,
    }  # fmt: skip
    assert {key: told[key] for key in ("frames", "dropped", "skipped", "time_s")} == {
        "frames": 90, "dropped": 2, "skipped": 1, "time_s": 3.0,
    }  # fmt: skip
    assert (told["dropped_by"], told["skipped_by"], told["repeated_by"]) == ({"transport": 2}, {"late": 1}, {})
    assert told["images_lost_by"] == {"full": 5}


def test_a_page_is_told_how_much_water_there_was_today(tmp_path, monkeypatch):
    def build_fake(settings, options, *others):
        return build(settings, replace(options, outputs=OutputKind.fake), *others)

    monkeypatch.setattr(prepare, "build", build_fake)
    monkeypatch.setattr(runner, "refuse_missing", lambda *_: None)
    settings, clock = settings_for(tmp_path, reward_dur="0.2"), VirtualClock()
    ledger = Ledger(water_ledgers(settings)[0])
    ledger.add(Opening(clock.wall_ns(), Purpose.reward, 1.25, "earlier"))
    ledger.close()
    link = Told(clock, "session-7")
    real = replace(OFFLINE, outputs=OutputKind.real)
    run_session(settings, real, clock, StopAfter(5), SessionWatch(), link)
    assert link.about["changeable"] == changeable(settings)
    assert link.about["water"] == {
        "reward_s": 0.2, "reward_ul": 0.0, "had_s": 1.25, "max_session_s": 60.0, "max_day_s": 120.0,
    }  # fmt: skip
