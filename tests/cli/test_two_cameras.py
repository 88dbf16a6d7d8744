"""``behavior/record_two_cameras.py`` as a process of its own, what it refuses, and what ``rigloop check`` says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recording.reader import open_session
from tests.cli.words import ROOT

LIMIT_S = 120
HABITUATION = {
    "second_camera": "clnf_2roi", "session_type": "behavior_recording", "spont_sess_duration": "0.1",
    "free_reward_interval_s": "2",
}  # fmt: skip


def script(cwd, **keys):
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    chosen = [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]
    command = [sys.executable, str(ROOT / "behavior" / "record_two_cameras.py"), "--mouse", "DEMO", "--json", *chosen]
    return subprocess.run(
        [*command, "--data-root", "here"], cwd=cwd, capture_output=True, text=True, env=env, timeout=LIMIT_S
    )


def test_it_records_two_cameras_and_gives_water_from_any_folder(tmp_path):
    done = script(tmp_path, **HABITUATION)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["session"].startswith(str(tmp_path / "here"))
    assert (said["outcome"], said["trials"], said["water"]) == ("complete", 0, 2)
    assert said["second_camera"]["frames"] == said["frames"] == said["images"]
    assert "camera2 " in done.stderr
    with open_session(Path(said["session"]) / "camera2") as second:
        assert len(second.images()) == said["frames"]


DRY = {"session_type": "no_audio_no_reward", "free_reward_interval_s": "0"}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"second_camera": ""}, "has one camera"),
        ({"second_camera": ""}, "add second_camera = SECTION"),
        (DRY, "session_type = no_audio_no_reward"),
        (DRY, "set session_type = behavior_recording"),
        ({"session_type": "no_audio_no_reward"}, "gives drops in behavior_recording sessions only"),
        ({"second_camera": "clnf_1roi"}, "--set second_camera=clnf_1roi: is this experiment itself"),
    ],
)
def test_it_runs_nothing_else(tmp_path, change, wanted):
    refused = script(tmp_path, **{**HABITUATION, **change})
    assert refused.returncode == 2
    assert wanted in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "here").exists()


def test_check_tells_of_both_cameras(rigloop, config):
    text = config.read_text()
    config.write_text(text.replace("[mouse:DEMO]  ", "[mouse:DEMO]\nsecond_camera = clnf_2roi\n;", 1))
    code, out, err = rigloop("check", "--config", config)
    assert code == 0, err
    assert "DEMO: clnf_1roi, signal M1_L, camera synthetic and synthetic\n" in out
    config.write_text(config.read_text().replace("clnf_2roi\n;", "clnf_3roi\n;", 1))
    code, _, err = rigloop("check", "--config", config)
    assert code == 2
    assert "second_camera = clnf_3roi: there is no experiment 'clnf_3roi'; did you mean clnf_2roi?" in err
