"""CLoPy's neurofeedback folders, read as if they were ours; and what its logs have in common."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import SourceError
from recording.clopy_config_read import read_config
from recording.clopy_events import REWARD_DUR_S, events_of, facts_of, water_of
from recording.folder import STAMP
from recording.problems import describe
from recording.recorded import DEFAULT_IMAGE_FILE, RecordedSession
from recording.schema import CLOPY_CONFIG, CLOPY_LOG
from recording.tables import FrameTable, floats, integers, no_timing, texts

# Columns of CLoPy's log before and behind those of the ROIs.
FIRST_COLUMNS = ("frame", "time")
LAST_COLUMNS = ("freq", "rew_threshold", "reward", "trial", "audio", "lick")
_HEADER = f"sessions; its header should be {' '.join(FIRST_COLUMNS)} <ROI>dff ... {' '.join(LAST_COLUMNS)}"


def read_clopy(folder: Path, image_path: Path | None = None) -> RecordedSession:
    """Read a neurofeedback session that CLoPy recorded (one row per frame, one or more ROIs).

    What its log does not hold is filled in: frames are valid where their signal is a number, none was dropped, the
    phase is ``trial`` where there is a trial number and ``rest`` elsewhere, water comes with a reward in sessions that
    give any. What its rows say is kept as it is; see ``recording.clopy_events`` for what they tell beyond that. Times
    count from the first row, in ns; ``meta`` has the time of day of that row, the settings and seeds of the copy of the
    config (``meta["note"]`` says where it cannot be read), and the mouse by the name of its folder.

    Parameters
    ----------
    folder : Path
        With ``VideoTimestamp.txt``.
    image_path : Path or None
        The file of images; by default the ``raw_image_file`` of the config where it is in the folder, else
        ``image_stream.hdf5``.

    Raises
    ------
    SourceError
        The log is missing or damaged; a last line that was cut short is left out.
    """
    path = folder / CLOPY_LOG
    header, rows = read_log(path, _is_neurofeedback, f"neurofeedback {_HEADER}")
    names = header[len(FIRST_COLUMNS) : len(header) - len(LAST_COLUMNS)]
    meta = _read_meta(folder)
    settings = meta["settings"]
    images = image_path or _images_of(folder, settings)
    try:
        wall_ns = as_wall_ns([row[1] for row in rows])
        frames = _as_frames(rows, len(names), wall_ns, settings, images.is_file())
        events = events_of(frames, REWARD_DUR_S["clnf"], settings)
    except (ValueError, OverflowError) as error:
        raise SourceError(f"{path} is damaged: {error}; restore it from a copy") from error
    parts = tuple(name.removesuffix("dff") for name in (names if len(names) == 1 else names[:-1]))
    # The log tells what was measured, whatever the config says.
    settings.pop("roi", None)
    settings.pop("roi_operation", None)
    key, rule = ("roi", parts[0]) if len(names) == 1 else ("roi_operation", _undo_dff(names[-1], parts))
    settings[key] = rule
    meta |= {"formula": rule, **facts_of(frames, settings)}
    if rows:
        meta |= {"started_wall_ns": wall_ns[0], "first_frame_ns": 0}
    return RecordedSession(folder, meta, parts, frames, no_timing(), events, images)


def _read_meta(folder: Path) -> dict[str, Any]:
    """Return what config and path of a session say of it."""
    path = folder / CLOPY_CONFIG
    meta, problem = read_config(path) if path.is_file() else ({}, "")
    meta.setdefault("settings", {})
    meta |= {"kind": "clnf", "format": "clopy"}
    if problem:
        meta["note"] = problem
    # <data_root>/<mouse>/<YYYYmmddHHMMSS>/S1
    where = folder.absolute()
    dated = next((each for each in (where, where.parent) if STAMP.fullmatch(each.name)), None)
    if dated is not None and dated.parent.name:
        meta["mouse"] = dated.parent.name
    return meta


def _images_of(folder: Path, settings: dict[str, Any]) -> Path:
    named = folder / Path(str(settings.get("raw_image_file") or DEFAULT_IMAGE_FILE)).name
    return named if named.is_file() else folder / DEFAULT_IMAGE_FILE


def read_log(
    path: Path, fits: Callable[[tuple[str, ...]], bool], wanted: str
) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return header and cells of a log of CLoPy's; a last line that was cut short is left out.

    Parameters
    ----------
    path : Path
    fits : callable
        Whether a header is that of such a log.
    wanted : str
        Kind of session and header, for the message.

    Raises
    ------
    SourceError
        The file is missing, has another header, or a line has another number of columns.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(describe("read", path, error)) from error
    lines = data[: data.rfind(b"\n") + 1].decode("utf-8", "replace").replace("\r\n", "\n").split("\n")[:-1]
    header = tuple(lines[0].split("\t")) if lines else ()
    if not fits(header):
        raise SourceError(f"{path} is not a log of CLoPy's {wanted}")
    rows = [line.split("\t") for line in lines[1:]]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise SourceError(f"{path} line {number} has {len(row)} columns, not {len(header)}; restore it from a copy")
    return header, rows


def _is_neurofeedback(header: tuple[str, ...]) -> bool:
    first, last = len(FIRST_COLUMNS), len(LAST_COLUMNS)
    return header[:first] == FIRST_COLUMNS and header[-last:] == LAST_COLUMNS and len(header) > first + last


def as_wall_ns(times: list[str]) -> list[int]:
    """Return local times of a log as ns since 1970. Raises ValueError where one is no time."""
    walls: list[int] = []
    for text in times:
        local = datetime.fromisoformat(text)
        wall = round(local.timestamp() * 1e6) * 1000
        if walls and wall < walls[-1]:
            # The hour that comes twice when summer time ends.
            wall = round(local.replace(fold=1).timestamp() * 1e6) * 1000
        walls.append(wall)
    return walls


def _as_frames(
    rows: list[list[str]], n_values: int, wall_ns: list[int], settings: dict[str, Any], has_images: bool
) -> FrameTable:
    first = len(FIRST_COLUMNS)
    values = np.array([[float(cell) for cell in row[first : first + n_values]] for row in rows], np.float64)
    values = values.reshape(len(rows), n_values)
    freq, threshold, reward, trial, audio, lick = (
        [float(row[column]) for row in rows] for column in range(first + n_values, first + n_values + len(LAST_COLUMNS))
    )
    n = len(rows)
    frame = integers([int(row[0]) for row in rows])
    trials = integers(trial)
    return FrameTable(
        frame=frame,
        time_ns=integers(wall_ns) - (wall_ns[0] if n else 0),
        sensor_ns=integers([0] * n),
        dropped=integers([0] * n),
        image=frame - 1 if has_images else integers([-1] * n),
        signal=values[:, -1].copy(),
        parts=values if n_values == 1 else values[:, :-1].copy(),
        valid=np.isfinite(values[:, -1]),
        reason=texts([""] * n),
        threshold=floats(threshold),
        freq_hz=floats(freq),
        phase=texts(["trial" if number else "rest" for number in trials]),
        trial=trials,
        audio=integers(audio),
        outcome=integers(reward),
        water=water_of(integers(reward), settings),
        licks=integers(lick),
    )


def _undo_dff(formula: str, parts: tuple[str, ...]) -> str:
    for name in parts:
        formula = re.sub(rf"(?<!\w){re.escape(name)}dff(?!\w)", name, formula)
    return formula
