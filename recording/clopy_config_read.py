"""What CLoPy's copy of the config beside a log says, in the types and units of ours."""

from __future__ import annotations

import configparser
import json
from pathlib import Path
from typing import Any

import numpy as np

from recording.byte_order_mark import read_text

CLMF_SECTION = "sentech_dlclive"
"""The section of CLoPy's config.ini that its movement script reads."""
_NUMBERS = (
    "framerate",
    "shutter_speed",
    "iso",
    "sensor_mode",
    "dff_history",
    "ppmm",
    "joint_history_sec",
    "start_radius_mm",
    "target_radius_mm",
    "audio",
    "n_tones",
    "start_freq",
    "audio_delay",
    "reward_delay",
    "reward_threshold",
    "adaptive_threshold",
    "spont_sess_duration",
    "total_trials",
    "max_trial_dur",
    "success_rest_dur",
    "fail_rest_dur",
    "initial_rest_dur",
    "speed_threshold",
)
_PAIRS = ("resolution", "bregma", "roi_size", "start_center", "target_center")
_TEXTS = (
    "vid_source",
    "vid_root",
    "data_root",
    "raw_image_file",
    "awb_mode",
    "roi",
    "roi_operation",
    "control_point",
    "session_type",
    "dlc_model_path",
    "video_file",
    "summary_file",
)


def read_config(path: Path, fallback: str = "") -> tuple[dict[str, Any], str]:
    """Return what a copy of the config says, and why nothing where it cannot be read.

    Parameters
    ----------
    path : Path
    fallback : str
        Name of the section where the file does not name it.

    Returns
    -------
    meta : dict
        ``experiment``, the section's name; ``settings``, those of its keys that ours have too, as numbers, pairs and
        texts, what is no such value being left out; ``seeds`` where there are any, as in session.json. Speeds are in
        mm/s, where ``framerate`` and ``ppmm`` tell them.
    problem : str
        Empty where the file could be read.
    """
    parser = configparser.ConfigParser(strict=False)
    try:
        parser.read_string(read_text(path))
        name = parser.get("configsection", "config", raw=True, fallback=fallback)
        section = dict(parser.items(name, raw=True))
    except (OSError, configparser.Error) as error:
        return {}, f"{path} cannot be read ({' '.join(str(error).split())})"
    meta: dict[str, Any] = {"experiment": name, "settings": _settings(section)}
    if seeds := _seeds(section.get("seeds_mm", "")):
        meta["seeds"] = seeds
    return meta, ""


def _settings(section: dict[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {key: section[key].replace("%%", "%") for key in _TEXTS if key in section}
    for key in (*_NUMBERS, *_PAIRS):
        values = _numbers_in(section.get(key, ""))
        if len(values) == (2 if key in _PAIRS else 1):
            settings[key] = values if key in _PAIRS else values[0]
    if "speed_threshold" in settings:
        settings["speed_threshold_px_per_frame"] = settings.pop("speed_threshold")
        if np.isfinite(scale := mm_per_s(settings)):
            settings["speed_threshold"] = settings["speed_threshold_px_per_frame"] * scale
    return settings


def _numbers_in(text: str) -> list[float]:
    """Return the finite numbers in a value, nothing where one is none."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return values if all(np.isfinite(values)) else []


def _seeds(text: str) -> dict[str, dict[str, float]]:
    """Return ML and AP of each seed, mm; nothing where the text is no such table."""
    try:
        return {name: {axis: float(place[axis]) for axis in ("ML", "AP")} for name, place in json.loads(text).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def px_per_frame(settings: dict[str, Any]) -> float:
    """Return px per frame for 1 mm/s, NaN where ``framerate`` or ``ppmm`` of the settings are missing."""
    return 1 / mm_per_s(settings)


def mm_per_s(settings: dict[str, Any]) -> float:
    """Return mm/s for 1 px per frame, NaN where it is not known."""
    framerate, ppmm = settings.get("framerate") or 0.0, settings.get("ppmm") or 0.0
    return float(framerate / ppmm) if framerate > 0 and ppmm > 0 else float("nan")
