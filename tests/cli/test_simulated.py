"""The simulated mouse from the command line: what it says while it is made."""

import json
import re
from pathlib import Path

from camera import factory
from tests.cli.words import run_words
from tests.support.mice import network

# With a seed, since how often forty cells fire at rest is chance: 3.5 to 6.5 spikes/s.
TINY = ("--camera", "simulated", "--set", "codegen=numpy", "--set", "framerate=10", "--seed", "1")


def test_it_says_what_it_is_and_why(rigloop, config, tmp_path):
    words = run_words(config, tmp_path, *TINY, "--set", f"network={network('tiny:build')}", "--json")
    code, out, err = rigloop(*words)
    assert code == 0, err
    assert len(out.splitlines()) == 1
    session = json.loads(out)["session"]
    said = err.splitlines()
    assert "building the network ..." in said
    told = (
        r"simulated mouse tiny: 40 cells, [456]\.?\d* spikes/s at rest, steps of 1 ms, Brian2 2\.\S+, numpy \(as .*\)"
    )
    assert any(re.fullmatch(told, line) for line in said), err
    assert "do not fire" not in err
    own = Path(network("tiny:build").removesuffix(":build"))
    assert (Path(session) / "network.py").read_bytes() == own.read_bytes()


def test_without_brian2_it_says_what_to_install(rigloop, config, tmp_path, monkeypatch):
    find_spec = factory.find_spec
    monkeypatch.setattr(factory, "find_spec", lambda name: None if name == "brian2" else find_spec(name))
    code, out, err = rigloop(*run_words(config, tmp_path, *TINY))
    assert (code, out) == (3, "")
    assert err.splitlines() == [
        "rigloop run: vid_source = simulated: Brian2 is not installed; run make setup, or use --camera replay with a "
        "recording, or --camera synthetic"
    ]
    assert rigloop("check", "--config", config)[0] == 0
