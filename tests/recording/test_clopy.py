"""CLoPy's log and config: ours given out reads back as what went in, and the letter of it is CLoPy's."""

import configparser
import json
import re

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import local_datetime
from recording.clopy import ClopyExport, export_clopy, write_clopy_files
from recording.clopy_clnf import log_columns
from recording.reader import open_session
from tests.recording.clopy_sessions import META, SETTINGS, STARTED, log_of, make_session, rule
from tests.recording.samples import frame_row, image, same


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
    key, other = ("roi", "roi_operation")[:: 1 if len(names) == 1 else -1]
    assert (back.meta["settings"][key], back.meta["formula"]) == (formula, formula)
    assert other not in back.meta["settings"]
    for key in ("framerate", "ppmm", "bregma", "resolution", "dff_history", "max_trial_dur", "data_root"):
        assert back.meta["settings"][key] == SETTINGS[key]
    assert back.meta["seeds"] == META["seeds"]
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
        for name in ("frames.csv", "session.json"):
            (tmp_path / name).unlink()
        back = open_session(tmp_path)
        assert back.frames.time_ns.tolist() == [0, 10**9, 2 * 10**9, 3 * 10**9]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_folder_that_is_named_after_no_date_tells_no_time(tmp_path):
    folder = tmp_path / "20261399000000"
    folder.mkdir()
    with make_session(folder, [frame_row(1)], meta={}) as session:
        write_clopy_files(session, folder)
    assert log_of(folder)[1][1].startswith(f"{local_datetime(0):%Y-%m-%d %H:%M:%S}")


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
