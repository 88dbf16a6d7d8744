"""``network = FILE.py:FUNCTION``, from the command line: a wrong one is refused, a failing one ends its session."""

import json
import subprocess
import sys

import pytest

from tests.cli.words import ROOT, run_words

NETWORK = """
import brian2 as b2
from insilico import Tissue
b2.defaultclock.dt = 1 * b2.ms
print("at the top")
def build(preparation):
    print("in build")
    cells = b2.NeuronGroup(20, "dv/dt = (1.5 - v) / (20*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
    def hear(freq_hz):
        print("heard", freq_hz)
        HEAR
    return Tissue(b2.Network(cells), {"M1_L": cells}, hear=hear, settle_s=0.5, name="of tests")
"""


@pytest.fixture
def rigloop(tmp_path):
    """Run a session with a network of this text in a process of its own; return it when it has ended."""

    def call(text):
        path = tmp_path / "network.py"
        path.write_text(text, encoding="utf-8")
        words = run_words(ROOT / "config.ini", tmp_path, "--camera", "simulated", "--json")
        words += ("--set", f"network={path}:build", "--set", "codegen=numpy", "--set", "resolution=64,48")
        words += ("--set", "ppmm=6", "--set", "bregma=24,32")
        command = [sys.executable, "-m", "cli.main", *map(str, words)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)

    return call


def test_what_a_network_prints_is_for_the_screen(rigloop):
    done = rigloop(NETWORK.replace("HEAR", "pass"))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert json.loads(done.stdout)["outcome"] == "complete"
    for text in ("at the top", "in build", "heard 1000.0", "simulated mouse of tests: 20 cells, "):
        assert text in done.stderr


def test_a_wrong_network_is_one_line_and_nothing_is_made(rigloop, tmp_path):
    done = rigloop(NETWORK.replace('"M1_L": cells', '"V1_R": cells'))
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = [line for line in done.stderr.splitlines() if line.startswith("rigloop run:")]
    assert f"network = {tmp_path}/network.py:build: imaged has region 'V1_R', the experiment has M1_L; use" in line
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "data").rglob("*.csv"))
    assert not list((tmp_path / "data").glob("DEMO/*/*"))


def test_a_network_that_fails_ends_its_session(rigloop, tmp_path):
    done = rigloop(NETWORK.replace("HEAR", "raise RuntimeError('deaf')"))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    said = json.loads(done.stdout)
    assert "the network failed: line 11: RuntimeError: deaf" in said["error"]
    [folder] = (tmp_path / "data").glob("DEMO/*/S1")
    assert json.loads((folder / "session.json").read_text())["outcome"] == said["outcome"]
    trace = (folder / "error.txt").read_text()
    assert "raise RuntimeError('deaf')" in trace
