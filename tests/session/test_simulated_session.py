"""The same session on all fronts: the same script, loop and config on a scene, a recording and a simulated mouse."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.clock import VirtualClock
from recording.reader import open_session
from session import prepare
from session.build import build
from tests.support.mice import network
from tests.support.sessions import CONFIG, LIVE, OFFLINE, SHORT, rows, run, settings_for

ROOT = Path(__file__).resolve().parent.parent.parent
SIM1 = {"--camera": "simulated", "codegen": "numpy"}
TINY = {**SIM1, "network": network("tiny:build"), "framerate": "10", "total_trials": "2", "max_trial_dur": "2"}
LOGS = ("frames.csv", "events.csv")


def digest(session, *names):
    """Return one hash over files of a session and the bytes of its images."""
    sums = hashlib.sha256()
    for name in names:
        sums.update((session / name).read_bytes())
    with open_session(session) as opened:
        sums.update(np.ascontiguousarray(opened.images()).tobytes())
    return sums.hexdigest()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Run a session of SIM1, once for all tests of this file."""
    return run(settings_for(tmp_path_factory.mktemp("sim1"), **SIM1))


@pytest.fixture(scope="module")
def simulated_again(tmp_path_factory):
    """Run the same session once more; return it, and the parts it was made of."""
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "build", lambda *args: made.append(build(*args)) or made[-1])
        return run(settings_for(tmp_path_factory.mktemp("again"), **SIM1)), made[0]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Run a session of a network of twenty cells."""
    return run(settings_for(tmp_path_factory.mktemp("tiny"), **TINY))


@pytest.fixture(params=["synthetic", "replay", "simulated"])
def front(request, tmp_path, simulated, simulated_again, parts_of):
    """Return a session on one of the three fronts, and the parts it was made of."""
    if request.param == "simulated":
        return simulated_again
    if request.param == "replay":
        overrides = {"--camera": "replay", "--source": str(simulated.session)}
    else:
        overrides = {"--camera": "synthetic"}
    made = parts_of()
    return run(settings_for(tmp_path, **overrides)), made[0]


def test_the_same_session_on_all_three_fronts(front, tmp_path):
    result, parts = front
    assert (result.outcome, result.error, result.trials) == ("complete", "", 4)
    # Rests alone are 1 s before the first trial, 1 s after each of the first three, and 2 s after the last.
    assert result.frames == result.images > 6 * 15
    assert result.dropped == result.images_dropped == 0
    with open_session(result.session) as session:
        frames = session.frames
        assert list(session.meta["settings"]) == list(settings_for(tmp_path).flat())
        # What the log says was given is what the devices were given.
        assert len(parts.rig.valve.pulses) == frames.water.sum() == result.water
        assert parts.rig.valve.closed
        assert parts.rig.speaker.freq_hz == 0
        assert (frames.freq_hz[(frames.trial > 0) & (frames.outcome == 0)] >= 1000).all()
        assert (frames.freq_hz[frames.trial == 0] == 0).all()
        assert (np.abs(np.nan_to_num(frames.signal)) < 0.3).all()
        assert np.nanstd(frames.signal[frames.valid]) > 0.003
    # And whatever the front was, its recording replays to the same decisions, frame for frame.
    again = run(settings_for(tmp_path, **{"--camera": "replay", "--source": str(result.session)}))
    first, second = rows(result.session / "frames.csv"), rows(again.session / "frames.csv")
    for row in (*first, *second):
        row.pop("licks")  # a recording's licks are not played back
    assert first == second
    assert [row for row in rows(result.session / "events.csv") if row["kind"] != "lick"] == [
        row for row in rows(again.session / "events.csv") if row["kind"] != "lick"
    ]


def test_a_simulated_session_is_told_in_its_record(simulated):
    meta = json.loads((simulated.session / "session.json").read_text())
    assert meta["simulation"]["name"] == "SIM1"
    assert meta["simulation"]["target"] == "numpy"
    assert meta["simulation"]["cells"] >= 400
    assert meta["software"]["packages"]["brian2"]
    assert sum(row["kind"] == "lick" for row in rows(simulated.session / "events.csv")) > 0


def test_the_mouse_licks_after_water(tmp_path):
    result = run(settings_for(tmp_path, **TINY, reward_threshold="0.001"))
    assert result.water > 0
    events = rows(result.session / "events.csv")
    licks = np.array([int(row["time_ns"]) for row in events if row["kind"] == "lick"])
    for row in events:
        if row["kind"] == "reward" and int(row["time_ns"]) < int(events[-1]["time_ns"]) - 1e9:
            since = licks - int(row["time_ns"])
            assert ((since > 0.05e9) & (since < 0.4e9)).any()


def test_same_seed_twice_is_the_same_session_byte_for_byte(tmp_path, simulated, simulated_again):
    """Twice in this process, and once more in another, from the command line."""
    assert digest(simulated.session, *LOGS) == digest(simulated_again[0].session, *LOGS)
    words = [f"--set={key}={value}" for key, value in {**SHORT, **SIM1}.items() if not key.startswith("--")]
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "run", "--mouse", "DEMO", "--config", str(CONFIG), "--json", "--seed", "5",
         "--camera", "simulated", "--data-root", str(tmp_path / "c"), *words],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )  # fmt: skip
    third = Path(json.loads(done.stdout.splitlines()[-1])["session"])
    assert digest(simulated.session, *LOGS) == digest(third, *LOGS)


def test_at_its_own_pace_decisions_are_the_same_and_time_is_the_hosts(tmp_path, tiny):
    """Also what is given and licked is on the mouse's clock, whatever the host's says."""
    clock = VirtualClock(start_ns=77_000_000_123)
    live = run(settings_for(tmp_path, **TINY), LIVE, clock=clock)
    a, b = (rows(result.session / "frames.csv") for result in (tiny, live))
    shift = int(b[0]["time_ns"])
    assert shift >= 77_000_000_123
    assert clock.now_ns() >= int(b[-1]["time_ns"])
    for row in b:
        row["time_ns"] = str(int(row["time_ns"]) - shift)
    assert a == b
    licks = [[int(row["time_ns"]) for row in rows(each.session / "events.csv") if row["kind"] == "lick"]
             for each in (tiny, live)]  # fmt: skip
    assert licks[0] == [lick - shift for lick in licks[1]] != []


def test_another_seed_is_another_session(tmp_path, tiny):
    other = run(settings_for(tmp_path, **TINY), replace(OFFLINE, seed=6))
    assert (tiny.session / "frames.csv").read_bytes() != (other.session / "frames.csv").read_bytes()


def test_what_a_failed_network_said_stands_in_the_folder(tmp_path):
    result = run(settings_for(tmp_path, **{**TINY, "network": network("tiny:cannot_hear")}))
    assert (result.outcome, result.exit_code) == ("failed", 3)
    assert "the network failed" in result.error
    assert "line 39: ValueError: no such tone: 1" in result.error
    assert "\n" not in result.error
    assert "in hear" in (result.session / "error.txt").read_text()
    with open_session(result.session) as session:
        assert session.meta["outcome"] == "failed"
        assert len(session.frames.frame) == result.frames > 0
