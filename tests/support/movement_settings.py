"""Settings of movement experiments, and a pipeline whose poses are written down before."""

import math

from core.values import Signal
from session.settings import load_settings

SMALL = {
    "vid_source": "synthetic", "resolution": "64, 48", "framerate": "15", "ppmm": "6", "control_point": "snout",
    "pose_backend": "markers", "markers": "snout green, tail 170-10", "speed_threshold": "60",
    "start_center": "30, 20", "start_radius_mm": "1", "target_center": "40, 30", "target_radius_mm": "1",
    "reward_dur": "0.1",
}  # fmt: skip
NAMES = ("speed_mm_s", "target_mm", "snout_x", "snout_y", "snout_likelihood", "tail_x", "tail_y", "tail_likelihood")


def movement_config(tmp_path, **more):
    """Write a config.ini with the mouse M3 in the experiment clmf_speed; return its path."""
    path = tmp_path / "movement.ini"
    lines = [f"{key} = {value}" for key, value in {**SMALL, **more}.items()]
    path.write_text("\n".join(["[clmf_speed]", *lines, "[mouse:M3]", "experiment = clmf_speed", ""]))
    return path


def movement_settings(tmp_path, **more):
    return load_settings(movement_config(tmp_path, **more), "M3", overrides={"--data-root": str(tmp_path / "data")})


def signal_of(speed=12.5, snout=(30.0, 20.0, 0.98), tail=(10.0, 40.0, 0.91), waits="", reason="", away=3.0):
    """Return the signal of a pose with a snout and a tail."""
    return Signal(speed, not reason, reason, (speed, away, *snout, *tail), waits)


class Written:
    """A pipeline that says what was written down for each frame; what is an error is raised."""

    names = NAMES

    def __init__(self, says):
        self.says, self.seen = says, []

    def update(self, frame):
        self.seen.append(frame.number)
        said = self.says(len(self.seen))
        if isinstance(said, Exception):
            raise said
        return said


NOTHING = signal_of(math.nan, (math.nan, math.nan, 0.0), waits="snout: not seen", reason="snout: not seen")
