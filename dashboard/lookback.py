"""What was recorded, as the page lists it: the sessions of every data root, and the learning curve of a mouse.

Reads folders and the index of each data root, which may take long: called by threads of the server, never by its loop.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import RecordingError
from dashboard.session_keys import session_key
from recording.index import SessionRow, read_index
from recording.index_find import Place
from session.data_root import find_data_roots
from session.mouse_days import MouseDay, mouse_days
from session.session_list import csv_lines, hint

SHOWN = (
    "mouse", "day", "part", "start_local", "experiment", "kind", "session_type", "outcome", "outputs", "trials",
    "successes", "duration_s", "threshold_unit", "water_s", "water_ul", "rig", "format",
)  # fmt: skip
"""What the list has of each session as the index has it."""


class Root(NamedTuple):
    """A data root, the sessions below it, and what is to be known of its index."""

    path: Path
    rows: tuple[SessionRow, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Reading:
    """How far a look at all folders is; written by the thread that looks, read by the server's loop.

    Attributes
    ----------
    done, total : int
        Sessions that were read, of those that have to be.
    stop : bool
        Set to end it.
    """

    done: int = 0
    total: int = 0
    stop: bool = False

    def count(self, places: list[Place]) -> Iterator[Place]:
        """Yield the folders, and count them. Raises RecordingError where it is to stop."""
        self.total += len(places)
        for place in places:
            if self.stop:
                raise RecordingError("the page is being closed; open it anew")
            yield place
            self.done += 1


def data_roots(config: Path, data_root: str | None) -> list[Path]:
    """Return where sessions are: the one folder that was given, else those of config.ini. Raises ConfigError."""
    return find_data_roots(config) if data_root is None else [Path(data_root).expanduser().absolute()]


def read_roots(
    roots: Iterable[Path], mouse: str | None = None, progress: Callable[[list[Place]], Iterable[Place]] = iter
) -> list[Root]:
    """Return the sessions of each data root, of one mouse or of all.

    A data root that does not exist has none. Sessions that run now are not counted: their logs are long, and read by
    the process that shows them. Raises InputError where one cannot be listed.
    """
    return [
        Root(root, *_index(root, mouse, progress)) if root.exists() else Root(root, (), (f"{root} is not there yet",))
        for root in roots
    ]


def _index(
    root: Path, mouse: str | None, progress: Callable[[list[Place]], Iterable[Place]]
) -> tuple[tuple[SessionRow, ...], tuple[str, ...]]:
    index = read_index(root, mouse, count_running=False, progress=progress)
    return index.rows, index.notes


def days_of(root: Root, mouse: str | None) -> tuple[list[MouseDay], list[str]]:
    """Return the days of one mouse, or of all, and what of them could not be read."""
    return mouse_days(root.path, [row for row in root.rows if mouse in (None, row.mouse)])


def session_list(roots: Sequence[Root], mouse: str | None) -> dict[str, Any]:
    """Return ``GET /api/sessions``: the sessions of one mouse or of all, the newest first.

    ``mice`` lists all mice with how many sessions each has. ``hint`` of a session is what is to be done about it.
    """
    host = platform.node()
    sessions: list[dict[str, Any]] = []
    notes: list[str] = []
    for root in roots:
        days, unread = days_of(root, mouse)
        notes += [*root.notes, *unread]
        sessions += [_listed(root.path, row, day, host) for day in days for row in day.sessions]
    sessions.sort(key=lambda each: (each["start_local"], each["part"], each["key"]), reverse=True)
    counts: dict[str, int] = {}
    for root in roots:
        for row in root.rows:
            counts[row.mouse] = counts.get(row.mouse, 0) + 1
    mice = [{"mouse": name, "sessions": counts[name]} for name in sorted(counts)]
    return {"sessions": sessions, "mice": mice, "notes": list(dict.fromkeys(notes))}


def _listed(root: Path, row: SessionRow, day: MouseDay, host: str) -> dict[str, Any]:
    return {
        "key": session_key(root, row.path),
        "session": row.path,
        **{name: getattr(row, name) for name in SHOWN},
        "threshold": row.threshold_end,
        "weight_g": day.weight_g,
        "hint": hint(row, str(root), host),
    }


def curve(roots: Sequence[Root], mouse: str) -> dict[str, Any]:
    """Return ``GET /api/curves/ID``: what the mouse did on each day, in order; None is what is not known."""
    days: list[MouseDay] = []
    notes: list[str] = []
    for root in roots:
        found, unread = days_of(root, mouse)
        days += found
        notes += unread
    days.sort(key=lambda day: day.day)
    return {"mouse": mouse, "days": [_day(day) for day in days if day.day], "notes": list(dict.fromkeys(notes))}


def _day(day: MouseDay) -> dict[str, Any]:
    threshold, unit = day.threshold or (None, "")
    return {
        "date": day.day,
        "sessions": len(day.sessions),
        "success": day.success_rate,
        "trials": day.trials,
        "threshold": threshold,
        "threshold_unit": unit,
        "water_s": day.water_s,
        "water_ul": day.water_ul,
        "water_from": day.water_from,
        "weight_g": day.weight_g,
        "rigs": list(day.rigs),
    }


def csv_text(roots: Sequence[Root], mouse: str | None) -> str:
    """Return every session as `rigloop sessions --csv` prints it."""
    lines: list[str] = []
    for root in roots:
        found = list(csv_lines(days_of(root, mouse)[0]))
        lines += found[1:] if lines else found
    return "".join(f"{line}\n" for line in lines)
