"""CLoPy's format: ours given out reads back as what went in, and the letter of it is that of its own logs."""

import configparser
import json
import re
from datetime import datetime

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import local_datetime
from core.errors import InputError, RecordingError, SourceError
from recording.clopy import ClopyExport, export_clopy, log_columns, write_clopy_files
from recording.folder import write_session_json
from recording.reader import open_session
from tests.recording.samples import frame_row, image, same
from tests.recording.test_csvrows import write_session

NAME_1ROI = "raspicambrain_reward_punish_1roi"
STARTED = 1_700_000_000_123_456_789
SETTINGS = {
    "data_root": "/data/50%",
    "resolution": [256, 256],
    "framerate": 15.0,
    "dff_history": 6.0,
    "ppmm": 25.6,
    "bregma": [135.0, 128.0],
    "roi_operation": "BC_L-BC_R",
    "roi_size": [0.3, 0.3],
    "audio": 1.0,
    "n_tones": 18,
    "reward_delay": 0.5,
    "reward_threshold": 0.1,
    "adaptive_threshold": True,
    "max_trial_dur": 30.0,
    "session_type": "normal_audio_normal_reward",
    "unknown_to_clopy": 3,
}
META = {
    "mouse": "M1",
    "started_wall_ns": STARTED,
    "first_frame_ns": 5_000_000_000,
    "settings": SETTINGS,
    "seeds": {"M1": {"ML": 1.8603, "AP": 0.64181}},
}


def make_session(folder, rows, names=("BC_L", "BC_R"), meta=META, images=None):
    write_session(folder, rows, names=names)
    write_session_json(folder, meta)
    if images is not None:
        with h5py.File(folder / "image_stream.hdf5", "w") as file:
            file["raw_images"] = np.stack([image(n) for n in range(images)])
    return open_session(folder)


def log_of(folder):
    text = (folder / "VideoTimestamp.txt").read_bytes().decode()
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def rule(**changes):
    return {**META, "settings": {**SETTINGS, "roi_operation": "", **changes}}


@pytest.mark.parametrize(
    ("names", "changes", "columns"),
    [
        (("M1_L",), {"roi": "M1_L"}, ["M1_Ldff"]),
        (("M1_L",), {}, ["M1_Ldff"]),
        (("M1_L",), {"roi_operation": "2*M1_L"}, ["M1_Ldff", "2*M1_Ldff"]),
        (("A", "B"), {"roi_operation": "A - B"}, ["Adff", "Bdff", "Adff-Bdff"]),
        (("A", "B"), {"roi_operation": "A"}, ["Adff", "Bdff", "Adff"]),
        (("A", "B"), {}, ["Adff", "Bdff", "signal"]),
        (
            ("M1", "M1_L", "B"),
            {"roi_operation": "(M1+M1_L)/2-B"},
            ["M1dff", "M1_Ldff", "Bdff", "(M1dff+M1_Ldff)/2-Bdff"],
        ),
        ((), {}, ["signal"]),
    ],
)
def test_header(tmp_path, names, changes, columns):
    rows = [frame_row(1, parts=tuple(0.5 for _ in names))]
    with make_session(tmp_path, rows, names, rule(**changes)) as session:
        write_clopy_files(session, tmp_path)
        first = ["frame", "time", *columns, "freq", "rew_threshold", "reward", "trial", "audio", "lick"]
        assert log_of(tmp_path)[0] == first == list(log_columns(session))
        assert len(log_of(tmp_path)[1]) == len(first)


def test_the_letter_of_a_row(tmp_path):
    rows = [
        frame_row(9, image=0, time_ns=5_000_000_000, trial=0, phase="rest", freq_hz=1000.0, audio=0, outcome=0),
        frame_row(
            10,
            image=1,
            time_ns=5_066_667_000,
            signal=-0.5,
            parts=(0.25, float("nan")),
            trial=2,
            freq_hz=1189.9,
            outcome=-1,
            audio=1,
            licks=2,
        ),
    ]
    with make_session(tmp_path, rows, images=2) as session:
        assert write_clopy_files(session, tmp_path) == ClopyExport(2, 0)
    at = local_datetime(STARTED // 10**9 * 10**9)
    assert log_of(tmp_path)[1][:2] == ["1", f"{at:%Y-%m-%d %H:%M:%S}.123456"]
    assert log_of(tmp_path)[1][5:] == ["0", "0.075", "0", "0", "0", "1"]
    expected = ["2", f"{at:%Y-%m-%d %H:%M:%S}.190123", "0.25", "nan", "-0.5", "1189", "0.075", "-1", "2", "1", "2"]
    assert log_of(tmp_path)[2] == expected
    assert (tmp_path / "VideoTimestamp.txt").read_bytes().endswith(b"\n")


def test_rows_without_image_are_left_out_and_what_they_held_moves(tmp_path):
    changes = [
        {"image": 0, "trial": 1, "licks": 1},
        {"image": -1, "trial": 1, "licks": 2, "outcome": 1},
        {"image": -1, "trial": 0, "licks": 1, "outcome": 0},
        {"image": 1, "trial": 0, "licks": 0, "outcome": 0},
        {"image": 2, "trial": 0, "licks": 0, "outcome": 0},
    ]
    rows = [frame_row(n, **change) for n, change in enumerate(changes, start=1)]
    with make_session(tmp_path, rows, images=2) as session:
        # The third image was lost with the power, after its row had been synced.
        assert export_clopy(session, tmp_path / "out") == ClopyExport(2, 3)
    log = log_of(tmp_path / "out")[1:]
    assert [(row[0], row[7], row[-1]) for row in log] == [("1", "1", "1"), ("2", "0", "3")]
    with h5py.File(tmp_path / "out" / "image_stream.hdf5", "r") as file:
        assert (file["raw_images"][:] == np.stack([image(0), image(1)])).all()


def clopy_rows(n_parts, n_rows):
    return st.lists(
        st.builds(
            frame_row,
            st.just(1),
            signal=st.floats(),
            parts=st.tuples(*[st.floats()] * n_parts),
            threshold=st.floats(),
            freq_hz=st.floats(0, 20_000),
            trial=st.integers(0, 99),
            audio=st.integers(0, 1),
            outcome=st.sampled_from([-1, 0, 1]),
            licks=st.integers(0, 9),
        ),
        min_size=n_rows,
        max_size=n_rows,
    )


@settings(deadline=None)
@given(st.data(), st.sampled_from(["M1_L", "BC_L-BC_R", "A+B-C"]))
def test_what_is_given_out_reads_back(tmp_path_factory, data, formula):
    names = tuple(re.findall(r"\w+", formula))
    steps = data.draw(st.lists(st.integers(1_000, 10**10), max_size=5))
    drawn = data.draw(clopy_rows(len(names), len(steps)))
    times = (5_000_000_000 + np.cumsum(steps, dtype=np.int64)).tolist()
    rows = [
        row._replace(frame=n + 1, image=n, time_ns=time, parts=row.parts if len(names) > 1 else (row.signal,))
        for n, (row, time) in enumerate(zip(drawn, times, strict=True))
    ]
    folder, out = tmp_path_factory.mktemp("s"), tmp_path_factory.mktemp("c")
    session = make_session(folder, rows, names, rule(roi_operation=formula))
    write_clopy_files(session, out)
    back = open_session(out)
    assert back.part_names == names
    assert back.meta["settings"] == {"roi" if len(names) == 1 else "roi_operation": formula}
    for row, copy in zip(rows, back.frames.rows(), strict=True):
        wall_ns = STARTED + row.time_ns - 5_000_000_000
        assert copy.time_ns + back.meta["started_wall_ns"] == wall_ns // 1000 * 1000
        freq = float(int(row.freq_hz)) if row.trial else 0.0
        kept = (row.frame, row.signal, row.parts, row.threshold, freq, row.trial, row.audio, row.outcome, row.licks)
        assert same(kept, (copy.frame, copy.signal, copy.parts, copy.threshold, copy.freq_hz, *copy[12:15], copy.licks))
        assert copy.phase == ("trial" if row.trial else "rest")
        assert copy.valid == np.isfinite(row.signal)


def test_the_hour_that_comes_twice(tmp_path, monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        start = 1_698_537_599_000_000_000
        rows = [frame_row(n, time_ns=n * 10**9) for n in range(1, 5)]
        session = make_session(tmp_path, rows, meta={**META, "started_wall_ns": start, "first_frame_ns": 10**9})
        write_clopy_files(session, tmp_path)
        (tmp_path / "frames.csv").unlink()
        back = open_session(tmp_path)
        assert back.frames.time_ns.tolist() == [0, 10**9, 2 * 10**9, 3 * 10**9]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_config_is_what_clopys_parser_reads(tmp_path):
    with make_session(tmp_path, [frame_row(1)]) as session:
        write_clopy_files(session, tmp_path)
    text = (tmp_path / "config.ini").read_text()
    assert text.startswith("[configsection]\nconfig = raspicambrain_reward_punish_2roi\n\n[raspicam")
    parser = configparser.ConfigParser()
    parser.read_string(text)
    section = parser[parser["configsection"]["config"]]
    assert section["resolution"].split(", ") == ["256", "256"]
    assert section["bregma"].split(", ") == ["135", "128"]
    assert section["roi_size"].split(",") == ["0.3", "0.3"]
    assert json.loads(section["seeds_mm"]) == META["seeds"]
    assert (section["max_trial_dur"], section["reward_delay"], section["adaptive_threshold"]) == ("30", "0.5", "1")
    assert section["data_root"] == "/data/50%"
    assert "unknown_to_clopy" not in section
    assert section["summary_header"].split(", ")[0] == "mouse_id"


@pytest.mark.parametrize("meta", [{}, {"settings": None}, {"experiment": "mine"}])
def test_metadata_may_be_absent(tmp_path, meta):
    folder = tmp_path / "20240102030405" / "S1"
    folder.mkdir(parents=True)
    with make_session(folder, [frame_row(1), frame_row(2)], meta=meta) as session:
        assert export_clopy(session, tmp_path / "out") == ClopyExport(2, 0)
    assert log_of(tmp_path / "out")[1][1] == "2024-01-02 03:04:05.000000"
    assert not (tmp_path / "out" / "image_stream.hdf5").exists()


def test_export_appears_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    out = tmp_path / "out"
    with make_session(folder, [frame_row(1, image=0)], images=1) as session:
        out.mkdir()
        (out / "mine.txt").write_text("")
        with pytest.raises(InputError, match="not empty"):
            export_clopy(session, out)
        (out / "mine.txt").unlink()
        assert export_clopy(session, out) == ClopyExport(1, 0)
        with pytest.raises(RecordingError, match="give another name"):
            export_clopy(session, folder / "frames.csv" / "x")
    (folder / "image_stream.hdf5").unlink()
    with (
        make_session(folder, [frame_row(1, image=1)], images=2) as session,
        pytest.raises(SourceError, match="expected 0"),
    ):
        export_clopy(session, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "s"]


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("beside", [(), ("frames.csv",), ("session.json",)])
def test_clopys_own_files_keep_their_bytes(tmp_path, beside):
    with make_session(tmp_path, [frame_row(1)]) as session:
        write_clopy_files(session, tmp_path)
        write_clopy_files(session, tmp_path)
    for name in {path.name for path in tmp_path.iterdir()} - {"VideoTimestamp.txt", "config.ini", *beside}:
        (tmp_path / name).unlink()
    before = bytes_of(tmp_path)
    with pytest.raises(InputError, match=re.escape(str(tmp_path)) + ".*give a DIR"):
        write_clopy_files(session, tmp_path)
    assert bytes_of(tmp_path) == before
    if "frames.csv" not in beside:
        with open_session(tmp_path) as theirs, pytest.raises(InputError, match="give a DIR"):
            write_clopy_files(theirs, theirs.folder)
    assert bytes_of(tmp_path) == before


def test_a_folder_that_is_missing_is_said_so(tmp_path):
    with make_session(tmp_path, []) as session, pytest.raises(RecordingError, match="make the folder first"):
        write_clopy_files(session, tmp_path / "missing")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a log of CLoPy"),
        ("frame\ttime\tcj_speed\tfreq\treward\ttrial\taudio\tlick\n", "is not a log of CLoPy"),
        ("frame\ttime\tAdff\tfreq\trew_threshold\treward\ttrial\taudio\tlick\n1\t2\n", "line 2 has 2 columns"),
        (
            "frame\ttime\tAdff\tfreq\trew_threshold\treward\ttrial\taudio\tlick\n1\tnoon\t0\t0\t0\t0\t0\t0\t0\n",
            "is damaged",
        ),
    ],
)
def test_damaged_logs(tmp_path, text, message):
    (tmp_path / "VideoTimestamp.txt").write_text(text)
    with pytest.raises(SourceError, match=message):
        open_session(tmp_path)


@pytest.mark.parametrize("kind", ["1roi", "2roi"])
def test_clopys_own_sessions(tmp_path, shared_data, kind):
    """What CLoPy's scripts wrote is read, and given out again byte for byte."""
    source = shared_data / "clopy" / "sessions" / kind / "M1test" / "20231114221324" / "S1"
    session = open_session(source)
    lines = (source / "VideoTimestamp.txt").read_text().splitlines()
    assert len(session.frames) == len(lines) - 1
    assert session.frames.frame.tolist() == list(range(1, len(lines)))
    assert session.part_names == (("M1_L",) if kind == "1roi" else ("BC_L", "BC_R"))
    assert (
        session.frames.outcome[session.frames.outcome != 0].tolist()
        == ([1, -1, -1, 1], [1, -1, -1, -1])[kind == "2roi"]
    )
    first = datetime.fromisoformat(lines[1].split("\t")[1])
    assert session.meta["started_wall_ns"] // 1000 == round(first.timestamp() * 1e6)
    write_clopy_files(session, tmp_path)
    ours, theirs = log_of(tmp_path), log_of(source)
    assert ours[0] == theirs[0]
    column = theirs[0].index("freq")
    # On the frame that starts a trial, CLoPy sounds already but still writes trial 0; ours is silent there.
    for row in theirs[1:]:
        row[column] = row[column] if row[-3] != "0" else "0"
    assert ours == theirs
    ours_config, theirs_config = configparser.ConfigParser(), configparser.ConfigParser()
    ours_config.read(tmp_path / "config.ini")
    theirs_config.read(source / "config.ini")
    name = theirs_config["configsection"]["config"]
    assert ours_config["configsection"]["config"] == name
    assert ours_config[name]["summary_header"] == theirs_config[name]["summary_header"]


def config_of_clopy(clopy, kind):
    """A session's config.ini as CLoPy wrote it for two ROIs, as it would for one."""
    if kind == "2roi":
        return (clopy / "sessions" / "2roi" / "M1test" / "20231114221324" / "S1" / "config.ini").read_text()
    sections = (clopy / "clopy_config_sections.ini").read_text().split("\n\n")
    return "\n\n".join(part for part in sections if part.startswith(("[configsection]", f"[{NAME_1ROI}]")))


@pytest.mark.parametrize("kind", ["1roi", "2roi"])
def test_config_has_clopys_values(tmp_path, shared_data, kind):
    """From the values in CLoPy's own config comes the same text."""
    text = config_of_clopy(shared_data / "clopy", kind)
    parser = configparser.ConfigParser()
    parser.read_string(text)
    section = dict(parser[parser["configsection"]["config"]])
    lists = {key: [float(x) for x in section.pop(key).split(",")] for key in ("resolution", "bregma", "roi_size")}
    meta = {"settings": {**section, **lists}, "seeds": json.loads(section["seeds_mm"])}
    names = ("M1_L",) if kind == "1roi" else ("BC_L", "BC_R")
    with make_session(tmp_path, [], names, meta) as session:
        write_clopy_files(session, tmp_path)
    squeeze = re.compile(r"(?<=[:,]) *")
    theirs = [squeeze.sub(" ", line) for line in text.splitlines()]
    ours = [squeeze.sub(" ", line) for line in (tmp_path / "config.ini").read_text().splitlines()]
    # Positions of ROIs are written by CLoPy for itself, and never read.
    expected = [line for line in theirs if not re.match(r"\w+_[lr] = \d", line)]
    assert [line for line in ours if line] == [line for line in expected if line]
