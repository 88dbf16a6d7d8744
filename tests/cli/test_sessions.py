"""``rigloop sessions``: table, lines, hints and figure, and the sessions of several rigs together."""

import csv
import io
import json
import shutil

import pytest

from cli.sessions_text import table
from recording.index import INDEX_FILE, read_index
from session.mouse_days import mouse_days
from tests.support.recorded_folders import CALIBRATION, DATE, put_clopy, put_session
from tests.support.recorded_folders import root as root


@pytest.fixture
def sessions(rigloop, root):
    return lambda *words: rigloop("sessions", "--data-root", root, *words)


def records(out):
    return list(csv.DictReader(io.StringIO(out)))


def test_the_table_has_a_line_per_mouse_and_day(sessions, root):
    put_session(root, "M1", DATE, outcome="aborted", calibration=CALIBRATION)
    put_session(root, "M1", DATE, part=2, calibration=CALIBRATION, counts={"successes": 9})
    put_session(root, "a-mouse-with-a-long-name", "20261121093015", counts={"water": 0}, rig="the-rig-upstairs-left")
    put_clopy(root)
    (root / "M1" / "weights.csv").write_text("time,grams,note\n2026-11-20T17:00:00+01:00,21.5,\n")
    code, out, err = sessions()
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [" ".join(line.split()) for line in lines[:4]] == [
        "mouse day parts trials success threshold water weight rig outcome",
        "C1 2023-11-14 1 2 50 % 0.12 dF/F 0.30 s+ CLoPy",
        "M1 2026-11-20 2 24 50 % 0.06 dF/F 20.0 ul+ 21.5 g rig1 aborted,complete",
        "a-mouse-w... 2026-11-21 1 12 25 % 0.06 dF/F 0.00 s+ the-rig-u... complete",
    ]
    for name in ("day", "outcome"):
        at = lines[0].index(name)
        assert {(line[at - 2 : at], line[at] == " ") for line in lines[:4]} == {("  ", False)}
    assert lines[4].startswith("water with +: what the sessions asked for")
    assert lines[5] == f"figure {root / 'learning-curves.png'}"
    assert (root / "learning-curves.png").read_bytes()[:4] == b"\x89PNG"


def table_of(root):
    return table(mouse_days(root, read_index(root).rows)[0])


def test_a_usual_table_fits_a_screen(root):
    for day in range(10, 15):
        put_session(root, "VGAT_03", f"202611{day}093015", rig="left", calibration=CALIBRATION)
    put_session(root, "VGAT_03", "20261115093015", rig="right", outcome="aborted")
    put_session(root, "VGAT_03", "20261115093015", part=2, rig="left")
    assert max(map(len, table_of(root))) <= 100


def test_an_outcome_that_was_inferred_is_marked(sessions, root):
    for mouse, total in (("C1", 2), ("C2", 3), ("C3", None)):
        put_clopy(root, mouse, total_trials=total)
    put_clopy(root, "C4")
    (root / "C4" / "20231114221324" / "S1" / "VideoTimestamp.txt").write_text("no log\n")
    put_session(root, "M1", DATE)
    lines = table_of(root)
    assert [line.split()[-1] for line in lines[1:6]] == ["complete*", "aborted*", "CLoPy", "damaged", "complete"]
    assert lines[-1] == "outcome with *: by the number of trials; CLoPy's files record none"
    rows = records(sessions("--csv")[1])
    assert [row["format"] for row in rows] == ["clopy"] * 4 + ["rigloop"]
    assert [row["outcome"] for row in rows] == ["complete", "aborted", "", "damaged", "complete"]


def test_csv_and_json_have_all_of_every_session(sessions, root):
    put_session(root, "M1", DATE, calibration=CALIBRATION)
    put_clopy(root)
    code, out, err = sessions("--csv")
    assert (code, err) == (0, "")
    first, second = records(out)
    assert (first["path"], first["water_ul"], first["day_weight_g"]) == ("C1/20231114221324/S1", "", "")
    assert (second["duration_s"], second["success_rate"], second["day_water_from"]) == ("60.5", "0.25", "sessions")
    _, out, _ = sessions("--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["mouse"] for line in lines] == ["C1", "M1"]
    assert [list(line) for line in lines] == [list(first)] * 2
    assert {name: "" if value is None else str(value) for name, value in lines[1].items()} == second
    # They are for other programs: nothing is drawn unless asked for.
    assert not (root / "learning-curves.png").exists()
    code, out, err = sessions("--json", "--figure", root / "asked.png")
    assert len(out.splitlines()) == 2
    assert err == f"figure {root / 'asked.png'}\n"


def test_one_mouse(sessions, root):
    for mouse in ("M1", "M2"):
        put_session(root, mouse, DATE)
    _, out, _ = sessions("--mouse", "M2")
    assert [line.split()[0] for line in out.splitlines()] == ["mouse", "M2", "water", "figure"]
    assert (root / "learning-curves-M2.png").exists()
    code, out, err = sessions("--mouse", "M3")
    assert (code, out, err) == (0, "", f"no session of mouse M3 in {root}\n")


def test_no_session_at_all(sessions, root):
    assert sessions() == (0, "", f"no session in {root}\n")
    code, out, _ = sessions("--csv")
    assert (code, len(out.splitlines())) == (0, 1)


def test_killed_and_damaged_sessions_are_said_with_what_to_do(sessions, root):
    put_session(root, "M1", DATE, outcome="running")
    put_session(root, "M2", DATE, meta="{")
    code, out, err = sessions("--csv")
    assert code == 0
    assert [row["outcome"] for row in records(out)] == ["killed", "damaged"]
    killed, damaged = err.splitlines()
    assert killed == (
        f"rigloop sessions: M1/{DATE}/S1 was killed, unless it still runs on host-of-rig1; finish its folder: rigloop "
        f"recover {root}/M1/{DATE}/S1"
    )
    assert damaged.startswith(f"rigloop sessions: M2/{DATE}/S1 is damaged: M2/{DATE}/S1/session.json is damaged: ")


def test_a_session_killed_before_it_began_is_said_to_be_empty(sessions, root):
    (root / "M1" / DATE / "S1").mkdir(parents=True)
    code, out, err = sessions()
    assert code == 0
    assert " ".join(out.splitlines()[1].split()) == "M1 2026-11-20 1 killed before it began"
    assert err == (
        f"rigloop sessions: M1/{DATE}/S1 was killed before it began: there is nothing in it, and its folder may be "
        "deleted\n"
    )


def test_a_folder_that_is_no_date_is_under_no_day(sessions, root):
    put_session(root, "M1", "20269999999999")
    code, out, err = sessions()
    assert code == 0
    assert out.splitlines()[1].split()[:3] == ["M1", "1", "12"]
    assert err == (
        "rigloop sessions: M1/20269999999999/S1 stands under no day: 20269999999999 is no date; rename the folder to "
        "when the session began\n"
    )
    assert records(sessions("--csv")[1])[0]["day"] == ""


def test_an_index_that_was_spoilt_is_said_in_one_line(sessions, root):
    put_session(root, "M1", DATE)
    sessions("--csv")
    (root / INDEX_FILE).write_bytes(b"no database" * 999)
    _, _, err = sessions("--csv")
    [line] = err.splitlines()
    assert line.startswith(f"rigloop sessions: the index {root / INDEX_FILE} cannot be read")
    assert sessions("--csv", "--rebuild")[2] == ""


def test_a_figure_that_cannot_be_written(sessions, root):
    put_session(root, "M1", DATE)
    (root / "learning-curves.png").mkdir()
    code, _, err = sessions()
    assert code == 0
    assert "no figure: cannot write" in err
    assert "give another name (--figure PNG draws it elsewhere)" in err
    code, _, err = sessions("--figure", root / "nowhere" / "a.png")
    assert code == 3
    assert "make the folder first, or choose another place" in err


@pytest.mark.parametrize("name", ["session.json", "frames.csv", "curves", "curves.pdf", "there.png"])
def test_a_figure_takes_the_place_of_no_other_file(sessions, root, name):
    folder = put_session(root, "M1", DATE)
    (folder / "there.png").mkdir()
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    code, out, err = sessions("--figure", folder / name)
    assert (code, out) == (2, "")
    assert err.startswith(f"rigloop sessions: --figure {folder / name}: ")
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert not (root / INDEX_FILE).exists()


def test_a_picture_that_is_there_is_drawn_over(sessions, root):
    put_session(root, "M1", DATE)
    (root / "curves.PNG").write_bytes(b"old")
    assert sessions("--figure", root / "curves.PNG")[0] == 0
    assert (root / "curves.PNG").read_bytes().startswith(b"\x89PNG")


def test_the_data_root_is_that_of_the_config(rigloop, config, tmp_path):
    put_session(tmp_path / "data", "M1", DATE)
    code, out, _ = rigloop("sessions", "--config", config, "--csv")
    assert (code, len(out.splitlines())) == (0, 2)
    code, _, err = rigloop("sessions", "--data-root", tmp_path / "nowhere")
    assert code == 2
    assert "check the path, or give another with --data-root" in err


def test_two_rigs_under_one_data_root(sessions, root, tmp_path):
    """A mouse of both rigs, and one of each; copied with all that a rig has there, its index, too."""
    for rig, dates in (("left", ("20261120093015", "20261122093015")), ("right", ("20261120143015", "20261121093015"))):
        home = tmp_path / rig
        for date in dates:
            put_session(home, "BOTH", date, rig=rig)
        put_session(home, f"ONLY-{rig}", DATE, rig=rig)
        (home / "expt_trial_summary.csv").write_text(f"of {rig}\n")
        assert len(read_index(home).rows) == 3
        shutil.copytree(home, root, dirs_exist_ok=True)
    code, out, err = sessions("--csv")
    assert (code, err) == (0, "")
    assert [(row["mouse"], row["start_local"], row["rig"], row["host"]) for row in records(out)] == [
        ("BOTH", "2026-11-20T09:30:15", "left", "host-of-left"),
        ("BOTH", "2026-11-20T14:30:15", "right", "host-of-right"),
        ("BOTH", "2026-11-21T09:30:15", "right", "host-of-right"),
        ("BOTH", "2026-11-22T09:30:15", "left", "host-of-left"),
        ("ONLY-left", "2026-11-20T09:30:15", "left", "host-of-left"),
        ("ONLY-right", "2026-11-20T09:30:15", "right", "host-of-right"),
    ]
    assert "left,right" in table_of(root)[1]
