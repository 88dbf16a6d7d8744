"""Makes a session's row of the index from its folder, whatever is wrong with it."""

from __future__ import annotations

import csv
import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.clock import local_datetime
from core.errors import RigError
from recording.folder import read_session_json
from recording.index_find import NOTHING, Place
from recording.index_row import CLOPY, DAMAGED, UNBEGUN, SessionRow
from recording.schema import FRAMES_CSV, RUNNING, SESSION_JSON

if TYPE_CHECKING:
    from recording.recorded import RecordedSession

_TEXT_LIMIT = 400
_COUNT_LIMIT = 2**53
"""A count above this is none: no float, and no other reader of JSON, could tell it from its neighbour."""
_LAST_WALL_NS = 2**62
"""In the year 2116."""
_LINE_LIMIT = 1 << 16
_COUNTS = ("trials", "successes", "rewards", "frames", "dropped")


def read_row(root: Path, place: Place, *, count: bool = True) -> SessionRow:
    """Return the row of the session in ``place``. Never raises: what cannot be read is told in the row.

    Unless ``count``, one that is marked as running has no counts.
    """
    row = _named(place)
    if place.stamp == NOTHING:
        return row._replace(outcome=UNBEGUN)
    try:
        return _clopy_row(root, place, row) if place.clopy else _our_row(root / place.path, row, count)
    except Exception as error:  # noqa: BLE001 - a folder that somebody damaged must not hide all others
        why = str(error) if isinstance(error, RigError | OSError) else f"{type(error).__name__}: {error}"
        # The root may be mounted elsewhere tomorrow.
        return row._replace(outcome=DAMAGED, problem=_text(why.replace(f"{root}/", "")))


def _named(place: Place) -> SessionRow:
    """Return what the path tells."""
    mouse, date, *rest = place.path.split("/")
    problem = ""
    try:
        start = datetime.strptime(date, "%Y%m%d%H%M%S").isoformat()
    except ValueError:
        start, problem = "", f"{date} is no date; rename the folder to when the session began"
    part = int(rest[0][1:]) if rest else 1
    form = CLOPY if place.clopy else "rigloop"
    return SessionRow(place.path, mouse, start[:10], start, min(part, _COUNT_LIMIT), format=form, problem=problem)


def _our_row(folder: Path, row: SessionRow, count: bool) -> SessionRow:
    meta = read_session_json(folder) if (folder / SESSION_JSON).exists() else {}
    row = _said(meta, row)
    if not meta:
        row = row._replace(problem=f"it has no {SESSION_JSON}")
    if not count and row.outcome == RUNNING:
        return row
    counts = _dict(meta, "counts")
    lacking = [key for key in _COUNTS if _count(counts, key) is None]
    if row.outcome in ("", RUNNING) or lacking:
        return _water(_counted(folder, row, lacking), meta)
    row = row._replace(
        duration_s=_number(counts, "duration_s"),
        trials=_count(counts, "trials"),
        successes=_count(counts, "successes"),
        rewards=_count(counts, "rewards"),
        drops=_count(counts, "water"),
        threshold_start=_first_threshold(folder / FRAMES_CSV, row.kind, meta),
        threshold_end=_number(counts, "threshold"),
        frames=_count(counts, "frames"),
        dropped=_count(counts, "dropped"),
    )
    return _water(row, meta)


def _said(meta: dict[str, Any], row: SessionRow) -> SessionRow:
    """Return the row with what session.json says of who, where and how."""
    settings, valve = _dict(meta, "settings"), _dict(_dict(meta, "calibration"), "valve")
    part = _count(meta, "part")
    kind = _word(meta, "kind")
    return row._replace(
        part=row.part if part is None else part,
        start_local=_start(meta, row),
        rig=_word(meta, "rig") or _word(settings, "rig"),
        host=_word(_dict(meta, "software"), "host"),
        experiment=_word(meta, "experiment"),
        session_type=_word(settings, "session_type"),
        kind=kind,
        outputs=_word(meta, "outputs"),
        outcome=_word(meta, "outcome"),
        problem=_word(meta, "error") or _word(meta, "note") or row.problem,
        threshold_unit=_unit(kind, settings),
        valve_ul_per_ms=_number(valve, "ul_per_ms"),
        valve_offset_ul=_number(valve, "offset_ul"),
    )


def _start(meta: dict[str, Any], row: SessionRow) -> str:
    """Return the start: of a further part its own, as its folder is named after the first part's."""
    wall_ns = _count(meta, "started_wall_ns", _LAST_WALL_NS)
    if row.part <= 1 or not wall_ns:
        return row.start_local
    return local_datetime(wall_ns).replace(tzinfo=None).isoformat(timespec="seconds")


def _unit(kind: str, settings: dict[str, Any]) -> str:
    if kind != "clmf":
        return "dF/F"
    return "mm" if settings.get("reward_by") == "target" else "mm/s"


def _counted(folder: Path, row: SessionRow, lacking: list[str]) -> SessionRow:
    """Return the row with what the log counts: of a session that was killed, or runs, or whose counts are ``lacking``.

    Where there is no log to count, an ended session is damaged, and no number is made up.
    """
    from recording.reader import open_session

    if not (folder / FRAMES_CSV).exists():
        if row.outcome != RUNNING:
            what = ", ".join(lacking) or "outcome"
            why = f"{SESSION_JSON} has no {what} that can be used, and there is no {FRAMES_CSV} to count"
            return row._replace(outcome=DAMAGED, problem=_text("; ".join(filter(None, (why, row.problem)))))
        # Killed before its first frame.
        return row._replace(duration_s=0.0, trials=0, successes=0, rewards=0, drops=0, frames=0, dropped=0)
    with open_session(folder) as session:
        return _by_rows(session, row)


def _by_rows(session: RecordedSession, row: SessionRow) -> SessionRow:
    frames = session.frames
    times, thresholds = frames.time_ns, frames.threshold
    return row._replace(
        duration_s=float(times[-1] - times[0]) / 1e9 if len(times) else 0.0,
        trials=int((frames.outcome != 0).sum()),
        successes=int((frames.outcome == 1).sum()),
        rewards=sum(event.kind == "reward" for event in session.events),
        drops=int(frames.water.sum()),
        threshold_start=_finite(float(thresholds[0])) if len(thresholds) else None,
        threshold_end=_finite(float(thresholds[-1])) if len(thresholds) else None,
        frames=len(times),
        dropped=int(frames.dropped.sum()),
    )


def _first_threshold(path: Path, kind: str, meta: dict[str, Any]) -> float | None:
    """Return the threshold of the first frame; where there is none, that of the settings."""
    try:
        with path.open("rb") as file:
            lines = [file.readline(_LINE_LIMIT).decode("utf-8", "replace") for _ in range(2)]
        header, first = csv.reader(lines)
        value = _finite(float(first[header.index("threshold")]))
    except (OSError, ValueError, IndexError, csv.Error):
        value = None
    key = "speed_threshold" if kind == "clmf" else "reward_threshold"
    return _number(_dict(meta, "settings"), key) if value is None else value


def _water(row: SessionRow, meta: dict[str, Any]) -> SessionRow:
    """Return the row with the water of its drops, each of which opens the valve for ``reward_dur``."""
    seconds = _number(_dict(meta, "settings"), "reward_dur")
    if row.drops is None or seconds is None:
        return row
    slope, offset = row.valve_ul_per_ms, row.valve_offset_ul
    volume = None if slope is None or offset is None else row.drops * (offset + slope * 1000 * seconds)
    return row._replace(water_s=row.drops * seconds, water_ul=volume)


def _clopy_row(root: Path, place: Place, row: SessionRow) -> SessionRow:
    from recording.clopy_events import REWARD_DUR_S
    from recording.reader import open_session

    with open_session(root / place.path) as session:
        row = _by_rows(session, _said(session.meta, row))
    return row._replace(water_s=(row.drops or 0) * REWARD_DUR_S[row.kind])


def _dict(meta: dict[str, Any], key: str) -> dict[str, Any]:
    value = meta.get(key)
    return value if isinstance(value, dict) else {}


def _word(meta: dict[str, Any], key: str) -> str:
    value = meta.get(key)
    return _text(value) if isinstance(value, str) else ""


def _text(value: str) -> str:
    """Return a text that is one line, not endless, and that any database and screen take."""
    plain = value[: 4 * _TEXT_LIMIT].encode("utf-8", "backslashreplace").decode("utf-8")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in plain).split())[:_TEXT_LIMIT]


def _count(meta: dict[str, Any], key: str, limit: int = _COUNT_LIMIT) -> int | None:
    value = meta.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < limit else None


def _number(meta: dict[str, Any], key: str) -> float | None:
    value = meta.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        return None
    return _finite(float(value))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
