"""The network is given tones and water, and nothing else of the session."""

from dataclasses import fields, replace

import numpy as np
import pytest

from core.values import Tone, Water
from insilico.devices import Given
from insilico.limb_settings import LimbSceneSettings
from insilico.spec import Go, MouseSpec
from recording.reader import open_session
from session.build import _plant
from tests.support.mice import network
from tests.support.sessions import OFFLINE, Wrapped, run, settings_for

TINY = {
    "--camera": "simulated", "codegen": "numpy", "network": network("tiny:build"), "framerate": "10",
    "total_trials": "2", "max_trial_dur": "2",
}  # fmt: skip
DEAF = {**TINY, "network": network("tiny:deaf")}


@pytest.fixture
def told(monkeypatch):
    """Keep every message that goes to a mouse."""
    messages = []
    go = Given.go

    def kept(self, shift_ns):
        messages.append(go(self, shift_ns))
        return messages[-1]

    monkeypatch.setattr(Given, "go", kept)
    return messages


SILENT = {"session_type": "no_audio_no_reward", "adaptive_threshold": "1"}


@pytest.fixture(scope="module")
def given_nothing(tmp_path_factory):
    """Run a session in which trials come and go in silence and without water, once for all tests of this file."""
    return run(settings_for(tmp_path_factory.mktemp("nothing"), **TINY, **SILENT))


def images(result):
    with open_session(result.session) as session:
        return np.array(session.images())


def test_every_message_is_a_tone_and_water_and_all_of_them_are_those_of_the_log(tmp_path, told, parts_of):
    given = []

    def watched(parts):
        def apply(command, time_ns):
            given.append((command, time_ns))
            parts.rig.apply(command, time_ns)

        return replace(parts, rig=Wrapped(parts.rig, apply=apply))

    parts_of(watched)
    result = run(settings_for(tmp_path, **TINY, reward_threshold="0.002"))
    assert result.water > 0
    # One message a frame; the first one is asked for before anything could be given.
    assert len(told) == result.frames
    assert told[0] == Go(None, ())
    assert Go._fields == ("freq_hz", "openings"), "a new field must be shown to be honest here"
    heard, now = [], 0.0
    for message in told:
        now = now if message.freq_hz is None else message.freq_hz
        heard.append(now)
    with open_session(result.session) as session:
        # What is decided on frame k is heard from frame k to frame k + 1.
        assert heard[1:] == session.frames.freq_hz[:-1].tolist()
        decided = np.flatnonzero(session.frames.water)
        assert [k - 1 for k, message in enumerate(told) if message.openings] == decided.tolist()
        times = session.frames.time_ns[decided].tolist()
    starts = [start for message in told for start, _ in message.openings]
    assert starts == times == [time_ns for command, time_ns in given if isinstance(command, Water)]
    assert sum(isinstance(command, Tone) for command, _ in given) > 0
    assert {type(command).__name__ for command, _ in given} > {"Tone", "Water"}, "other commands there were, too"


@pytest.mark.parametrize(
    "changed",
    [
        {"reward_threshold": "0.5"}, {"total_trials": "3"}, {"max_trial_dur": "1"}, {"initial_rest_dur": "3"},
        {"dff_history": "2"}, {"dff_mode": "green"}, {"tone_floor": "-0.1"}, {"fail_led_dur": "2"}, {"audio": "0.5"},
        {"session_type": "no_audio_no_reward"}, {"adaptive_threshold": "1"}, {"reward_dur": "0.1"},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_nothing_else_of_the_session_is_in_what_the_mouse_is_made_from(tmp_path, changed):
    """So a mouse that is given no tone and no water lives the same life in every session."""
    one = _plant(settings_for(tmp_path, **TINY), OFFLINE, None)
    other = _plant(settings_for(tmp_path, **{**TINY, **changed}), OFFLINE, None)
    assert one._spec == other._spec


def test_what_it_is_made_from_is_where_things_are_and_what_it_is():
    assert {each.name for each in fields(MouseSpec)} == {
        "network", "codegen", "regions", "tones_hz", "height", "width", "framerate", "bregma", "ppmm", "seed",
        "n_frames", "limb",
    }  # fmt: skip


def test_of_a_mouse_that_moves_it_is_where_its_paw_rests_and_reaches_and_what_it_looks_like():
    assert {each.name for each in fields(LimbSceneSettings)} == {
        "start_center", "target_center", "ppmm", "hues", "noise_sd",
    }  # fmt: skip


def test_a_mouse_that_is_given_nothing_lives_the_same_in_sessions_that_differ_in_all(tmp_path, given_nothing):
    """One session is all rest, the other has trials whose LEDs and thresholds come and go in silence."""
    rest = run(settings_for(tmp_path, **TINY, session_type="behavior_recording", spont_sess_duration="0.1"))
    n = min(rest.frames, given_nothing.frames)
    assert n > 40
    assert (images(rest)[:n] == images(given_nothing)[:n]).all()


def test_tone_and_water_do_reach_the_network(tmp_path, given_nothing):
    """The control: the same sessions differ as soon as one of them gives something to a mouse that can take it."""
    tones = run(settings_for(tmp_path, **TINY, **{**SILENT, "session_type": "normal_audio_no_reward"}))
    with open_session(tones.session) as session:
        first = int(np.flatnonzero(session.frames.freq_hz)[0])
    a, b = images(given_nothing), images(tones)
    assert (a[: first + 1] == b[: first + 1]).all(), "what is decided on a frame shows from the next frame on"
    assert (a[first + 1] != b[first + 1]).any()
    deaf = [
        run(settings_for(tmp_path, **DEAF, session_type=kind))
        for kind in ("no_audio_no_reward", "normal_audio_no_reward")
    ]
    a, b = images(deaf[0]), images(deaf[1])
    assert (a[: len(b)] == b[: len(a)]).all(), "a network without ears hears nothing"


def test_water_alone_reaches_the_network(tmp_path):
    """Two silent sessions, of which one gives water."""
    keys = {**TINY, "reward_threshold": "0.002", "reward_delay": "0"}
    dry = run(settings_for(tmp_path, **keys, session_type="no_audio_no_reward"))
    wet = run(settings_for(tmp_path, **keys, session_type="no_audio_normal_reward"))
    assert wet.water > dry.water == 0
    with open_session(wet.session) as session:
        first = int(np.flatnonzero(session.frames.water)[0])
    a, b = images(dry), images(wet)
    assert (a[: first + 1] == b[: first + 1]).all()
    assert (a[first + 1] != b[first + 1]).any()
