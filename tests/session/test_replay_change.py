"""What would have happened with other settings, and which of them cannot be changed afterwards."""

from dataclasses import replace

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import ConfigError, InputError
from recording import schema
from recording.reader import open_session
from recording.schema import EventRow
from session import running
from session.build import build
from session.config_keys import all_keys
from session.replay import replay_session
from session.replay_change import Difference
from session.replay_inputs import Between, InputScript, with_returns
from session.replay_settings import CHANGEABLE, FIXED
from tests.session.replayable import session as session
from tests.support.flaky import Flaky
from tests.support.killed import as_killed
from tests.support.memory_recorder import MemoryRecorder
from tests.support.sessions import run, settings_for


class TestWhatWouldHaveHappened:
    def test_a_lower_threshold_earns_more_and_the_session_is_shorter(self, session, session_with_licks):
        change = replay_session(session, {"reward_threshold": "0.012"}).change
        assert change.recorded.trials == change.changed.trials == 4
        assert change.recorded.successes == session_with_licks.successes < change.changed.successes
        assert change.recorded.threshold == 0.03
        assert change.changed.threshold == 0.012
        assert change.changed.mean_trial_s < change.recorded.mean_trial_s
        assert change.changed.duration_s < change.recorded.duration_s
        assert change.ended == "done"
        assert change.first.frame == 16
        assert change.first.column == "freq_hz"

    def test_a_threshold_that_rose_with_the_last_frame_of_a_killed_session_counts(self, session):
        as_killed(session)
        with open_session(session) as opened:
            end_ns = opened.frames.time_ns[-1]
        with (session / schema.EVENTS_CSV).open("a") as file:
            file.write(f"{end_ns},threshold,0,0.05\n")
        assert replay_session(session, {"reward_threshold": "0.012"}).change.recorded.threshold == 0.05

    def test_the_same_value_changes_nothing(self, session):
        change = replay_session(session, {"reward_threshold": "0.03"}).change
        assert change.first is None
        assert change.recorded == change.changed
        with open_session(session) as recorded:
            for name in ("signal", "freq_hz", "phase", "threshold", "licks"):
                np.testing.assert_array_equal(getattr(recorded.frames, name), getattr(change.session.frames, name))

    def test_a_session_that_would_have_gone_on_longer_says_so(self, session):
        change = replay_session(session, {"total_trials": "9"}).change
        assert change.ended == "recording"
        assert change.first.column == "phase"

    def test_bounds_of_the_rig_hold(self, session):
        change = replay_session(session, {"max_session_water_s": "0.7", "reward_threshold": "0.005"}).change
        assert change.ended.startswith("refused: valve")
        assert "max_session_water_s" in change.ended

    @pytest.mark.parametrize(
        "changes",
        [
            {"roi.M1_L": "5, 5, 8, 8"}, {"roi_operation": "M1_L-M1_R", "roi.M1_R": "40, 20, 5, 5"},
            {"dff_history": "0.5"}, {"dff_mode": "green"}, {"n_tones": "4"}, {"session_type": "continuous_rewards"},
            {"adaptive_threshold": "1", "adaptive_epoch_s": "1"}, {"reward_delay": "1"},
        ],
        ids=str,
    )  # fmt: skip
    def test_all_that_is_made_of_frames_can_be_changed(self, session, changes):
        assert isinstance(replay_session(session, changes).change.first, Difference)

    @pytest.mark.parametrize(
        ("key", "value", "why"),
        [
            ("resolution", "32, 32", "frames are as they were recorded"),
            ("framerate", "30", "frames are as they were recorded"),
            ("vid_source", "synthetic", "frames are as they were recorded"),
            ("bregma", "1, 1", r"ROIs are in px; set roi.NAME"),
            ("lick_sensor", "none", "licks are as they were recorded"),
            ("pin_valve", "3", "no part in what the loop decides"),
            ("reward_ul", "3", "set reward_dur"),
            ("data_root", "x", "records nothing"),
            ("second_camera", "x", "decides nothing"),
            ("network", "x.py:build", "as it was recorded"),
            ("sex", "F", "no part in what the loop decides"),
        ],
    )
    def test_what_cannot_be_changed_afterwards_is_refused(self, session, key, value, why):
        with pytest.raises(InputError, match=f"--set {key}: cannot be changed afterwards: .*{why}"):
            replay_session(session, {key: value})

    def test_each_group_of_keys_can_be_changed_or_has_a_reason_why_not(self):
        assert {key.group for key in all_keys().values()} == CHANGEABLE | FIXED.keys() | {"geometry"}

    def test_a_wrong_value_is_told_as_ever(self, session):
        with pytest.raises(ConfigError, match="--set reward_thresold=3: unknown key"):
            replay_session(session, {"reward_thresold": "3"})
        with pytest.raises(ConfigError, match="out of range"):
            replay_session(session, {"max_trial_dur": "-3"})


def test_a_trial_that_only_the_changed_session_would_have_lost(tmp_path, monkeypatch):
    """The camera is lost in what was a rest; with the change it is a trial, which is cut short, and rests from then."""
    clock = VirtualClock()
    monkeypatch.setattr(running, "Recorder", MemoryRecorder)
    monkeypatch.setattr(
        "session.prepare.build",
        lambda *args: replace(parts := build(*args), camera=Flaky(parts.camera, clock, 30, 2, "gone")),
    )
    result = run(settings_for(tmp_path, initial_rest_dur="3"), clock=clock)
    assert result.trials == 4
    replayed = replay_session(result.session, {"initial_rest_dur": "1"})
    assert replayed.compared.mismatches == 0
    assert replayed.change.changed.cut_short == 1
    assert replayed.change.changed.trials == 3


def test_the_return_of_a_device_is_its_own_and_no_second_cameras():
    script = InputScript({}, {}, {}, {7: (Between("cut", 70, "camera"),), 9: (Between("cut", 90, "sound"),)})
    events = [
        EventRow(60, "lost", 0, "camera2: gone"), EventRow(70, "lost", 1, "camera: gone"),
        EventRow(75, "back", 0, "camera2 after 1.0 s"), EventRow(80, "back", 0, "camera after 1.0 s"),
        EventRow(90, "lost", 0, "sound: gone"),
    ]  # fmt: skip
    assert with_returns(script, events).between == {
        7: (Between("cut", 70, "camera"), Between("rest_from", 80, "")), 9: (Between("cut", 90, "sound"),)
    }  # fmt: skip
