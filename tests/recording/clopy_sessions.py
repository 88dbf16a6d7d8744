"""Sessions of ours that are given out in CLoPy's format, and what was given out."""

import h5py
import numpy as np

from recording.folder import write_session_json
from recording.reader import open_session
from tests.recording.samples import image
from tests.recording.test_csvrows import write_session

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
