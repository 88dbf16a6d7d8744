"""The list of sessions and the learning curve, as the page is given them."""

import csv
import io
import os

import pytest

import recording.index
from core.errors import RecordingError
from dashboard.lookback import Reading, csv_text, curve, data_roots, read_roots, session_list
from dashboard.session_keys import find_session
from recording.index_live import MOUSE_LOCK
from recording.lock_file import hold_file
from tests.support.recorded_folders import CALIBRATION, DATE, put_clopy, put_session
from tests.support.recorded_folders import root as root

NEXT = "20261121093015"
WEIGHTS = "time,grams,note\n2026-11-20T08:00:00+01:00,21.5,\n2026-11-22T08:00:00+01:00,22,\n"


def listed(root, mouse=None):
    return session_list(read_roots([root]), mouse)


def test_sessions_come_newest_first_with_what_they_came_to(root):
    put_session(root, "M1", DATE, calibration=CALIBRATION)
    put_session(root, "M1", DATE, part=2, outcome="aborted", started_wall_ns=1_795_200_000_000_000_000)
    put_session(root, "M2", NEXT, rig="left", counts={"trials": 0, "successes": 0})
    put_clopy(root)
    (root / "M1" / "weights.csv").write_text(WEIGHTS)
    found = listed(root)
    assert [each["session"] for each in found["sessions"]] == [
        f"M2/{NEXT}/S1", f"M1/{DATE}/S2", f"M1/{DATE}/S1", "C1/20231114221324/S1",
    ]  # fmt: skip
    assert found["mice"] == [
        {"mouse": "C1", "sessions": 1}, {"mouse": "M1", "sessions": 2}, {"mouse": "M2", "sessions": 1},
    ]  # fmt: skip
    first = found["sessions"][2]
    known = {
        "mouse": "M1", "day": "2026-11-20", "part": 1, "experiment": "clnf_1roi", "kind": "clnf", "outcome": "complete",
        "trials": 12, "successes": 3, "threshold": 0.06, "threshold_unit": "dF/F", "water_ul": 10.0, "weight_g": 21.5,
        "rig": "rig1", "hint": "", "outputs": "real", "duration_s": 60.5, "start_local": "2026-11-20T09:30:15",
    }  # fmt: skip
    assert {key: first[key] for key in known} == known
    assert [each["weight_g"] for each in found["sessions"]] == [None, 21.5, 21.5, None]
    for each in found["sessions"]:
        assert find_session([root], each["key"]) == (root, each["session"])


def test_of_one_mouse_the_others_are_still_named(root):
    put_session(root, "M1", DATE)
    put_session(root, "M2", DATE)
    found = listed(root, "M2")
    assert [each["mouse"] for each in found["sessions"]] == ["M2"]
    assert [each["mouse"] for each in found["mice"]] == ["M1", "M2"]
    assert listed(root, "M3")["sessions"] == []


def test_a_session_that_did_not_end_says_what_to_do(root):
    put_session(root, "M1", DATE, outcome="running")
    put_session(root, "M2", DATE, meta="{ broken")
    put_session(root, "M3", DATE, outcome="running")
    held = hold_file(root / "M3" / MOUSE_LOCK)
    try:
        found = {each["mouse"]: each for each in listed(root)["sessions"]}
    finally:
        os.close(held)
    assert found["M1"]["outcome"] == "killed"
    assert found["M1"]["hint"].endswith(f"finish its folder: rigloop recover {root}/M1/{DATE}/S1")
    assert (found["M2"]["outcome"], found["M2"]["trials"]) == ("damaged", None)
    assert found["M2"]["hint"].startswith(f"M2/{DATE}/S1 is damaged: ")
    assert (found["M3"]["outcome"], found["M3"]["hint"], found["M3"]["trials"]) == ("running", "", None)


def test_what_is_in_the_index_is_not_read_again(root, monkeypatch):
    """Thousands of sessions are listed by one look at the index; of the folders no file is opened."""
    for day in range(10, 30):
        put_session(root, f"M{day % 5}", f"202611{day}093015")
    listed(root)
    asked = []
    for name in ("read_row", "load_index", "save_index"):
        real = getattr(recording.index, name)
        monkeypatch.setattr(
            recording.index, name, lambda *words, name=name, real=real: asked.append(name) or real(*words)
        )
    assert len(listed(root)["sessions"]) == 20
    assert asked == ["load_index"]
    put_session(root, "M1", "20261201093015")
    assert len(listed(root)["sessions"]) == 21
    assert asked == ["load_index", "load_index", "read_row", "save_index"]


def test_several_data_roots_are_listed_together(root, tmp_path):
    put_session(root, "M1", DATE)
    put_session(tmp_path / "other", "M1", NEXT)
    roots = read_roots([root, tmp_path / "other", tmp_path / "none"])
    found = session_list(roots, None)
    assert [each["session"] for each in found["sessions"]] == [f"M1/{NEXT}/S1", f"M1/{DATE}/S1"]
    assert len({each["key"].partition("/")[0] for each in found["sessions"]}) == 2
    assert found["mice"] == [{"mouse": "M1", "sessions": 2}]
    assert found["notes"] == [f"{tmp_path / 'none'} is not there yet"]
    assert [day["date"] for day in curve(roots, "M1")["days"]] == ["2026-11-20", "2026-11-21"]
    assert len(csv_text(roots, None).splitlines()) == 3


def test_a_curve_has_every_day_that_is_known(root):
    put_session(root, "M1", DATE, calibration=CALIBRATION)
    put_session(root, "M1", DATE, part=2, calibration=CALIBRATION, counts={"successes": 9, "threshold": 0.07})
    put_session(root, "M2", DATE)
    (root / "M1" / "weights.csv").write_text(WEIGHTS)
    found = curve(read_roots([root]), "M1")
    first, last = found["days"]
    assert first == {
        "date": "2026-11-20", "sessions": 2, "success": 0.5, "trials": 24, "threshold": 0.07, "threshold_unit": "dF/F",
        "water_s": pytest.approx(2.4), "water_ul": 20.0, "water_from": "sessions", "weight_g": 21.5, "rigs": ["rig1"],
    }  # fmt: skip
    assert last == {
        "date": "2026-11-22", "sessions": 0, "success": None, "trials": None, "threshold": None, "threshold_unit": "",
        "water_s": None, "water_ul": None, "water_from": "", "weight_g": 22.0, "rigs": [],
    }  # fmt: skip


def test_weights_that_cannot_be_read_are_a_note(root):
    put_session(root, "M1", DATE)
    (root / "M1" / "weights.csv").write_text("time,grams,note\n2026-11-20T08:00:00+01:00,heavy,\n")
    roots = read_roots([root])
    for found in (session_list(roots, None), curve(roots, "M1")):
        [note] = found["notes"]
        assert "weights.csv" in note


def test_the_table_is_that_of_the_command(root, rigloop_csv):
    put_session(root, "M1", DATE)
    put_session(root, "M2", DATE, rig='a "rig", old')
    for mouse in (None, "M2"):
        text = csv_text(read_roots([root], mouse), mouse)
        assert text == rigloop_csv(root, mouse)
        assert [row["mouse"] for row in csv.DictReader(io.StringIO(text))] == (["M2"] if mouse else ["M1", "M2"])


@pytest.fixture
def rigloop_csv(capsys):
    from cli.main import main

    def run(root, mouse):
        words = ["sessions", "--csv", "--data-root", str(root), *(["--mouse", mouse] if mouse else [])]
        assert main(words) == 0
        return capsys.readouterr().out

    return run


def test_a_long_look_is_counted_and_can_be_stopped(root):
    for day in range(10, 15):
        put_session(root, "M1", f"202611{day}093015")
    reading = Reading()
    read_roots([root], None, reading.count)
    assert (reading.done, reading.total) == (5, 5)
    read_roots([root], None, reading.count)
    assert (reading.done, reading.total) == (5, 5)
    (root / ".rigloop-index.sqlite").unlink()
    stopped = Reading(stop=True)
    with pytest.raises(RecordingError, match="being closed"):
        read_roots([root], None, stopped.count)


def test_where_sessions_are(tmp_path):
    config = tmp_path / "config.ini"
    config.write_text(
        "[clnf_a]\nroi = M1_L\n[mouse:M1]\nexperiment = clnf_a\ndata_root = one\n"
        "[mouse:M2]\nexperiment = clnf_a\n[mouse:M3]\nexperiment = clnf_a\ndata_root = one\n"
    )
    assert data_roots(config, None) == [tmp_path / "data", tmp_path / "one"]
    assert data_roots(config, str(tmp_path / "given")) == [tmp_path / "given"]
