"""A session on real cortical recordings: water exactly where an independent computation finds the crossings."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recording.reader import open_session
from tests.session import oracle

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def recording(shared_data, tmp_path_factory):
    out = tmp_path_factory.mktemp("rec1")
    command = [sys.executable, str(shared_data / "make_recording.py"), str(out)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    roi = tuple(int(word) for word in said.split("roi = ")[1].split(","))
    return out, roi


def rigloop(*words, cwd):
    command = [sys.executable, "-m", "cli.main", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_the_oracle_imports_nothing_of_the_project():
    tree = ast.parse(Path(oracle.__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names | modules == {"h5py", "numpy", "__future__"}


@pytest.mark.parametrize("threshold", [0.03, 0.05, 0.1, 0.2])
def test_rewards_are_where_the_oracle_finds_the_crossings(recording, tmp_path, threshold):
    out, roi = recording
    done = rigloop(
        "run", "--mouse", "REC1", "--camera", "replay", "--source", out, "--data-root", tmp_path, "--json",
        "--set", f"reward_threshold={threshold}", "--set", "total_trials=9", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    with open_session(Path(summary["session"])) as session:
        frames, settings = session.frames, session.meta["settings"]
    assert settings["roi.N47"] == "{},{},{},{}".format(*roi), "config.ini's ROI is the one the script prints"
    times, signal = oracle.dff(out / "image_stream.hdf5", roi, 30.0, settings["dff_history"])
    n = len(frames.signal)
    valid = ~np.isnan(signal[:n])
    assert (frames.valid == valid).all()
    np.testing.assert_allclose(frames.signal[valid], signal[:n][valid], rtol=0, atol=1e-12)
    water, outcomes = oracle.rewards(
        times, signal, threshold=threshold, trials=9, initial_rest=settings["initial_rest_dur"],
        max_trial=settings["max_trial_dur"], success_rest=settings["success_rest_dur"],
        fail_rest=settings["fail_rest_dur"], reward_delay=settings["reward_delay"],
    )  # fmt: skip
    assert np.flatnonzero(frames.water).tolist() == water
    assert frames.outcome[frames.outcome != 0].tolist() == outcomes[: summary["trials"]]
    assert summary["rewards"] == len(water)
