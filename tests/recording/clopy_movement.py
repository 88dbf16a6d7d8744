"""Movement sessions of ours that are given out in CLoPy's format, and what was given out."""

import configparser

import numpy as np

from core.values import SKIPPED
from recording.folder import write_session_json
from recording.reader import open_session
from recording.settings import VideoCodec
from tests.recording.samples import frame_row
from tests.recording.test_csvrows import write_session
from tests.recording.videos import make_video_recorder, write_row

STARTED = 1_700_000_000_123_456_789
NAMES = ("speed_mm_s", "target_mm", "snout_x", "snout_y", "snout_likelihood", "fl_l_x", "fl_l_y", "fl_l_likelihood")
PX = 3.5 / 30
SETTINGS = {
    "dlc_model_path": "/models/50%/paw.pt",
    "video_file": "behavior_video.mkv",
    "data_root": "/data",
    "resolution": [96, 64],
    "framerate": 30.0,
    "ppmm": 3.5,
    "joint_history_sec": 5.0,
    "control_point": "fl_l",
    "start_center": [59.0, 11.0],
    "start_radius_mm": 4.0,
    "target_center": [59.0, 8.0],
    "target_radius_mm": 6.0,
    "speed_threshold": 20 / PX,
    "speed_threshold_px_per_frame": 0.0,
    "audio": 1.0,
    "n_tones": 18,
    "start_freq": 1000.0,
    "reward_delay": 0.5,
    "adaptive_threshold": False,
    "max_trial_dur": 30.0,
    "session_type": "normal_audio_normal_reward",
    "min_likelihood": 0.6,
}
META = {
    "kind": "clmf",
    "mouse": "M1",
    "experiment": "clmf_speed",
    "started_wall_ns": STARTED,
    "first_frame_ns": 5_000_000_000,
    "settings": SETTINGS,
}
NAN = float("nan")
STEM = "M1_20240102030405"


def movement_row(number, **changes):
    x, y = 59.0 + number / 3, 11.0 + number / 7
    target_mm = float(np.hypot(x - 59.0, y - 8.0) / 3.5)
    values = {
        "time_ns": 5_000_000_000 + number * 33_333_000,
        "signal": 1.5 * number,
        "parts": (1.5 * number, target_mm, 10.25, 20.1, 0.99, x, y, 1 / 3),
        "threshold": 20 / PX,
        "valid": True,
        "reason": "",
        **changes,
    }
    return frame_row(number, **values)


def skipped_row(number, **changes):
    nans = (NAN,) * len(NAMES)
    return movement_row(number, signal=NAN, parts=nans, valid=False, reason=SKIPPED, freq_hz=0.0, **changes)


def make_folder(tmp_path):
    folder = tmp_path / "M1" / "20240102030405" / "S1"
    folder.mkdir(parents=True)
    return folder


def make_session(tmp_path, rows, meta=META):
    folder = make_folder(tmp_path)
    write_session(folder, rows, names=NAMES, prefix="pose_")
    write_session_json(folder, meta)
    return open_session(folder)


def record(tmp_path, rows, codec=VideoCodec.h264, meta=META, **changes):
    """A session whose video has picture ``row.frame`` for each row."""
    folder = make_folder(tmp_path)
    with make_video_recorder(
        folder, names=NAMES, part_prefix="pose_", video_codec=codec, framerate=30.0, **changes
    ) as recorder:
        for row in rows:
            write_row(recorder, row)
    write_session_json(folder, meta)
    return open_session(folder)


def log_of(folder, stem=STEM):
    text = (folder / f"{stem}.txt").read_bytes().decode()
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def config_of(path):
    parser = configparser.ConfigParser()
    parser.read(path)
    return parser[parser["configsection"]["config"]]
