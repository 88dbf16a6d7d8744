"""CLoPy's movement sessions, read as if they were ours.

Its log has the speed of the control point in px per frame and no threshold; ppmm, frame rate and threshold stand in the
copy of the config beside it. What its rows say is kept as it is: a tone is cut to whole Hz, on the frame before a
trial the tone and ``audio`` are there already while ``trial`` is still 0, and after the last trial come rows of a
trial that was never counted and of the 2 s for which the camera goes on; all these read as rest.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import SourceError
from recording.clopy_read import as_wall_ns, read_log
from recording.recorded import RecordedSession
from recording.schema import CLOPY_LOG, FRAMES_CSV
from recording.tables import FrameTable, floats, integers, no_timing, texts

CLMF_COLUMNS = ("frame", "time", "cj_speed", "freq", "reward", "trial", "audio", "lick")
"""Columns of its log before those of the body parts."""
POINT_COLUMNS = ("x", "y", "likelihood")
"""Columns of each body part, behind its name and ``_``."""
CLMF_SECTION = "sentech_dlclive"
"""The section of CLoPy's config.ini that its movement script reads."""
SPEED, TARGET = "speed_mm_s", "target_mm"
"""The parts of a movement session's frames before those of the pose."""
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv")
_STEM = re.compile(r"(?P<mouse>.+)_(?P<date>\d{14})")
_HEADER = f"movement sessions; its header should be {' '.join(CLMF_COLUMNS)} <part>_x <part>_y <part>_likelihood ..."
_NUMBERS = (
    "framerate",
    "ppmm",
    "joint_history_sec",
    "start_radius_mm",
    "target_radius_mm",
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
)
_PAIRS = ("resolution", "start_center", "target_center")
_TEXTS = ("control_point", "session_type", "dlc_model_path", "video_file")


def is_movement_log(path: Path) -> bool:
    """Return whether a file is called as the log of a movement session: ``<mouse>_<YYYYmmddHHMMSS>.txt``."""
    return path.suffix == ".txt" and _STEM.fullmatch(path.stem) is not None and path.is_file()


def find_movement_log(path: Path) -> Path | None:
    """Return the log of CLoPy's movement session that ``path`` names: itself, or the only one in the folder.

    None where there is none, and in a session folder of ours, in which the log is a copy.

    Raises
    ------
    SourceError
        The folder has several.
    """
    if path.is_file():
        return path if path.suffix == ".txt" and path.name != CLOPY_LOG else None
    if not path.is_dir() or (path / FRAMES_CSV).is_file():
        return None
    logs = sorted(log for log in path.glob("*.txt") if is_movement_log(log))
    if len(logs) > 1:
        raise SourceError(f"{path} has {len(logs)} sessions; name the log of one of them, such as {logs[0]}")
    return logs[0] if logs else None


def read_clopy_movement(log: Path) -> RecordedSession:
    """Read a movement session that CLoPy recorded.

    ``signal`` is the speed in mm/s, from the log's px per frame by ``framerate`` and ``ppmm`` of
    ``<log>_config.ini``; where these are missing it is NaN, and ``meta["note"]`` says so. The parts are those of a
    movement session of ours. ``threshold`` is the one of the config for the whole session: that of an adaptive one is
    not in the log. Times count from the first row, in ns.

    Parameters
    ----------
    log : Path
        ``<mouse>_<YYYYmmddHHMMSS>.txt``; the video beside it has the same name.

    Raises
    ------
    SourceError
        The log is missing or damaged; a last line that was cut short is left out.
    """
    header, rows = read_log(log, _is_movement, _HEADER)
    names = tuple(column.removesuffix("_x") for column in header[len(CLMF_COLUMNS) :: len(POINT_COLUMNS)])
    config = log.with_name(f"{log.stem}_config.ini")
    settings, problem = _read_config(config)
    video = _video_of(log)
    try:
        wall_ns = as_wall_ns([row[1] for row in rows])
        frames = _as_frames(rows, names, wall_ns, settings, video.is_file())
    except ValueError as error:
        raise SourceError(f"{log} is damaged: {error}; restore it from a copy") from error
    found = _STEM.fullmatch(log.stem)
    meta: dict[str, Any] = {"kind": "clmf", "format": "clopy", "mouse": found["mouse"] if found else log.parent.name}
    meta |= {"session": log.stem, "settings": settings}
    if problem:
        meta["note"] = problem
    if rows:
        meta |= {"started_wall_ns": wall_ns[0], "first_frame_ns": 0}
    parts = (SPEED, TARGET, *(f"{name}_{column}" for name in names for column in POINT_COLUMNS))
    return RecordedSession(log.parent, meta, parts, frames, no_timing(), (), video)


def _is_movement(header: tuple[str, ...]) -> bool:
    points = header[len(CLMF_COLUMNS) :]
    names = [column.removesuffix("_x") for column in points[:: len(POINT_COLUMNS)]]
    return header[: len(CLMF_COLUMNS)] == CLMF_COLUMNS and points == tuple(
        f"{name}_{column}" for name in names for column in POINT_COLUMNS
    )


def _video_of(log: Path) -> Path:
    """Return the video beside a log; where there is none, the name it would have."""
    videos = [log.with_suffix(suffix) for suffix in VIDEO_SUFFIXES]
    return next((video for video in videos if video.is_file()), videos[0])


def _read_config(path: Path) -> tuple[dict[str, Any], str]:
    """Return what the copy of the config says, speeds in mm/s, and why the log's speed cannot be had from it."""
    parser = configparser.ConfigParser(strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8", errors="replace"))
        name = parser.get("configsection", "config", raw=True, fallback=CLMF_SECTION)
        section = dict(parser.items(name, raw=True))
    except (OSError, configparser.Error) as error:
        return {}, f"{path} cannot be read ({' '.join(str(error).split())}), so the speeds are not known"
    settings: dict[str, Any] = {key: section[key].replace("%%", "%") for key in _TEXTS if key in section}
    for key in (*_NUMBERS, *_PAIRS, "speed_threshold"):
        values = _numbers_in(section.get(key, ""))
        if len(values) == (2 if key in _PAIRS else 1):
            settings[key] = values if key in _PAIRS else values[0]
    scale = _mm_per_s(settings)
    missing = [key for key in ("framerate", "ppmm") if not settings.get(key, 0) > 0]
    if "speed_threshold" in settings:
        settings["speed_threshold_px_per_frame"] = settings.pop("speed_threshold")
        if np.isfinite(scale):
            settings["speed_threshold"] = settings["speed_threshold_px_per_frame"] * scale
    return settings, f"{path} has no {' and no '.join(missing)}, so the speeds are not known" if missing else ""


def _numbers_in(text: str) -> list[float]:
    """Return the finite numbers in a value, nothing where one is none."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return values if all(np.isfinite(values)) else []


def px_per_frame(settings: dict[str, Any]) -> float:
    """Return px per frame for 1 mm/s, NaN where ``framerate`` or ``ppmm`` of the settings are missing."""
    return 1 / _mm_per_s(settings)


def _mm_per_s(settings: dict[str, Any]) -> float:
    """Return mm/s for 1 px per frame, NaN where it is not known."""
    framerate, ppmm = settings.get("framerate") or 0.0, settings.get("ppmm") or 0.0
    return float(framerate / ppmm) if framerate > 0 and ppmm > 0 else float("nan")


def _as_frames(
    rows: list[list[str]], names: tuple[str, ...], wall_ns: list[int], settings: dict[str, Any], has_images: bool
) -> FrameTable:
    n, first = len(rows), len(CLMF_COLUMNS)
    pose = np.array([[float(cell) for cell in row[first:]] for row in rows], np.float64)
    pose = pose.reshape(n, len(names) * len(POINT_COLUMNS))
    px, freq, reward, trial, audio, lick = ([float(row[column]) for row in rows] for column in range(2, first))
    scale = _mm_per_s(settings)
    speed = floats(px) * scale
    frame = integers([int(row[0]) for row in rows])
    trials = integers(trial)
    return FrameTable(
        frame=frame,
        time_ns=integers(wall_ns) - (wall_ns[0] if n else 0),
        sensor_ns=integers([0] * n),
        dropped=integers([0] * n),
        image=frame - 1 if has_images else integers([-1] * n),
        signal=speed,
        parts=np.column_stack([speed, _target_mm(pose, names, settings), pose]),
        valid=np.isfinite(speed),
        reason=texts([""] * n),
        threshold=floats([settings.get("speed_threshold", float("nan"))] * n),
        freq_hz=floats(freq),
        phase=texts(["trial" if number else "rest" for number in trials]),
        trial=trials,
        audio=integers(audio),
        outcome=integers(reward),
        water=(integers(reward) == 1).astype(np.int64),
        licks=integers(lick),
    )


def _target_mm(
    pose: npt.NDArray[np.float64], names: tuple[str, ...], settings: dict[str, Any]
) -> npt.NDArray[np.float64]:
    """Return the control point's distance to the target's centre, (n,) mm; NaN where the config does not tell it."""
    ppmm, centre, point = settings.get("ppmm", 0.0), settings.get("target_center"), settings.get("control_point")
    if centre is None or point not in names or not ppmm > 0:
        return np.full(len(pose), np.nan)
    at = names.index(point) * len(POINT_COLUMNS)
    distance: npt.NDArray[np.float64] = np.hypot(pose[:, at] - centre[0], pose[:, at + 1] - centre[1]) / ppmm
    return distance
