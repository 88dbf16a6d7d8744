"""Sessions whose processes are really killed, recovered and resumed by the commands."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.clock import MonotonicClock
from recording.csvrows import count_recorded
from recording.hdf5_mark import has_mark
from recording.reader import open_session
from tests.support.processes import await_end, children_of
from tests.support.sessions import rows

ROOT = Path(__file__).resolve().parents[2]
CLOCK = MonotonicClock()
MOUSE = f"RECOVER{os.getpid()}"
"""A session on the host's clock takes its mouse on the whole machine."""
KEYS = (
    "total_trials=30", "initial_rest_dur=0.3", "dff_history=0.5", "max_trial_dur=0.5", "success_rest_dur=0.2",
    "fail_rest_dur=0.2", "reward_delay=0", "resolution=128,96", "ppmm=12", "bregma=48,64", "framerate=60",
)  # fmt: skip


def words(tmp_path, command, *more):
    sets = [word for key in (*KEYS, f"rig={MOUSE}") for word in ("--set", key)]
    config = tmp_path / "config.ini"
    config.write_text(f"{(ROOT / 'config.ini').read_text()}\n[mouse:{MOUSE}]\nexperiment = clnf_1roi\n")
    options = ["--config", str(config), "--mouse", MOUSE, "--data-root", str(tmp_path / "data"), *sets]
    if command != "run":
        options = []
    return [sys.executable, "-m", "cli.main", command, *options, *map(str, more)]


def call(tmp_path, *given):
    done = subprocess.run(words(tmp_path, *given), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def wait_for(what, seconds=60):
    until = CLOCK.now_ns() + seconds * 10**9
    while not what():
        assert CLOCK.now_ns() < until
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 20_000_000)


@contextlib.contextmanager
def started(tmp_path, frames):
    """Start a session; give its process and folder once so many rows are on disk."""
    running = subprocess.Popen(
        words(tmp_path, "run", "--pace", "real", "--seed", 4), cwd=ROOT, stderr=subprocess.PIPE, text=True
    )

    def begun():
        assert running.poll() is None, running.communicate()
        found = [*(tmp_path / "data").glob(f"{MOUSE}/*/S1/frames.csv")]
        return bool(found) and count_recorded(found[0])[0] >= frames

    try:
        wait_for(begun)
        [log] = (tmp_path / "data").glob(f"{MOUSE}/*/S1/frames.csv")
        yield running, log.parent
    finally:
        running.kill()
        running.communicate()


def kill(running, *, recorder):
    """Kill the controller, and its recorder with it, or let that write the rest."""
    children = children_of(running.pid)
    for pid in (*children, running.pid) if recorder else (running.pid,):
        os.kill(pid, signal.SIGKILL)
    running.wait(20)
    for pid in children:
        await_end(pid)


@pytest.mark.parametrize("recorder", [True, False], ids=["with its recorder", "alone"])
def test_a_killed_session_is_recovered_and_resumed(tmp_path, recorder):
    import h5py

    with started(tmp_path, 150) as (running, session):
        code, _, said = call(tmp_path, "recover", session)
        assert code == 2
        assert "still running" in said
        assert len(said.splitlines()) == 1
        kill(running, recorder=recorder)
    assert has_mark(session / "image_stream.hdf5") == recorder
    with open_session(session) as recording:
        images = np.array(recording.images()[:])
        frames = recording.frames
    code, out, said = call(tmp_path, "recover", session, "--json")
    assert code == 0, said
    told = json.loads(out)
    assert (told["recovered"], told["outcome"], told["frames"]) == (True, "recovered", len(frames))
    assert told["trials"] == np.count_nonzero(frames.outcome) > 0
    assert told["images"] == len(images) >= len(frames)
    with h5py.File(session / "image_stream.hdf5", "r") as file:
        assert (file["raw_images"][:] == images).all()
    assert (session / "session.png").read_bytes()[:4] == b"\x89PNG"
    code, out, said = call(tmp_path, "recover", session)
    assert code == 0, said
    assert "nothing to recover" in out
    code, out, said = call(tmp_path, "run", "--resume", "--json")
    assert code == 0, said
    second = json.loads(out)
    assert second["session"] == str(session.with_name("S2"))
    assert second["trials"] == 30 - told["trials"]
    table = rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")
    assert [(row["session"], row["outcome"]) for row in table] == [("S1", "recovered"), ("S2", "complete")]


def test_a_recovery_that_is_killed_at_any_moment_is_done_again(tmp_path):
    with started(tmp_path, 120) as (running, session):
        kill(running, recorder=True)
    with open_session(session) as recording:
        images = np.array(recording.images()[:])
    chance = random.Random(6)
    for _ in range(6):
        with subprocess.Popen(
            words(tmp_path, "recover", session), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as recovering:
            CLOCK.sleep_until_ns(CLOCK.now_ns() + round(chance.uniform(0.2, 2.5) * 1e9))
            recovering.kill()
        with open_session(session) as recording:
            assert (recording.images()[:] == images).all()
    code, _, said = call(tmp_path, "recover", session)
    assert code == 0, said
    with open_session(session) as recording:
        assert recording.meta["outcome"] == "recovered"
        assert recording.meta["counts"]["images"] == len(images)
        assert (recording.images()[:] == images).all()
    assert len(rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")) == 1
    assert (session / "session.png").is_file()
