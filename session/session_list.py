"""Every session with all that is known of it, as a line of CSV or JSON, and what is to be done where it did not end."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from recording.index import SessionRow
from recording.index_row import DAMAGED, KILLED, UNBEGUN
from session.mouse_days import MouseDay

_OF_DAY = ("weight_g", "water_s", "water_ul", "water_from")
"""What each session's record has of its day."""


def hint(row: SessionRow, root: str, host: str) -> str:
    """Return what is to be done about a session that did not end, or cannot be read; empty where nothing is.

    Parameters
    ----------
    row : SessionRow
    root : str
        The data root.
    host : str
        This computer's name.
    """
    if row.outcome == KILLED:
        # A copy says nothing of what goes on where it was made.
        unless = "" if row.host in ("", host) else f", unless it still runs on {row.host}"
        return f"{row.path} was killed{unless}; finish its folder: rigloop recover {root}/{row.path}"
    if row.outcome == UNBEGUN:
        return f"{row.path} was killed before it began: there is nothing in it, and its folder may be deleted"
    if row.outcome == DAMAGED:
        return f"{row.path} is damaged: {row.problem}"
    return "" if row.day else f"{row.path} stands under no day: {row.problem}"


def hints(rows: Sequence[SessionRow], root: str, host: str) -> Iterator[str]:
    """Yield what is to be done, session by session."""
    return filter(None, (hint(row, root, host) for row in rows))


def session_records(days: Sequence[MouseDay]) -> Iterator[dict[str, Any]]:
    """Yield each session with all that is known of it, and its day's weight and water; units are in the names."""
    for day in days:
        for row in day.sessions:
            of_day = {f"day_{name}": getattr(day, name) for name in _OF_DAY}
            yield {**row._asdict(), "success_rate": row.success_rate, **of_day}


def csv_lines(days: Sequence[MouseDay]) -> Iterator[str]:
    """Yield header and sessions as CSV; what is not known is an empty cell."""
    yield ",".join((*SessionRow._fields, "success_rate", *(f"day_{name}" for name in _OF_DAY)))
    for record in session_records(days):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(list(record.values()))
        yield text.getvalue()


def json_lines(days: Sequence[MouseDay]) -> Iterator[str]:
    """Yield each session as a JSON object; what is not known is null."""
    for record in session_records(days):
        yield json.dumps(record, allow_nan=False)
