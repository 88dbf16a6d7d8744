"""Drops in whole sessions: those that were given are counted, and they come when the log says."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from core.values import as_ns
from hardware.fake import FakeValve
from hardware.rig import Rig
from hardware.settings import OutputSettings
from recording.reader import open_session
from tests.support.scripted import Scripted, every
from tests.support.sessions import run, settings_for

OFTEN = {"session_type": "continuous_rewards", "max_trial_dur": "8", "reward_threshold": "0.05", "final_rest_dur": "5"}


@pytest.fixture
def often(parts_of):
    """Make the signal of the next session cross once a second; hand out its parts."""
    return parts_of(lambda parts: replace(parts, pipeline=Scripted(every(1.0))))


def test_a_refused_drop_is_not_counted_as_given(tmp_path, parts_of):
    """The valve gives two drops and refuses the third, which ends the session."""

    def two_drops(parts):
        rig = parts.rig
        valve = FakeValve(OutputSettings(max_session_water_s=0.7))
        return replace(parts, pipeline=Scripted(every(1.0)), rig=Rig(rig.speaker, valve, rig.lines, rig.lick_sensor))

    made = parts_of(two_drops)
    result = run(settings_for(tmp_path, reward_dur="0.3", **OFTEN))
    assert result.outcome == "failed"
    assert "max_session_water_s" in result.error
    assert len(made[0].rig.valve.pulses) == result.water == 2
    assert json.loads((result.session / "session.json").read_text())["counts"]["water"] == 2
    with open_session(result.session) as session:
        assert session.frames.water.sum() == 2
        assert session.frames.water[-1] == 0
        kinds = [event.kind for event in session.events]
        assert kinds.count("reward") == result.rewards == 2, "a drop that was refused was no reward"
        assert "output_error" in [event.kind for event in session.events if event.time_ns == session.frames.time_ns[-1]]


@pytest.mark.parametrize("gap", ["0", "2.5"])
def test_each_drop_begins_on_the_frame_that_the_log_names(tmp_path, often, gap):
    """The plan knows the pause that the valve keeps, so that the valve never has to make a drop wait."""
    result = run(settings_for(tmp_path, min_pulse_gap_s=gap, **OFTEN))
    pulses = often[0].rig.valve.pulses
    assert len(pulses) == result.water > 4
    with open_session(result.session) as session:
        given = session.frames.time_ns[session.frames.water > 0]
    assert [start for start, _ in pulses] == given.tolist()
    assert all(late - end >= as_ns(float(gap)) for (_, end), (late, _) in pairwise(pulses))
