"""What CLoPy's names and values mean: its sections, camera classes, constants of its scripts, and odd formats."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from helper import Seed
from session.config_rois import MAX_SEED_MM, NAME

SECTIONS = {
    "raspicambrain_reward_punish_1roi": "clnf_1roi",
    "raspicambrain_reward_punish_2roi": "clnf_2roi",
    "sentech_dlclive": "clmf_speed",
}
"""The sections that CLoPy's scripts read, and ours."""

CAMERAS = {
    "picamerastream": "pi",
    "sentechcamerastream": "genicam",
    "sentechcamerastream14": "genicam",
    "videostream": "replay",
}
"""CLoPy's camera classes in lower case, and our kinds."""

RENAMED = {"control_joint": "control_point", "roi_size_mm": "roi_size"}
"""Keys that older versions of CLoPy call otherwise."""

DROPPED_KEYS = {
    "summary_header": "the summary always has the same columns",
    "video_file": "frames go to raw_image_file",
    "offline_video_file": "no script reads it; to replay a recording, give vid_source = replay and vid_root",
    "reward_threshold_mm": "CLoPy writes it to its summary only; speed_threshold decides",
    "start_roi": "a position that CLoPy saved and never read; start_center decides",
    "target_roi": "a position that CLoPy saved and never read; target_center decides",
}
"""Keys that decide nothing, and why."""

_TYPE = ("normal_audio_normal_reward", "in CLoPy it stands in the script, so look there what you ran")
ADDED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "clnf_1roi": {"reward_dur": ("0.3", "the valve's opening time, in CLoPy's script"), "session_type": _TYPE},
    "clnf_2roi": {
        "reward_dur": ("0.3", "the valve's opening time, in CLoPy's script"),
        "session_type": (_TYPE[0], _TYPE[1] + " (as shipped: normal_audio_random_reward, the control)"),
    },
    "clmf_speed": {
        "reward_dur": ("0.1", "the valve's opening time, in CLoPy's script"),
        "trial_start": ("still", "a trial begins when the paw is still, as in CLoPy's script"),
        "session_type": _TYPE,
        "threshold_max": ("1000", "CLoPy has no upper bound for its adaptive threshold"),
    },
}
"""What stands in CLoPy's scripts, not in its file: key to value and why."""

PX_PER_FRAME = {
    "still_speed": (1.0, "the paw is still below this mean speed"),
    "adaptive_step": (2.0, "step of the adaptive threshold"),
    "threshold_min": (2.0, "one step; CLoPy's adaptive threshold can fall to zero"),
}
"""Speeds in CLoPy's movement script, px/frame, and what they are."""

_SAVED = re.compile(r"\s*-?\d{1,6}(\s*,\s*-?\d{1,6}){3}\s*")


def number(text: str) -> float | None:
    """Return a finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def saved_roi(key: str, value: str) -> str | None:
    """Return the text of an ROI that CLoPy saved (``m1_l = 76,114,8,8``), or None if the key is not one."""
    if NAME.fullmatch(key) is None or _SAVED.fullmatch(value) is None:
        return None
    return "".join(value.split())


def parse_seeds_mm(text: str) -> dict[str, Seed]:
    """Read ``{"ALM": {"ML": 1.5, "AP": 2.5}, ...}``. Raises ValueError."""
    try:
        table = json.loads(text)
        seeds = {str(name).upper(): Seed(float(place["AP"]), float(place["ML"])) for name, place in table.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise ValueError("seeds_mm is not JSON of the form {NAME: {ML: mm, AP: mm}}") from None
    for name, seed in seeds.items():
        # Written so that NaN is refused too.
        inside = abs(seed.ap_mm) <= MAX_SEED_MM and 0 <= seed.ml_mm <= MAX_SEED_MM
        if NAME.fullmatch(name) is None or name.endswith(("_L", "_R")) or not inside:
            raise ValueError(f"seed {name[:40]!r} has a name or a place that cannot be")
    return seeds
