"""Session folders as a data root has them, without a session: what the index reads, no more."""

import json
from pathlib import Path

import pytest

from recording.csvrows import frame_line, header_line
from recording.index import read_index
from recording.schema import FRAMES_CSV, SESSION_JSON, FrameRow, frame_columns

DATE = "20261120093015"
COUNTS = {
    "trials": 12, "successes": 3, "rewards": 3, "frames": 4, "dropped": 1, "water": 4, "threshold": 0.06,
    "duration_s": 60.5,
}  # fmt: skip
CALIBRATION = {"valve": {"ul_per_ms": 0.01, "offset_ul": -0.5, "date": "2026-11-01"}}
ROWS = (
    # trial, outcome, water, threshold
    (0, 0, 0, 0.05),
    (1, 1, 1, 0.05),
    (2, -1, 0, 0.055),
    (0, 0, 0, 0.06),
)
FRAMES = [
    FrameRow(
        n + 1, n * 10**9, 0, int(n == 2), -1, 0.01, (), True, "", threshold, 0.0, "trial" if trial else "rest", trial,
        1, outcome, water, 0,
    )
    for n, (trial, outcome, water, threshold) in enumerate(ROWS)
]  # fmt: skip


@pytest.fixture
def root(tmp_path):
    """Give an empty data root."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def only(root, **words):
    """Return the row of the only session below a data root."""
    [row] = read_index(root, **words).rows
    return row


def frames_text(rows=FRAMES):
    return header_line(frame_columns(())) + "".join(frame_line(row, 0) for row in rows)


FRAMES_TEXT = frames_text()


def meta_of(mouse, rig="rig1", outcome="complete", counts=None, **facts):
    meta = {
        "schema": 2, "mouse": mouse, "experiment": "clnf_1roi", "kind": "clnf", "outcome": outcome, "outputs": "real",
        "calibration": {}, "software": {"host": f"host-of-{rig}"},
        "settings": {
            "rig": rig, "reward_dur": 0.3, "reward_threshold": 0.04, "session_type": "normal_audio_normal_reward"
        },
    }  # fmt: skip
    if outcome != "running":
        meta["counts"] = COUNTS | (counts or {})
    return meta | facts


def put_session(root, mouse, date, part=1, *, frames=FRAMES_TEXT, meta=None, **facts):
    """Write a folder with session.json (its text, or what ``meta_of`` says) and frames.csv; None leaves one out."""
    folder = Path(root) / mouse / date / f"S{part}"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(meta_of(mouse, **facts)) if meta is None else meta
    if text:
        (folder / SESSION_JSON).write_text(text)
    if frames is not None:
        (folder / FRAMES_CSV).write_text(frames)
    return folder


def put_clopy(root, mouse="C1", date="20231114221324", total_trials=None):
    folder = Path(root) / mouse / date / "S1"
    folder.mkdir(parents=True)
    (folder / "VideoTimestamp.txt").write_text(
        "frame\ttime\tM1_Ldff\tfreq\trew_threshold\treward\ttrial\taudio\tlick\n"
        "1\t2023-11-14 22:13:27.145333\t0.0\t0\t0.1\t0\t0\t0\t0\n"
        "2\t2023-11-14 22:13:28.145333\t0.1\t1000\t0.1\t1\t1\t1\t0\n"
        "3\t2023-11-14 22:13:29.145333\t0.1\t1000\t0.12\t-1\t2\t1\t0\n"
    )
    more = "" if total_trials is None else f"total_trials = {total_trials}\n"
    (folder / "config.ini").write_text("[configsection]\nconfig = old\n\n[old]\nsession_type = single\n" + more)
    return folder


def put_clopy_movement(root, mouse="C2", date="20231114221320"):
    folder = Path(root) / mouse / date
    folder.mkdir(parents=True)
    (folder / f"{mouse}_{date}.txt").write_text(
        "frame\ttime\tcj_speed\tfreq\treward\ttrial\taudio\tlick\n"
        "1\t2023-11-14 22:13:20.024000\t0.0\t0\t0\t0\t0\t0\n"
        "2\t2023-11-14 22:13:21.024000\t30.0\t1000\t1\t1\t1\t0\n"
    )
    (folder / f"{mouse}_{date}_config.ini").write_text(
        "[configsection]\nconfig = dlc\n\n[dlc]\nframerate = 30\nppmm = 3\nspeed_threshold = 20\nsession_type = t\n"
    )
    return folder
