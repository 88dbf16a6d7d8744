"""CLoPy's movement sessions read as ours: its own sample, and the letters that it may leave out."""

import shutil

import numpy as np
import pytest

from core.errors import SourceError
from recording.reader import open_session

STEM = "M1_2_20240102030405"
HEADER = "frame\ttime\tcj_speed\tfreq\treward\ttrial\taudio\tlick\tsnout_x\tsnout_y\tsnout_likelihood\n"
ROWS = (
    "1\t2024-01-02 03:04:05.000000\t0.5\t0\t0\t0\t0\t0\t10.0\t20.0\t0.99\n"
    "2\t2024-01-02 03:04:05.033333\t21.0\t1189\t1\t1\t1\t2\t13.0\t24.0\t0.5\n"
)
CONFIG = """[configsection]
config = sentech_dlclive

[sentech_dlclive]
control_point = snout
framerate = 30
ppmm = 3
target_center = 10,20
speed_threshold = 20
data_root = 50%%
"""


def write(folder, rows=ROWS, config=CONFIG, header=HEADER):
    (folder / f"{STEM}.txt").write_text(header + rows)
    if config is not None:
        (folder / f"{STEM}_config.ini").write_text(config)
    return folder


@pytest.mark.parametrize("where", ["folder", "log"])
def test_clopys_own_session(shared_data, where):
    folder = shared_data / "clopy" / "sessions" / "clmf" / "M1test" / "20231114221320"
    log = folder / "M1test_20231114221320.txt"
    session = open_session(folder if where == "folder" else log)
    lines = [line.split("\t") for line in log.read_text().splitlines()]
    frames = session.frames
    assert len(frames) == len(lines) - 1 == 884
    points = ("snout", "fl_l", "fl_r")
    assert session.part_names == (
        "speed_mm_s", "target_mm", *(f"{name}_{column}" for name in points for column in ("x", "y", "likelihood"))
    )  # fmt: skip
    assert frames.parts[:, 2:].tolist() == [[float(cell) for cell in line[8:]] for line in lines[1:]]
    assert frames.signal == pytest.approx([float(line[2]) * 30 / 3.5 for line in lines[1:]])
    assert set(frames.threshold) == {20 * 30 / 3.5}
    assert frames.outcome[frames.outcome != 0].tolist() == [1, -1, -1]
    assert sorted(set(frames.trial.tolist())) == [0, 1, 2, 3]
    # It sounds on the frame before each trial, and for a while after the last one: rows of rest, as they were written.
    assert set(frames.phase[(frames.trial == 0) & (frames.freq_hz > 0)]) == {"rest"}
    assert (session.meta["mouse"], session.meta["kind"]) == ("M1test", "clmf")
    assert session.meta["settings"]["control_point"] == "fl_l"
    assert not session.has_images


def test_speed_and_distance_come_from_the_config(tmp_path):
    session = open_session(write(tmp_path))
    frames = session.frames
    assert frames.signal.tolist() == [5.0, 210.0]
    assert frames.parts[:, :2].tolist() == [[5.0, 0.0], [210.0, pytest.approx(5 / 3)]]
    assert frames.threshold.tolist() == [200.0, 200.0]
    assert frames.valid.all()
    assert frames.time_ns.tolist() == [0, 33_333_000]
    assert (frames.water.tolist(), frames.licks.tolist(), frames.image.tolist()) == ([0, 1], [0, 2], [-1, -1])
    assert session.meta["mouse"] == "M1_2"
    assert "note" not in session.meta


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (None, "cannot be read"),
        ("no ini", "cannot be read"),
        (CONFIG.replace("config =", "config = other "), "cannot be read"),
        (CONFIG.replace("ppmm = 3\n", ""), "has no ppmm"),
        (CONFIG.replace("ppmm = 3", "ppmm = x").replace("framerate = 30", "framerate = 0"), "no framerate and no ppmm"),
    ],
)
def test_without_its_config_there_is_no_speed(tmp_path, config, text):
    session = open_session(write(tmp_path, config=config))
    assert np.isnan(session.frames.signal).all()
    assert np.isnan(session.frames.threshold).all()
    assert not session.frames.valid.any()
    assert text in session.meta["note"]
    assert session.frames.parts[:, 2:4].tolist() == [[10.0, 20.0], [13.0, 24.0]]


@pytest.mark.parametrize("change", ["control_point = tail", "target_center = 1"])
def test_without_a_target_there_is_no_distance(tmp_path, change):
    key = change.split(" ")[0]
    lines = [change if line.startswith(key) else line for line in CONFIG.splitlines()]
    frames = open_session(write(tmp_path, config="\n".join(lines))).frames
    assert np.isnan(frames.parts[:, 1]).all()
    assert frames.signal.tolist() == [5.0, 210.0]


def test_a_line_cut_short_and_a_log_without_rows(tmp_path):
    assert len(open_session(write(tmp_path, ROWS[:-1])).frames) == 1
    session = open_session(write(tmp_path, ""))
    assert session.frames.parts.shape == (0, 5)
    assert "started_wall_ns" not in session.meta


@pytest.mark.parametrize(
    ("header", "rows", "text"),
    [
        (HEADER.replace("cj_speed", "speed"), ROWS, "is not a log of CLoPy's movement sessions"),
        (HEADER.replace("snout_y", "tail_y"), ROWS, "is not a log of CLoPy's movement sessions"),
        (HEADER, ROWS + "1\t2\n", "line 4 has 2 columns"),
        (HEADER, ROWS.replace("21.0", "fast"), "is damaged"),
        (HEADER, ROWS.replace("2024-01-02 03:04:05.033333", "noon"), "is damaged"),
    ],
)
def test_damaged_logs(tmp_path, header, rows, text):
    with pytest.raises(SourceError, match=text):
        open_session(write(tmp_path, rows, header=header))


def test_one_of_several_sessions_must_be_named(tmp_path):
    write(tmp_path)
    other = "M1_20240102030406.txt"
    shutil.copy(tmp_path / f"{STEM}.txt", tmp_path / other)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(SourceError, match="has 2 sessions; name the log"):
        open_session(tmp_path)
    assert open_session(tmp_path / other).meta["mouse"] == "M1"
