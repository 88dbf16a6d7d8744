"""Sessions of real processes, at the host's own time, and killed ones, replay to the last bit."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helper import SessionType
from recording import lock_file
from recording.reader import open_session
from session.replay import replay_session
from session.settings import load_settings
from tests.support.mice import network
from tests.support.processes import await_end, children_of
from tests.support.sessions import CONFIG, LIVE, SHORT, rows, run, settings_for

ROOT = Path(__file__).resolve().parent.parent.parent
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
PAW = {
    "total_trials": "2", "initial_rest_dur": "1", "max_trial_dur": "2", "success_rest_dur": "1", "fail_rest_dur": "1",
    "joint_history_sec": "0.5", "reward_delay": "0.2", "speed_threshold": "60", "resolution": "320, 160", "ppmm": "8",
    "start_center": "130, 115", "target_center": "160, 60",
}  # fmt: skip


def rigloop(*words):
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *words], capture_output=True, text=True, env=ENV, timeout=100
    )


MICE = {"CLNF": ("clnf_1roi", SHORT), "CLMF": ("clmf_speed", PAW)}
"""Experiment and keys of a mouse by each kind; its name is its own, as mice are locked on the whole machine."""


def started(tmp_path, kind, **more):
    """Return the words that run a session of ``kind`` at the host's own pace, in a folder of its own."""
    experiment, keys = MICE[kind]
    config = tmp_path / "config.ini"
    mouse = f"REPLAY_{kind}_{os.getpid()}"
    config.write_text(f"{CONFIG.read_text()}\n[mouse:{mouse}]\nexperiment = {experiment}\n")
    sets = [f"--set={key}={value}" for key, value in {**keys, "rig": mouse.lower(), **more}.items()]
    return [
        sys.executable, "-m", "cli.main", "run", "--config", str(config), "--mouse", mouse, "--data-root",
        str(tmp_path), "--seed", "5", "--pace", "real", *sets,
    ]  # fmt: skip


def exact(session):
    replayed = replay_session(session)
    assert replayed.compared.first == []
    assert replayed.compared.rows > 0
    return replayed


@pytest.mark.parametrize("kind", SessionType)
def test_every_session_type(tmp_path, kind):
    more = {"random_reward_rate": "1", "spont_sess_duration": "0.1", "total_trials": "3"}
    if kind is SessionType.behavior_recording:
        more["free_reward_interval_s"] = "2"
    if kind is SessionType.no_audio_normal_reward:
        more["dff_mode"] = "green"
    result = run(settings_for(tmp_path, session_type=kind.value, reward_threshold="0.01", **more))
    assert result.outcome == "complete"
    assert exact(result.session).compared.rows == result.frames


def test_simulated_mice_and_their_recordings(tmp_path, monkeypatch):
    (locks := tmp_path / "locks").mkdir()
    monkeypatch.setattr(lock_file, "SHARED_FOLDERS", (locks,))
    tiny = {"--camera": "simulated", "codegen": "numpy", "network": network("tiny:build"), "framerate": "10"}
    short = {"total_trials": "2", "max_trial_dur": "2", "reward_threshold": "0.001"}
    first = run(settings_for(tmp_path, **tiny, **short))
    assert any(row["kind"] == "lick" for row in rows(first.session / "inputs.csv"))
    exact(first.session)
    recorded = {"--camera": "replay", "--source": str(first.session), "framerate": "10"}
    exact(run(settings_for(tmp_path / "again", **recorded, **short), LIVE).session)
    body = {**PAW, "--camera": "simulated", "codegen": "numpy", "network": network("tiny_body:build")}
    body["--data-root"] = str(tmp_path / "body")
    exact(run(load_settings(CONFIG, "PAW", overrides=body)).session)


@pytest.mark.parametrize("kind", MICE)
def test_at_the_hosts_own_time(tmp_path, kind):
    subprocess.run(started(tmp_path, kind, total_trials="1"), check=True, capture_output=True, env=ENV, timeout=100)
    [session] = tmp_path.glob("REPLAY_*/*/S1")
    done = rigloop("replay", str(session), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["mismatches"], told["taken_as_recorded"]) == (0, 0)
    assert told["compared"] == told["frames"] > 30


@pytest.mark.parametrize("kind", MICE)
def test_a_session_that_was_killed(tmp_path, kind):
    words = started(tmp_path, kind)
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
    try:
        seen, end = 0, time.monotonic() + 90
        while seen < 60:
            assert running.poll() is None
            assert time.monotonic() < end, "no session began"
            time.sleep(0.05)
            table = next(tmp_path.glob("REPLAY_*/*/S1/frames.csv"), None)
            seen = 0 if table is None else table.read_bytes().count(b"\n") - 1  # whole rows, without the header
        children = children_of(running.pid)
    finally:
        running.kill()
        running.wait()
    # What a killed controller had handed over, its recorder still writes.
    for child in children:
        await_end(child)
    replayed = exact(table.parent)
    assert replayed.whole.killed
    assert replayed.compared.rows >= seen >= 60


def test_a_video_of_a_codec_that_loses_is_not_looked_at(tmp_path):
    result = run(load_settings(CONFIG, "PAW", overrides={**PAW, "--data-root": str(tmp_path)}))
    with open_session(result.session) as session:
        assert session.image_path.suffix == ".mkv"
        session.image_path.unlink()
    assert exact(result.session).taken_as_recorded == 0


def test_ctrl_c_ends_a_replay_at_once(tmp_path):
    result = run(settings_for(tmp_path))
    words = [sys.executable, "-c", SLOW, "replay", str(result.session)]
    replaying = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV)
    for line in replaying.stderr:
        if "in the loop" in line:
            break
    replaying.send_signal(signal.SIGINT)
    out, err = replaying.communicate(timeout=20)
    assert (replaying.returncode, out) == (130, "")
    assert err.endswith("rigloop replay: interrupted\n")
    assert "Traceback" not in err


SLOW = """
import sys, time
from session import replay_source
from cli.main import main
from cli.start import leave_on_signals
leave_on_signals()
read = replay_source.RecordedFrames.read
def slowly(self, timeout_s):
    print("in the loop", file=sys.stderr, flush=True)
    time.sleep(0.2)
    return read(self, timeout_s)
replay_source.RecordedFrames.read = slowly
sys.exit(main(sys.argv[1:]))
"""
