"""The log and the config of movement sessions given out as CLoPy's: their letter is the sample's."""

import pytest

from core.clock import local_datetime
from recording.clopy import ClopyExport, export_clopy, write_clopy_files
from recording.reader import open_session
from tests.recording.clopy_movement import (
    META,
    NAN,
    PX,
    SETTINGS,
    STARTED,
    STEM,
    config_of,
    log_of,
    make_session,
    movement_row,
    record,
    skipped_row,
)


def type_of(cell):
    """What a cell is written as."""
    try:
        int(cell)
    except ValueError:
        pass
    else:
        return int
    try:
        return type(float(cell))
    except ValueError:
        return str


def test_the_letter_of_a_log_is_clopys(tmp_path, shared_data):
    theirs = [
        line.split("\t")
        for line in (shared_data / "clopy/sessions/clmf/M1test/20231114221320/M1test_20231114221320.txt")
        .read_text()
        .splitlines()
    ]
    with make_session(tmp_path, [movement_row(n) for n in range(1, 40)]) as session:
        write_clopy_files(session, tmp_path / "M1" / "20240102030405" / "S1")
    ours = log_of(session.folder)
    assert ours[0] == [*theirs[0][:11], *theirs[0][11:14]]
    for mine, their in zip(ours[1:], theirs[1:], strict=False):
        assert [type_of(cell) for cell in mine] == [type_of(cell) for cell in their[: len(mine)]]
        assert len(mine[1]) == len(their[1]) == 26
    assert (session.folder / f"{STEM}.txt").read_bytes().endswith(b"\n")


def test_the_letter_of_a_row(tmp_path):
    rows = [
        movement_row(9, time_ns=5_000_000_000, trial=0, phase="rest", freq_hz=1000.0, audio=0, outcome=0),
        movement_row(10, time_ns=5_066_667_000, trial=2, freq_hz=1189.9, outcome=-1, audio=1, licks=2, signal=-4.0),
        movement_row(11, valid=False, reason="lost", signal=NAN, parts=(NAN, NAN, *[NAN, NAN, 0.0] * 2)),
    ]
    with make_session(tmp_path, rows) as session:
        assert write_clopy_files(session, session.folder) == ClopyExport(3, 0)
    at = local_datetime(STARTED // 10**9 * 10**9)
    first, second, third = log_of(session.folder)[1:]
    assert first[:8] == ["1", f"{at:%Y-%m-%d %H:%M:%S}.123456", repr(13.5 * (1 / (30 / 3.5))), *"00001"]
    speed = pytest.approx(15 * PX)
    assert [float(second[2]), *second[3:8]] == [speed, "1189", "-1", "2", "1", "2"]
    assert second[8:] == ["10.25", "20.1", "0.99", repr(59.0 + 10 / 3), repr(11.0 + 10 / 7), repr(1 / 3)]
    assert third[2] == "nan"
    assert third[8:] == ["nan", "nan", "0.0"] * 2


def test_a_session_without_images_has_a_log_and_no_video(tmp_path):
    rows = [movement_row(1), skipped_row(2), movement_row(3)]
    with make_session(tmp_path, rows) as session:
        assert export_clopy(session, tmp_path / "out") == ClopyExport(2, 1)
    names = {f"{STEM}.txt", f"{STEM}_config.ini", f"{STEM}_times.csv"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert [row[0] for row in log_of(tmp_path / "out")] == ["frame", "1", "2"]


def test_a_session_without_frames(tmp_path):
    with record(tmp_path, []) as session:
        assert write_clopy_files(session, session.folder) == ClopyExport(0, 0)
        assert export_clopy(session, tmp_path / "out") == ClopyExport(0, 0)
    assert len(log_of(tmp_path / "out")) == 1


def test_our_own_folder_stays_ours_when_it_has_clopys_files(tmp_path):
    with record(tmp_path, [movement_row(n) for n in range(1, 4)]) as session:
        write_clopy_files(session, session.folder)
        write_clopy_files(session, session.folder)
    names = {path.name for path in session.folder.iterdir()}
    assert {f"{STEM}.txt", f"{STEM}_config.ini"} <= names
    assert not {f"{STEM}.mp4", "config.ini", "VideoTimestamp.txt"} & names
    with open_session(session.folder) as back:
        assert back.meta["experiment"] == "clmf_speed"


def test_config_is_what_clopys_parser_reads(tmp_path, shared_data):
    theirs = config_of(shared_data / "clopy/sessions/clmf/M1test/20231114221320/M1test_20231114221320_config.ini")
    meta = {**META, "experiment": None}
    with make_session(tmp_path, [movement_row(1)], meta) as session:
        write_clopy_files(session, session.folder)
    section = config_of(session.folder / f"{STEM}_config.ini")
    assert section.name == theirs.name == "sentech_dlclive"
    assert set(section) <= set(theirs)
    assert section["resolution"].split(", ") == ["96", "64"]
    assert section["start_center"].split(",") == ["59", "11"]
    assert (section["speed_threshold"], section["joint_history_sec"], section["ppmm"]) == ("20", "5", "3.5")
    assert (section["adaptive_threshold"], section["reward_delay"], section["audio"]) == ("0", "0.5", "1")
    assert section["dlc_model_path"] == "/models/50%/paw.pt"
    assert section["summary_header"] == theirs["summary_header"]
    for key in set(section) & set(theirs) - {"dlc_model_path", "data_root", "video_file"}:
        assert type_of(section[key]) in (type_of(theirs[key]), float)


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"speed_threshold_px_per_frame": 12.5}, "12.5"), ({"ppmm": None}, None), ({"speed_threshold": None}, None)],
)
def test_the_threshold_in_px_per_frame(tmp_path, settings, text):
    meta = {**META, "settings": {**SETTINGS, **settings}}
    with make_session(tmp_path, [movement_row(1)], meta) as session:
        write_clopy_files(session, session.folder)
    assert config_of(session.folder / f"{STEM}_config.ini").get("speed_threshold") == text


@pytest.mark.parametrize("meta", [{"kind": "clmf"}, {"kind": "clmf", "settings": None, "mouse": "a b/c"}])
def test_metadata_may_be_absent(tmp_path, meta):
    with make_session(tmp_path, [movement_row(1)], meta) as session:
        write_clopy_files(session, session.folder)
    stem = "a_b_c_20240102030405" if meta.get("mouse") else "mouse_20240102030405"
    assert log_of(session.folder, stem)[1][2] == "nan"


def test_clopys_own_session_is_given_out_as_it_was(tmp_path, shared_data):
    source = shared_data / "clopy/sessions/clmf/M1test/20231114221320"
    stem = "M1test_20231114221320"
    with open_session(source) as session:
        export_clopy(session, tmp_path / "out")
    for name in (f"{stem}.txt", f"{stem}_config.ini"):
        assert (tmp_path / "out" / name).read_bytes() == (source / name).read_bytes()
