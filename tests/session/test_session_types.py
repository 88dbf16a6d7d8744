"""The nine session types, from config.ini to the log of a whole session: what was heard, and what earned water."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from helper import SessionType
from recording.reader import open_session
from session.settings import load_settings
from tests.support.scripted import Scripted, every
from tests.support.sessions import run

SINGLE_FREQ = 4321.0
CONFIG = """\
[clnf_types]
session_type        = {kind}
vid_source          = synthetic
resolution          = 64, 48
ppmm                = 6
bregma              = 24, 32
roi                 = M1_L
dff_history         = 0.5
reward_threshold    = 0.05
single_freq         = 4321
total_trials        = 3
initial_rest_dur    = 1
max_trial_dur       = 3.5
success_rest_dur    = 0.5
fail_rest_dur       = 0.5
final_rest_dur      = 0.5
spont_sess_duration = 0.1
reward_delay        = 0.1
reward_dur          = 0.1
random_reward_rate  = 5
[mouse:A]
experiment          = clnf_types
[seeds]
M1                  = 0.64181, 1.8603
"""


class Seen(NamedTuple):
    """What a session was, as its log tells.

    Attributes
    ----------
    tones : {"none", "one", "many"}
        Frequencies heard, silence apart.
    cause : {"crossing", "chance", ""}
        What trials were won by.
    drops : {"none", "one", "several"}
        Most drops in a trial.
    """

    tones: str
    cause: str
    drops: str


KINDS = {
    SessionType.normal_audio_normal_reward: Seen("many", "crossing", "one"),
    SessionType.normal_audio_no_reward: Seen("many", "crossing", "none"),
    SessionType.normal_audio_random_reward: Seen("many", "chance", "one"),
    SessionType.single_audio_normal_reward: Seen("one", "crossing", "one"),
    SessionType.no_audio_normal_reward: Seen("none", "crossing", "one"),
    SessionType.no_audio_random_reward: Seen("none", "chance", "one"),
    SessionType.no_audio_no_reward: Seen("none", "crossing", "none"),
    SessionType.continuous_rewards: Seen("many", "crossing", "several"),
    SessionType.behavior_recording: Seen("none", "", "none"),
}


def how_many(count):
    return ("none", "one")[count] if count < 2 else "several"


def look_at(session):
    frames = session.frames
    heard = set(frames.freq_hz[frames.freq_hz > 0].tolist())
    tones = "none" if not heard else "one" if heard == {SINGLE_FREQ} else "many"
    causes = {event.kind for event in session.events} & {"crossing", "chance"}
    drops = [int(frames.water[frames.trial == trial].sum()) for trial in set(frames.trial.tolist())]
    return Seen(tones, " and ".join(sorted(causes)), how_many(max(drops)))


def test_no_two_types_are_alike():
    assert set(KINDS) == set(SessionType)
    assert len(set(KINDS.values())) == len(KINDS)


@pytest.mark.parametrize(("kind", "expected"), KINDS.items(), ids=[kind.value for kind in KINDS])
def test_clopy_fault_14_every_session_type_is_chosen_by_config(tmp_path, parts_of, kind, expected):
    """The signal climbs and crosses once a second: three times in a trial that lasts as long as it may."""
    (tmp_path / "config.ini").write_text(CONFIG.format(kind=kind.value), encoding="utf-8")
    made = parts_of(lambda parts: replace(parts, pipeline=Scripted(every(1.0))))
    result = run(load_settings(tmp_path / "config.ini", "A"))
    assert (result.outcome, result.error) == ("complete", "")
    with open_session(result.session) as session:
        frames = session.frames
        assert look_at(session) == expected
        assert len(made[0].rig.valve.pulses) == frames.water.sum() == result.water
    if kind is SessionType.behavior_recording:
        assert result.duration_s == pytest.approx(6.0, abs=0.1)
        assert result.trials == 0
    else:
        assert result.trials == result.successes == 3
    for trial in range(1, result.trials + 1):
        of_trial = np.flatnonzero(frames.trial == trial)
        lasted = (frames.time_ns[of_trial[-1]] - frames.time_ns[of_trial[0]]) / 1e9
        assert (lasted >= 3.5) == (kind is SessionType.continuous_rewards)
