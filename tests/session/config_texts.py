"""Small configurations, and how the tests load them."""

from pathlib import Path
from typing import NamedTuple

import pytest

from core.errors import ConfigError
from session.settings import Settings, load_settings

CONFIG = Path(__file__).resolve().parents[2] / "config.ini"
BASE = """\
[clnf_a]
roi = M1_L
[mouse:A]
experiment = clnf_a
{mouse}
[seeds]
M1 = 0.6, 1.8
BC = -1.7, 3.4
ANT = 3.5, 0
"""


class Probed(NamedTuple):
    width: int = 256
    height: int = 256
    n_frames: int = 100
    dtype: str = "uint8"


def problems_of(path: Path, text: str, **kwargs: object) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, "A", **kwargs)  # type: ignore[arg-type]
    return caught.value.problems


def load(path: Path, mouse_lines: str = "", **kwargs: object) -> Settings:
    path.write_text(BASE.format(mouse=mouse_lines), encoding="utf-8")
    return load_settings(path, "A", **kwargs)  # type: ignore[arg-type]


CLMF = """\
[clmf_s]
reward_dur = 0.1
speed_threshold = 150
ppmm = 3.5
pose_backend = markers
markers = fl_l green
trial_start = {start}
start_center = 300, 10
{more}
[mouse:A]
experiment = clmf_s
"""
