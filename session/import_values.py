"""What CLoPy's names and values mean: its sections, camera classes, constants of its scripts, and odd formats."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from camera.settings import CameraKind
from helper import Seed
from session.config_file import EXPERIMENT
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
    **{kind.value: kind.value for kind in CameraKind},
}
"""CLoPy's camera classes in lower case, and our kinds (also as themselves: ``rigloop export --clopy`` writes them)."""

RENAMED = {"control_joint": "control_point", "roi_size_mm": "roi_size"}
"""Keys that older versions of CLoPy call otherwise."""

DROPPED_KEYS = {
    "summary_header": "the summary always has the same columns",
    "video_file": "the video is a Matroska file here, behavior_video.mkv unless our video_file names it",
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

NOT_EXPORTED = "CLoPy's file has no such key, so rigloop export left it out; this is what CLoPy's script has, put yours"
"""Why a key is added to a section that ``rigloop export --clopy`` wrote."""

PX_PER_FRAME = {
    "still_speed": (1.0, "the paw is still below this mean speed"),
    "adaptive_step": (2.0, "step of the adaptive threshold"),
    "threshold_min": (2.0, "one step; CLoPy's adaptive threshold can fall to zero"),
}
"""Speeds in CLoPy's movement script, px/frame, and what they are."""

_SAVED = re.compile(r"\s*-?[0-9]{1,6}(\s*,\s*-?[0-9]{1,6}){3}\s*")
_CORNER = re.compile(r"\s*-?[0-9]{1,6}\s*,\s*-?[0-9]{1,6}\s*")


def targets(sections: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the sections that are experiments, and our names for them.

    Parameters
    ----------
    sections : mapping
        Section to its keys. One that ``[configsection]`` names and that is called as ours are is what
        ``rigloop export --clopy`` wrote.
    """
    found = {name: SECTIONS[name] for name in sections if name in SECTIONS}
    named = sections.get("configsection", {}).get("config", "").strip()
    if named in sections and EXPERIMENT.fullmatch(named.lower()):
        kind = "2roi" if sections[named].get("roi_operation", "").strip() else "1roi"
        found[named] = "clmf_speed" if named.lower().startswith("clmf") else f"clnf_{kind}"
    return found


def number(text: str) -> float | None:
    """Return a finite number, or None."""
    try:
        value = float(text.replace("_", "?"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def saved_roi(key: str, value: str, size_px: tuple[int, int] | None) -> str | None:
    """Return the text of an ROI that CLoPy saved, or None if the key is not one.

    It saved the corner and the size (``m1_l = 76,114,8,8``) or, in another version, the corner alone
    (``bc_l = 17,87``), which is taken for an ROI only under a name with a side.

    Parameters
    ----------
    size_px : tuple of int or None
        Width and height for a corner; ``w,h`` stands for them where they are not known.
    """
    text = "".join(value.split())
    if NAME.fullmatch(key) is None:
        return None
    if _SAVED.fullmatch(value):
        return text
    if _CORNER.fullmatch(value) and key.lower().endswith(("_l", "_r")):
        return f"{text},{size_px[0]},{size_px[1]}" if size_px else f"{text},w,h"
    return None


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
