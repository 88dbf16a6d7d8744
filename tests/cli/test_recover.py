"""``rigloop recover`` and ``rigloop run --resume``: what they print, and their exit codes."""

import json
import shutil

import pytest

from core.clock import MonotonicClock
from recording.folder import read_session_json, write_session_json
from recording.hdf5_mark import has_mark
from recording.reader import open_session
from session.locks import mouse_lock
from tests.cli.words import QUICK, run_words
from tests.support.killed import as_killed
from tests.support.sessions import run, settings_for


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A session of two trials, killed after the first."""
    keys = dict(word.split("=") for word in QUICK if "=" in word)
    settings = settings_for(tmp_path_factory.mktemp("killed"), **keys)
    folder = run(settings, clock=MonotonicClock()).session
    with open_session(folder) as recording:
        first = int(recording.frames.outcome.nonzero()[0][0]) + 3
    as_killed(folder, rows=first)
    return folder


@pytest.fixture
def session(original, tmp_path):
    folder = tmp_path / "data" / "/".join(original.parts[-3:])
    shutil.copytree(original, folder)
    return folder


def test_a_killed_session_is_recovered_told_and_not_touched_again(rigloop, session):
    code, out, err = rigloop("recover", session)
    assert code == 0, err
    assert "mended      image_stream.hdf5 is marked as being written no more" in out
    assert "outcome     recovered: its program was killed, or the power failed" in out
    assert "trials      1," in out
    assert str(session / "session.png") in out
    assert not has_mark(session / "image_stream.hdf5")
    code, out, err = rigloop("recover", session)
    assert (code, out) == (0, f"nothing to recover: {session} is recovered\n"), err


def test_json_is_one_line(rigloop, session):
    for first in (True, False):
        code, out, err = rigloop("recover", session, "--json")
        assert code == 0, err
        told = json.loads(out)
        assert (told["outcome"], told["recovered"], told["session"]) == ("recovered", first, str(session))
    assert len(out.splitlines()) == 1


def test_what_is_refused_is_one_line_and_exit_code_2(rigloop, session, tmp_path):
    with mouse_lock(tmp_path / "data", "DEMO"):
        code, out, err = rigloop("recover", session)
    assert (code, out) == (2, "")
    assert "still running" in err.splitlines()[-1]
    code, out, err = rigloop("recover", tmp_path)
    assert (code, out) == (2, "")
    assert "give the folder S1 of a session" in err
    assert read_session_json(session)["outcome"] == "running"


def test_a_killed_session_is_recovered_and_resumed(rigloop, config, tmp_path, session):
    code, out, err = rigloop(*run_words(config, tmp_path, "--json", "--resume"))
    assert code == 0, err
    assert f"rigloop run: recovered {session}, which was killed" in err
    assert f"rigloop run: resuming {session} (recovered) after 1 of 2 trials, threshold 0.02" in err
    told = json.loads(out)
    assert (told["session"], told["trials"]) == (str(session.with_name("S2")), 1)
    assert read_session_json(session)["outcome"] == "recovered"
    code, out, err = rigloop(*run_words(config, tmp_path, "--resume"))
    assert (code, out) == (2, "")
    assert "is complete; run without --resume" in err
    assert sorted(path.name for path in session.parent.iterdir()) == ["S1", "S2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "reward_threshold=0.1"), "--set reward_threshold: a resumed session goes on"),
        (("--seed", "77"), "leave --seed out"),
    ],
)
def test_what_a_resumed_session_refuses_is_refused_before_it_is_recovered(
    rigloop, config, tmp_path, session, words, said
):
    before = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    quick = [word for word in run_words(config, tmp_path, "--resume") if word != "reward_threshold=0.02"]
    at = max(at for at, word in enumerate(quick) if word == "--set")
    quick[at : at + 1] = words if words[0] == "--set" else ("--set", "reward_threshold=0.02", *words)
    code, out, err = rigloop(*quick)
    assert (code, out) == (2, "")
    assert said in err
    assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("words", [("recover",), ("replay",), ("export", "--clopy")])
def test_an_empty_path_is_not_the_current_folder(rigloop, session, monkeypatch, words):
    monkeypatch.chdir(session)
    code, out, err = rigloop(words[0], "", *words[1:])
    assert (code, out) == (2, "")
    assert "argument SESSION: it is empty; give a path" in err
    assert len(err.splitlines()) == 1


def test_a_session_whose_recorder_died_is_resumed_after_what_its_tables_have(rigloop, config, tmp_path, session):
    """The session had counted a trial more than its recorder had written."""
    assert rigloop("recover", session)[0] == 0
    meta = read_session_json(session)
    counted = meta["counts"] | {"frames": meta["counts"]["frames"] + 4, "trials": 2}
    write_session_json(session, meta | {"outcome": "failed", "error": "died", "counts": counted})
    code, out, err = rigloop(*run_words(config, tmp_path, "--json", "--resume"))
    assert code == 0, err
    assert "S1: session.json has the counts of the tables: frames" in err
    assert f"resuming {session} (failed) after 1 of 2 trials" in err
    code, out, err = rigloop("sessions", "--data-root", tmp_path / "data", "--json")
    assert code == 0, err
    assert sum(json.loads(line)["trials"] for line in out.splitlines()) == 2


def test_images_that_are_gone_are_asked_for_or_given_up(rigloop, session):
    (session / "image_stream.hdf5").unlink()
    code, out, err = rigloop("recover", session)
    assert (code, out) == (2, "")
    assert "image_stream.hdf5 is not there" in err.splitlines()[-1]
    code, out, err = rigloop("recover", session, "--without-images")
    assert code == 0, err
    assert "images recorded 0" in out


def test_nothing_to_resume_makes_nothing(rigloop, config, tmp_path):
    code, out, err = rigloop(*run_words(config, tmp_path, "--resume"))
    assert (code, out) == (2, "")
    assert "--resume: mouse DEMO has no session in" in err
    assert not (tmp_path / "data").exists()
