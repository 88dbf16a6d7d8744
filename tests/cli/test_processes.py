"""Commands as processes of their own: the experiment scripts, and screens and readers that are gone."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.words import QUICK, ROOT

LIMIT_S = 120
"""A session of a few seconds, and the compilation that the first one on a machine waits for."""


def script(n, *words, cwd, python=sys.executable):
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [python, str(ROOT / "brain" / f"cla_reward_punish_{n}roi.py"), *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=env, timeout=LIMIT_S)


@pytest.mark.parametrize(("n", "mouse", "other"), [(1, "DEMO", "DEMO2"), (2, "DEMO2", "DEMO")])
def test_the_experiment_scripts_run_from_any_folder_and_only_their_own_experiment(tmp_path, n, mouse, other):
    done = script(n, "--mouse", mouse, "--data-root", "here", "--json", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["session"].startswith(str(tmp_path / "here"))
    refused = script(n, "--mouse", other, "--data-root", "here2", cwd=tmp_path)
    assert refused.returncode == 2
    assert f"cla_reward_punish_{3 - n}roi.py" in refused.stderr
    assert not (tmp_path / "here2").exists()


@pytest.mark.parametrize("redirect", [">&-", "2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"])
def test_a_screen_that_takes_nothing_does_not_hurt_the_session(tmp_path, redirect):
    words = " ".join(["-m", "cli.main", "run", "--mouse", "DEMO", "--data-root", str(tmp_path), *QUICK, "--json"])
    command = f"{sys.executable} {words} {redirect}"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "complete" in (tmp_path / "expt_1roi_trial_summary.csv").read_text()


def test_a_reader_that_goes_away_does_not_hurt_the_session(tmp_path):
    words = ["-m", "cli.main", "run", "--mouse", "DEMO", "--data-root", str(tmp_path), *QUICK]
    with (tmp_path / "err").open("wb") as said:
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=said)
    process.stdout.close()
    try:
        code = process.wait(timeout=LIMIT_S)
    finally:
        process.kill()
        process.wait(timeout=LIMIT_S)
    err = (tmp_path / "err").read_text()
    assert code == 0, err
    assert "Traceback" not in err
    assert "complete" in (tmp_path / "expt_1roi_trial_summary.csv").read_text()
