"""``rigloop preview``: what it prints and writes, how it ends, and what is said of bad input. No session is made."""

import sys
from dataclasses import replace

import cv2
import pytest

from recording import lock_file
from session import prepare, stop
from session.build import build
from session.locks import rig_locks
from tests.cli.words import run_words
from tests.support.sessions import Exposed, brighter

QUICK = ("--pace", "max", "--seconds", "3", "--set", "dff_history=1")


@pytest.fixture(autouse=True)
def own_rig(monkeypatch, tmp_path):
    """A rig's locks lie in a folder of the machine; each test has its own."""
    folder = tmp_path / "locks"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(lock_file, "SHARED_FOLDERS", (folder,))


def words(config, picture, *more):
    return ("preview", "--mouse", "DEMO", "--config", config, "--output", picture, "--seed", 1, *QUICK, *more)


def test_it_writes_a_picture_a_second_and_a_line_for_each_and_no_session(rigloop, config, tmp_path):
    picture = tmp_path / "look.png"
    code, out, err = rigloop(*words(config, picture))
    assert (code, err) == (0, "")
    first, *lines, last = out.splitlines()
    assert first == f"preview of DEMO: {picture}, anew every second; Ctrl-C ends it"
    assert [line.split("  ")[:2] for line in lines] == [
        ["frame 1", "0.0 s"],
        ["frame 16", "1.0 s"],
        ["frame 31", "2.0 s"],
    ]
    assert all("M1_L good (green 9" in line for line in lines)
    assert last == f"preview: its time is over after 2.9 s; 3 pictures, the last one is {picture}"
    assert cv2.imread(str(picture)).shape[1] == 1500
    assert {path.name for path in tmp_path.iterdir()} == {"config.ini", "locks", "look.png"}


def test_the_picture_goes_to_data_root_if_nothing_else_is_said(rigloop, config, tmp_path):
    data = tmp_path / "new" / "data"
    code, out, err = rigloop(
        "preview", "--mouse", "demo", "--config", config, *QUICK, "--set", f"data_root={data}", "--seed", "3"
    )
    assert code == 0, err
    assert [path.name for path in data.iterdir()] == ["preview-DEMO.png"]
    assert str(data / "preview-DEMO.png") in out


def test_a_replay_ends_with_its_recording(rigloop, config, tmp_path):
    code, _, err = rigloop(*run_words(config, tmp_path, "--seed", "3"))
    assert code == 0, err
    [session] = (tmp_path / "data").glob("DEMO/*/S1")
    before = sorted((tmp_path / "data").rglob("*"))
    code, out, err = rigloop(
        "preview", "--mouse", "DEMO", "--config", config, "--pace", "max", "--output", tmp_path / "a.png",
        "--camera", "replay", "--source", session,
    )  # fmt: skip
    assert code == 0, err
    assert "the recording has ended" in out.splitlines()[-1]
    assert sorted((tmp_path / "data").rglob("*")) == before


def test_it_goes_on_where_a_session_is_refused(rigloop, config, tmp_path, monkeypatch):
    def bright(*args):
        parts = build(*args)
        return replace(parts, camera=Exposed(parts.camera, brighter(4)))

    monkeypatch.setattr(prepare, "build", bright)
    code, out, _ = rigloop(*words(config, tmp_path / "a.png"))
    assert code == 0
    assert out.count("M1_L SATURATED in green, SATURATED in blue") == 3
    code, out, err = rigloop(*run_words(config, tmp_path))
    assert (code, out) == (2, "")
    assert [line.partition(":")[0] for line in err.splitlines()] == ["rigloop run"] * 2
    assert "ROI M1_L is saturated in green: 100.0 % of its pixels" in err
    assert not list((tmp_path / "data").rglob("*.*sv"))
    code, out, err = rigloop(*run_words(config, tmp_path, "--accept-exposure"))
    assert code == 0, err
    [events] = (tmp_path / "data").rglob("events.csv")
    assert events.read_text().count("exposure") == 2


def test_a_person_ends_it_and_that_is_no_failure(rigloop, config, tmp_path, monkeypatch):
    looked = []

    class Impatient(stop.StopRequest):
        def __bool__(self):
            looked.append(True)
            if len(looked) > 30:
                self.request("SIGINT")
            return super().__bool__()

    monkeypatch.setattr("cli.preview.StopRequest", Impatient)
    code, out, err = rigloop(*words(config, tmp_path / "a.png", "--seconds", "1000"))
    assert (code, err) == (0, "")
    assert "stopped by SIGINT" in out.splitlines()[-1]
    assert str(tmp_path / "a.png") in out.splitlines()[-1]


def test_on_a_terminal_the_line_is_written_over(rigloop, config, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert sys.stdout.isatty()
    code, out, _ = rigloop(*words(config, tmp_path / "a.png"))
    assert code == 0
    _, over, last = out.split("\n")[:3]
    assert over.count("\r") == 3
    assert all(len(part) < 100 for part in over.split("\r"))
    assert last.startswith("preview: ")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param(("--output", "nowhere/at/all/a.png"), "cannot be written there", id="no such folder"),
        pytest.param(("--output", "."), "ends with .png", id="a folder"),
        pytest.param(("--output", "folder.png"), "this is a folder", id="a folder of that name"),
        pytest.param(("--output", "a.jpg"), "ends with .png", id="another format"),
        pytest.param(("--output", "file/a.png"), "Not a directory", id="a file in the way"),
        pytest.param(("--seconds", "0"), "--seconds 0", id="no time"),
        pytest.param(("--seconds", "nan"), "--seconds nan", id="time that is none"),
        pytest.param(("--seconds", "x"), "--seconds", id="time is a word"),
        pytest.param(("--mouse", "NOBODY"), "no mouse 'NOBODY'", id="no such mouse"),
        pytest.param(("--camera", "replay", "--source", "nowhere"), "no such file", id="no such recording"),
        pytest.param(("--set", "framerat=3"), "did you mean framerate", id="unknown key"),
        pytest.param(("--seed", "-1"), "--seed -1", id="negative seed"),
        pytest.param(("--experiment", "clnf_9roi"), "did you mean", id="unknown experiment"),
        pytest.param(("--json",), "--json", id="an option of run"),
    ],
)
def test_bad_input_is_one_clear_line_exit_code_2_and_nothing_made(rigloop, config, tmp_path, monkeypatch, more, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = rigloop(*words(config, "a.png", *more))
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_second_preview_on_the_rig_is_refused(rigloop, config, tmp_path):
    with rig_locks("rig1", "OTHER")[0]:
        code, out, err = rigloop(*words(config, tmp_path / "a.png", "--pace", "real"))
    assert (code, out) == (2, "")
    assert err.startswith("rigloop preview: rig rig1 is in a session or preview that is still running (process ")
    assert len(err.splitlines()) == 1


def test_a_picture_that_cannot_be_replaced_any_more_ends_it(rigloop, config, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recording.folder.os.replace", full)
    code, _, err = rigloop(*words(config, tmp_path / "a.png"))
    assert code == 3
    assert "cannot write" in err
    assert [path.name for path in tmp_path.glob("*.tmp")] == []
