"""Settings of a movement experiment whose poses are those of a log that is written here."""

import numpy as np

from session.settings import load_settings
from tests.support.movement_sessions import Tracks, write_session

PARTS = ("snout", "tail")
SMALL = {
    "vid_source": "synthetic", "resolution": "128, 96", "framerate": "15", "ppmm": "6", "control_point": "snout",
    "pose_backend": "replay", "speed_threshold": "20", "trial_start": "still", "joint_history_sec": "0.5",
    "still_speed": "3", "start_center": "30, 20", "start_radius_mm": "1", "target_center": "40, 30",
    "target_radius_mm": "1", "reward_dur": "0.1",
}  # fmt: skip


def circling(seconds=6, fps=15.0, px_per_s=60.0):
    """A snout that runs a circle of 10 px from the 2nd to the 4th second and is lost for one; a tail that rests."""
    at = np.arange(round(seconds * fps)) / fps
    angle = np.clip(at - 2, 0, None) * px_per_s / 10
    angle[at >= 4] = 2 * px_per_s / 10
    likelihood = np.where((at >= 4) & (at < 5), 0.1, 0.95)
    snout = np.column_stack([30 + 10 * np.cos(angle), 20 + 10 * np.sin(angle), likelihood])
    tail = np.tile([12.0, 40.0, 0.9], (len(at), 1))
    return Tracks((at * 1e9).astype(np.int64), np.stack([snout, tail], axis=1), PARTS)


def movement_config(tmp_path, tracks=None, **more):
    """Write a config.ini with the mouse M3, its experiment clmf_speed, and the log of its poses; return its path."""
    log = tmp_path / "log" / "S1"
    if not log.exists():
        size = [int(side) for side in {**SMALL, **more}["resolution"].split(",")]
        write_session(log, circling() if tracks is None else tracks, resolution=size)
    path = tmp_path / "movement.ini"
    lines = [f"{key} = {value}" for key, value in {**SMALL, "pose_log": log, **more}.items()]
    path.write_text("\n".join(["[clmf_speed]", *lines, "[mouse:M3]", "experiment = clmf_speed", ""]))
    return path


def movement_settings(tmp_path, tracks=None, **more):
    path = movement_config(tmp_path, tracks, **more)
    return load_settings(path, "M3", overrides={"--data-root": str(tmp_path / "data")})
