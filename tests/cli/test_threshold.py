"""``rigloop threshold``: found, saved, and what is said where it cannot be."""

import io
import json
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from cli.main import main
from tests.cli.conftest import signals_kept
from tests.cli.words import ROOT, run_words


@pytest.fixture(scope="module")
def rested(tmp_path_factory):
    """Run a resting session, once for all tests of this file."""
    folder = tmp_path_factory.mktemp("rested")
    keys = ("session_type=behavior_recording", "spont_sess_duration=3", "record_images=0", "resolution=64,64",
            "ppmm=6.4", "bregma=34,32")  # fmt: skip
    words = ("--seed", "2", *(word for key in keys for word in ("--set", key)))
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, signals_kept(), redirect_stdout(said):
        patch.setenv("RIGLOOP_STATE", str(folder / "state"))
        assert main([str(word) for word in run_words(ROOT / "config.ini", folder, "--json", *words)]) == 0
    return Path(json.loads(said.getvalue())["session"])


@pytest.fixture
def resting(rested, tmp_path):
    """Return a copy of it, which a test may damage."""
    return shutil.copytree(rested, tmp_path / "data" / "DEMO" / rested.parent.name / "S1")


def test_threshold_from_a_resting_session_is_found_and_saved(rigloop, config, resting):
    code, out, err = rigloop("threshold", "--session", resting, "--rate", "3", "--config", config)
    assert code == 0, err
    found = float(out.split()[1].rstrip(":"))
    assert 0.01 < found < 0.2
    assert f"reward_threshold = {found}" not in config.read_text()
    code, out, err = rigloop("threshold", "--session", resting, "--success", "0.25", "--save", "--config", config)
    assert code == 0, err
    saved = out.split()[1].rstrip(":")
    section = config.read_text().split("[mouse:DEMO]")[1].split("\n[")[0]
    assert saved in section


def test_the_saved_threshold_gives_what_was_asked_for(rigloop, config, resting):
    """Five decimals, rounded up, would miss the very peak that was found."""
    for share in (0.1, 0.2, 0.3, 0.5):
        code, out, err = rigloop("threshold", "--session", resting, "--success", share, "--config", config)
        assert code == 0, err
        assert float(out.split(" % of trials")[0].split("in ")[-1]) >= 100 * share


def test_a_log_that_lost_rows_has_no_threshold(rigloop, config, resting):
    path = resting / "frames.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:1500]))
    code, out, err = rigloop("threshold", "--session", resting, "--rate", "3", "--config", config)
    assert (code, out) == (2, "")
    assert f"rigloop threshold: {path}: has 1499 frames of the " in err
    assert err.count("\n") == 1


def test_a_threshold_of_a_session_that_does_not_say_whose_it_is(rigloop, config, resting, tmp_path):
    shutil.copytree(resting, tmp_path / "S1", ignore=shutil.ignore_patterns("session.json", "frames.csv"))
    words = ("threshold", "--session", tmp_path / "S1", "--rate", "3", "--config", config, "--save")
    code, _, err = rigloop(*words)
    assert code == 2
    assert "--mouse" in err
    code, out, err = rigloop(*words, "--mouse", "DEMO2")
    assert code == 0, err
    assert "[mouse:DEMO2]" in out


@pytest.mark.parametrize("words", [("--rate", "1e9"), ("--success", "2"), ("--rate", "nan"), ()])
def test_a_threshold_that_cannot_be_found_says_why(rigloop, config, resting, words):
    code, _, err = rigloop("threshold", "--session", resting, *words, "--config", config)
    assert code == 2
    assert len(err.strip().splitlines()) == 1


def with_json(session, change):
    """Change session.json as a person or a bad disk might."""
    file = session / "session.json"
    meta = json.loads(file.read_text())
    change(meta)
    file.write_text(json.dumps(meta))
    return file


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda meta: meta.update(settings=None), '"settings" is null, not an object'),
        (lambda meta: meta.update(settings=[1]), '"settings" is [1], not an object'),
        (lambda meta: meta["settings"].update(max_trial_dur="abc"), '"max_trial_dur" of "settings" is "abc"'),
        (lambda meta: meta["settings"].update(max_trial_dur=None), '"max_trial_dur" of "settings" is null'),
        (lambda meta: meta["settings"].update(max_trial_dur=True), '"max_trial_dur" of "settings" is true'),
        (lambda meta: meta["settings"].update(max_trial_dur=0), "is 0, not a number above 0"),
        (lambda meta: meta["settings"].update(max_trial_dur=float("nan")), '"max_trial_dur" of "settings" is NaN'),
        (lambda meta: meta["settings"].update(tone_floor={}), '"tone_floor" of "settings" is {}, not a number'),
        (lambda meta: meta["settings"].update(tone_floor=float("inf")), '"tone_floor" of "settings" is Infinity'),
        (lambda meta: meta.update(mouse=["DEMO"]), '"mouse" is ["DEMO"], not a name'),
    ],
)
def test_a_session_json_that_is_damaged_is_one_line_with_file_key_and_cure(rigloop, config, resting, change, said):
    file = with_json(resting, change)
    before = config.read_bytes()
    code, _, err = rigloop("threshold", "--session", resting, "--rate", "3", "--config", config, "--save")
    assert code == 2
    [line] = err.splitlines()
    assert line.startswith(f"rigloop threshold: {file}: ")
    assert said in line
    assert "restore it from a copy, or correct it by hand" in line
    assert config.read_bytes() == before


def test_a_session_without_the_settings_is_taken_as_clopys_are(rigloop, config, resting):
    with_json(resting, lambda meta: meta.pop("settings"))
    code, _, err = rigloop("threshold", "--session", resting, "--rate", "3", "--config", config)
    assert code == 0, err
