"""``rigloop replay``: what it prints, its exit code, and the figure of what would have happened."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from analysis.replay_figure import replay_figure
from cli.main import main
from recording.reader import open_session
from session.replay import replay_session
from tests.support.memory_recorder import record_with_licks


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return record_with_licks(tmp_path_factory.mktemp("original")).session


@pytest.fixture
def session(original, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(original, tmp_path / "M" / "20260102030405" / "S1")


def spoil(session):
    """Alter the licks of a row."""
    path = session / "frames.csv"
    lines = path.read_text().splitlines(keepends=True)
    lines[50] = lines[50].rstrip("\n")[:-1] + "7\n"
    path.write_text("".join(lines))


def test_an_exact_replay_ends_with_0(session, capsys):
    assert main(["replay", str(session)]) == 0
    out, err = capsys.readouterr()
    assert "0 mismatches" in out
    assert f"session     {session}" in out
    assert err == "", "a bar is for a terminal"


def test_json_is_one_line_with_what_the_issue_names(session, capsys):
    assert main(["replay", str(session), "--json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["compared"] == told["frames"] > 100
    assert (told["mismatches"], told["by_column"], told["first"], told["taken_as_recorded"]) == (0, {}, [], 0)
    assert "change" not in told


def test_a_mismatch_ends_with_1_and_is_told_with_the_versions(session, capsys):
    spoil(session)
    meta = json.loads((session / "session.json").read_text())
    meta["software"]["packages"]["numpy"] = "1.0"
    (session / "session.json").write_text(json.dumps(meta))
    assert main(["replay", str(session)]) == 1
    out = capsys.readouterr().out
    assert "1 mismatch\n" in out
    assert "differ      licks 1" in out
    assert "frame 50 licks: recorded 7, now " in out
    assert f"numpy 1.0 when recorded, {np.__version__} now" in out
    assert main(["replay", str(session), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["by_column"] == {"licks": 1}
    assert told["versions"]["numpy"] == ["1.0", np.__version__]


def test_what_would_have_happened_is_a_table_and_a_figure(session, tmp_path, capsys):
    assert main(["replay", str(session), "--set", "reward_threshold=0.012"]) == 0
    out = capsys.readouterr().out
    assert "open loop" in out
    assert "first difference: 1.000 s, frame 16, trial 1: freq_hz" in out
    table = {line.split("  ")[0]: line.split()[-2:] for line in out.splitlines() if line}
    assert table["trials"] == ["4", "4"]
    assert table["threshold at the end"] == ["0.03", "0.012"]
    picture = tmp_path / "replay-M-20260102030405.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture.name) in out


def test_a_recording_that_ends_before_is_told(session, capsys):
    words = ["--set", "total_trials=9", "--output", "here.png", "--json"]
    assert main(["replay", str(session), *words]) == 0
    out, err = capsys.readouterr()
    assert "the recording ended before this session would have" in err
    assert json.loads(out)["change"]["ended"] == "recording"
    assert json.loads(out)["change"]["figure"] == "here.png"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "framerate=3"], "--set framerate: cannot be changed afterwards"),
        (["--output", "a.png"], "only a changed session is drawn; add --set"),
        (["--set", "reward_threshold=0.02", "--output", "none/a.png"], "there is no folder none"),
        (["--set", "reward_threshold=0.02", "--output", "session.json"], "give a name that ends with .png"),
        (["--set", "reward_threshold=0.02", "--output", "M/a.pdf"], "give a name that ends with .png"),
        (["--set", "reward_threshold"], "write key=value"),
    ],
)
def test_what_is_wrong_is_one_line(session, tmp_path, words, told, capsys):
    assert main(["replay", str(session), *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rigloop replay: ")
    assert told in err
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("*.png"))


def test_a_figure_that_cannot_be_written_is_one_line(session, tmp_path, capsys):
    (tmp_path / "replay-M-20260102030405.png").mkdir()
    assert main(["replay", str(session), "--set", "reward_threshold=0.012"]) == 3
    assert capsys.readouterr().err == (
        "rigloop replay: cannot write replay-M-20260102030405.png: Is a directory; a folder stands where a file is "
        "needed: give another name\n"
    )
    assert not list(tmp_path.glob(".*"))


def test_the_figure_shows_both(session):
    change = replay_session(session, {"dff_history": "0.6", "reward_threshold": "0.02"}).change
    with open_session(session) as recorded:
        figure = replay_figure(recorded, change)
    signal, tones, trials = figure.axes
    assert [line.get_label() for line in signal.lines[:4]] == [
        "signal", "signal with the change", "threshold recorded", "threshold with the change"
    ]  # fmt: skip
    assert [line.get_label() for line in tones.lines[:2]] == ["recorded", "with the change"]
    assert len(trials.patches) == change.recorded.trials + change.changed.trials
    drops = [line for line in trials.lines if line.get_marker() == "v"]
    assert [len(line.get_xdata()) for line in drops] == [change.recorded.drops, change.changed.drops]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reward_threshold": "0.02", "n_tones": "8"}, "with reward_threshold = 0.02, n_tones = 8 (open loop)"),
        ({f"key_{n}": "a value" for n in range(9)}, "with 9 changed settings (open loop)"),
        ({"roi_operation": "+".join(["BC_L"] * 20)}, "with another roi_operation (open loop)"),
    ],
)
def test_the_figure_names_changes_as_far_as_there_is_room(session, changes, said):
    change = replace(replay_session(session, {"reward_threshold": "0.02"}).change, changes=changes)
    with open_session(session) as recorded:
        figure = replay_figure(recorded, change)
    figure.draw_without_rendering()
    [named] = [text for text in figure.texts if "open loop" in text.get_text()]
    assert named.get_text() == said
    assert not named.get_window_extent().overlaps(figure._suptitle.get_window_extent())
