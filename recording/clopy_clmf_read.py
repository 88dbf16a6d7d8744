"""CLoPy's movement sessions, read as if they were ours.

Its log has the speed of the control point in px per frame and no threshold; ppmm, frame rate and threshold stand in the
copy of the config beside it. What its rows say is kept as it is: a tone is cut to whole Hz, on the frame before a
trial the tone and ``audio`` are there already while ``trial`` is still 0, and after the last trial come rows of a
trial that was never counted and of the 2 s for which the camera goes on; all these read as rest. What the rows tell
beyond that is in ``recording.clopy_events``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import SourceError
from recording.clopy_config_read import CLMF_SECTION, mm_per_s, read_config
from recording.clopy_events import REWARD_DUR_S, events_of, facts_of, water_of
from recording.clopy_read import as_wall_ns, read_log
from recording.folder import STAMP
from recording.recorded import RecordedSession
from recording.schema import CLOPY_LOG, FRAMES_CSV, POINT_COLUMNS, SPEED, TARGET
from recording.tables import FrameTable, floats, integers, no_timing, texts

CLMF_COLUMNS = ("frame", "time", "cj_speed", "freq", "reward", "trial", "audio", "lick")
"""Columns of its log before those of the body parts."""
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv")
_STEM = re.compile(r"(?P<mouse>.+)_" + STAMP.pattern)
_HEADER = f"movement sessions; its header should be {' '.join(CLMF_COLUMNS)} <part>_x <part>_y <part>_likelihood ..."


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
    meta, problem = _read_meta(log)
    settings = meta["settings"]
    video = _video_of(log)
    try:
        wall_ns = as_wall_ns([row[1] for row in rows])
        frames = _as_frames(rows, names, wall_ns, settings, video.is_file())
        events = events_of(frames, REWARD_DUR_S["clmf"], settings)
    except (ValueError, OverflowError) as error:
        raise SourceError(f"{log} is damaged: {error}; restore it from a copy") from error
    meta |= facts_of(frames, settings)
    if problem:
        meta["note"] = problem
    if rows:
        meta |= {"started_wall_ns": wall_ns[0], "first_frame_ns": 0}
    parts = (SPEED, TARGET, *(f"{name}_{column}" for name in names for column in POINT_COLUMNS))
    return RecordedSession(log.parent, meta, parts, frames, no_timing(), events, video)


def _read_meta(log: Path) -> tuple[dict[str, Any], str]:
    """Return what config and name of a log say of its session, and why its speeds cannot be had in mm/s."""
    config = log.with_name(f"{log.stem}_config.ini")
    meta, problem = read_config(config, CLMF_SECTION)
    settings = meta.setdefault("settings", {})
    missing = [key for key in ("framerate", "ppmm") if not settings.get(key, 0) > 0]
    if missing and not problem:
        problem = f"{config} has no {' and no '.join(missing)}"
    found = _STEM.fullmatch(log.stem)
    mouse = found["mouse"] if found else log.parent.name
    meta |= {"kind": "clmf", "format": "clopy", "mouse": mouse, "session": log.stem}
    return meta, f"{problem}, so the speeds are not known" if problem else ""


def logged_speeds(log: Path) -> dict[int, str]:
    """Return the speed of each frame number, px per frame, as it is written in a log of CLoPy's. Raises SourceError."""
    _, rows = read_log(log, _is_movement, _HEADER)
    return {int(row[0]): row[2] for row in rows}


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


def _as_frames(
    rows: list[list[str]], names: tuple[str, ...], wall_ns: list[int], settings: dict[str, Any], has_images: bool
) -> FrameTable:
    n, first = len(rows), len(CLMF_COLUMNS)
    pose = np.array([[float(cell) for cell in row[first:]] for row in rows], np.float64)
    pose = pose.reshape(n, len(names) * len(POINT_COLUMNS))
    px, freq, reward, trial, audio, lick = ([float(row[column]) for row in rows] for column in range(2, first))
    scale = mm_per_s(settings)
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
        water=water_of(integers(reward), settings),
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
