"""CLoPy's copy of the config, as its own readers parse it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from recording.clopy_config_read import CLMF_SECTION, px_per_frame
from recording.schema import ROI_PREFIX

SUMMARY_COLUMNS = (
    "mouse_id",
    "session",
    "data_path",
    "start",
    "end",
    "duration",
    "fps",
    "dff_history",
    "n_tones",
    "reward_threshold",
    "rewards",
    "audio",
    "session_type",
)

MOVEMENT_SUMMARY_COLUMNS = (
    "mouse_id",
    "session",
    "data_path",
    "start",
    "end",
    "duration",
    "fps",
    "n_tones",
    "start_radius",
    "target_radius",
    "rewards",
    "audio",
    "session_type",
)

# In the order of CLoPy's files. Values are split there at ", " or at ",", depending on the key.
_BEFORE_SEEDS = (
    "vid_source",
    "vid_root",
    "data_root",
    "raw_image_file",
    "resolution",
    "framerate",
    "awb_mode",
    "shutter_speed",
    "iso",
    "sensor_mode",
    "dff_history",
    "ppmm",
    "bregma",
)
_AFTER_SEEDS = (
    "roi",
    "roi_operation",
    "roi_size",
    "audio",
    "n_tones",
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
    "session_type",
    "summary_file",
)
_MOVEMENT = (
    "dlc_model_path",
    "vid_source",
    "data_root",
    "video_file",
    "resolution",
    "framerate",
    "awb_mode",
    "shutter_speed",
    "iso",
    "joint_history_sec",
    "ppmm",
    "control_point",
    "start_center",
    "start_radius_mm",
    "target_center",
    "target_radius_mm",
    "speed_threshold",
    "audio",
    "n_tones",
    "start_freq",
    "audio_delay",
    "reward_delay",
    "adaptive_threshold",
    "spont_sess_duration",
    "total_trials",
    "max_trial_dur",
    "success_rest_dur",
    "fail_rest_dur",
    "initial_rest_dur",
    "session_type",
    "summary_file",
)
_WIDE = ("resolution", "bregma")


def config_text(meta: dict[str, Any], part_names: tuple[str, ...]) -> str:
    """Return the text of CLoPy's ``config.ini``: which section, then the section with the keys that CLoPy knows.

    Parameters
    ----------
    meta : dict
        session.json; ``settings`` (key -> value), ``seeds`` (name -> ML and AP, mm) and ``experiment`` are used. Keys
        that are absent or empty are left out. Rectangles of ``roi.NAME`` become the positions that CLoPy saves.
    part_names : tuple of str
        Names of the ROIs; they tell the section's name where ``experiment`` is absent.
    """
    settings = meta.get("settings") or {}
    kind = "1roi" if len(part_names) == 1 else "2roi"
    section = str(meta.get("experiment") or f"raspicambrain_reward_punish_{kind}")
    lines = ["[configsection]", f"config = {section}", "", f"[{section}]"]
    lines += _lines(settings, _BEFORE_SEEDS)
    if seeds := meta.get("seeds"):
        lines.append(f"seeds_mm = {json.dumps(seeds)}")
    lines += _lines(settings, _AFTER_SEEDS)
    lines.append(f"summary_header = {', '.join(SUMMARY_COLUMNS)}")
    lines += _positions(settings)
    return "\n".join(lines) + "\n\n"


def _positions(settings: dict[str, Any]) -> list[str]:
    """Return the lines ``<name> = x,y,w,h`` of the ROIs that are rectangles; it has no word for other shapes."""
    rois = {
        key.removeprefix(ROI_PREFIX).lower(): str(text).replace(" ", "")
        for key, text in settings.items()
        if key.startswith(ROI_PREFIX)
    }
    return [f"{name} = {text}" for name, text in rois.items() if re.fullmatch(r"\d+(,\d+){3}", text)]


def movement_config_text(meta: dict[str, Any]) -> str:
    """Return the text of CLoPy's ``..._config.ini`` of a movement session.

    Parameters
    ----------
    meta : dict
        session.json; ``settings`` and ``experiment`` are used. ``speed_threshold`` is given in px per frame, as there.
    """
    settings = dict(meta.get("settings") or {})
    settings["speed_threshold"] = _threshold_px(settings)
    section = str(meta.get("experiment") or CLMF_SECTION)
    lines = ["[configsection]", f"config = {section}", "", f"[{section}]", *_lines(settings, _MOVEMENT)]
    lines.append(f"summary_header = {', '.join(MOVEMENT_SUMMARY_COLUMNS)}")
    return "\n".join(lines) + "\n\n"


def _threshold_px(settings: dict[str, Any]) -> float | None:
    """Return the speed that earns water in px per frame, None where it is not known."""
    if px := settings.get("speed_threshold_px_per_frame"):
        return float(px)
    # Rounded, as 20 px per frame must not become 19.999999999999996 by way of mm/s.
    px = round(float(settings.get("speed_threshold") or math.nan) * px_per_frame(settings), 9)
    return px if math.isfinite(px) else None


def _lines(settings: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    lines = []
    for key in keys:
        value = settings.get(key)
        if value is not None and value != "":
            lines.append(f"{key} = {_value(key, value)}")
    return lines


def _value(key: str, value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return (", " if key in _WIDE else ",").join(_value(key, item) for item in value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        # CLoPy parses durations and sizes by int(), which does not take "30.0".
        return str(int(value))
    # A line break would end the value; its parser takes a single % for the start of a reference.
    return " ".join(str(value).split()).replace("%", "%%")
