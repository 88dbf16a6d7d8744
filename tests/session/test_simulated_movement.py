"""Sessions on movement of a mouse that is drawn: scripted, with its truth known, and moved by a network."""

import numpy as np

from camera.synthetic_limb import SyntheticLimbCamera
from insilico.limb_settings import LimbSceneSettings
from recording.reader import open_session
from session.settings import load_settings
from tests.session.test_simulated_session import LOGS, digest
from tests.support.mice import network
from tests.support.sessions import CONFIG, OFFLINE, run

SHORT = {
    "total_trials": "3", "initial_rest_dur": "1", "max_trial_dur": "2", "success_rest_dur": "1", "fail_rest_dur": "1",
    "joint_history_sec": "0.5", "reward_delay": "0.2", "speed_threshold": "60",
}  # fmt: skip
TINY = {"--camera": "simulated", "codegen": "numpy", "network": network("tiny_body:build")}


def movement(tmp_path, **overrides):
    return run(load_settings(CONFIG, "PAW", overrides={**SHORT, **overrides, "--data-root": str(tmp_path / "data")}))


def test_the_markers_of_a_scripted_paw_are_found_where_they_are(tmp_path):
    result = movement(tmp_path, **{"--camera": "synthetic"})
    settings = load_settings(CONFIG, "PAW")
    where = settings.movement
    scene = LimbSceneSettings(where.start_center, where.target_center, settings.geometry.ppmm)
    width, height = settings.camera.resolution
    truth = SyntheticLimbCamera(scene, height, width, settings.camera.framerate, OFFLINE.seed)
    with open_session(result.session) as session:
        names, parts = session.part_names, np.asarray(session.frames.parts)
        for row, name in enumerate(("fl_l", "fl_r")):
            seen = parts[:, [names.index(f"{name}_x"), names.index(f"{name}_y")]]
            true = np.array([truth.true_points(index)[row] for index in range(len(seen))])
            assert np.hypot(*(seen - true).T).max() < 0.5
    assert result.frames > 100


def test_a_simulated_paw_that_moves_when_it_hears_the_tone_earns_water(tmp_path):
    heard = movement(tmp_path / "heard", **TINY, total_trials="2")
    assert (heard.outcome, heard.successes, heard.water) == ("complete", 2, 2)
    silent = movement(tmp_path / "silent", **TINY, total_trials="2", session_type="no_audio_normal_reward")
    assert (silent.outcome, silent.successes) == ("complete", 0)


def test_equal_seeds_give_equal_sessions(tmp_path):
    sessions = [movement(tmp_path / name, **TINY, total_trials="1").session for name in "ab"]
    assert digest(sessions[0], *LOGS) == digest(sessions[1], *LOGS)


def test_sim2_lives_a_session(tmp_path):
    result = movement(tmp_path, **{**TINY, "network": ""}, total_trials="1")
    assert result.outcome == "complete"
    with open_session(result.session) as session:
        assert session.meta["simulation"]["name"] == "SIM2"
        speed = np.asarray(session.frames.signal)
    assert np.nanmedian(speed) < 8.5
