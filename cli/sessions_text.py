"""What ``rigloop sessions`` prints: a table by mouse and day, or every session as a line of CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from recording.index import SessionRow
from recording.index_row import CLOPY, DAMAGED, UNBEGUN
from session.mouse_days import LEDGER, SESSIONS, MouseDay

_HEADER = ("mouse", "day", "parts", "trials", "success", "threshold", "water", "weight", "rig", "outcome")
_LEFT = {"mouse", "day", "rig", "outcome"}
_WIDEST = 12
"""A name longer than this is cut in the table."""
_OF_DAY = ("weight_g", "water_s", "water_ul", "water_from")
"""What each session's record has of its day."""
_BY_DROPS = "+"
_BY_TRIALS = "*"


def table(days: Sequence[MouseDay]) -> list[str]:
    """Return the table as lines, without what no day has; and below it how to read its water."""
    columns = [column for column in zip(_HEADER, *map(_cells, days), strict=True) if any(column[1:])]
    lines = ["  ".join(row).rstrip() for row in zip(*map(_aligned, columns), strict=True)]
    sources = {day.water_from for day in days}
    if SESSIONS in sources:
        lines.append(f"water with {_BY_DROPS}: what the sessions asked for (fake outputs give none); no ledger here")
    if LEDGER in sources:
        which = f" without {_BY_DROPS}" if SESSIONS in sources else ""
        lines.append(f"water{which}: by the mouse's ledger, free water included")
    if any(_is_inferred(row) for day in days for row in day.sessions):
        lines.append(f"outcome with {_BY_TRIALS}: by the number of trials; CLoPy's files record none")
    return lines


def _aligned(column: Sequence[str]) -> list[str]:
    """Return header and cells as wide as the widest."""
    width = max(map(len, column))
    return [cell.ljust(width) if column[0] in _LEFT else cell.rjust(width) for cell in column]


def _cells(day: MouseDay) -> tuple[str, ...]:
    rate, threshold = day.success_rate, day.threshold
    return (
        _short(day.mouse),
        day.day,
        str(len(day.sessions) or ""),
        "" if day.trials is None else str(day.trials),
        "" if rate is None else f"{100 * rate:.0f} %",
        "" if threshold is None else f"{threshold[0]:.3g} {threshold[1]}",
        _water(day),
        "" if day.weight_g is None else f"{day.weight_g:.1f} g",
        ",".join(_short(rig) for rig in day.rigs),
        ",".join(dict.fromkeys(_outcome(row) for row in day.sessions)),
    )


def _short(name: str) -> str:
    return name if len(name) <= _WIDEST else name[: _WIDEST - 3] + "..."


def _water(day: MouseDay) -> str:
    mark = "" if not day.water_from else _BY_DROPS if day.water_from == SESSIONS else " "
    if day.water_ul is not None:
        return f"{day.water_ul:.1f} ul{mark}"
    return "" if day.water_s is None else f"{day.water_s:.2f} s{mark}"


def _outcome(row: SessionRow) -> str:
    mark = _BY_TRIALS if _is_inferred(row) else ""
    return f"{row.outcome}{mark}" or ("CLoPy" if row.format == CLOPY else "unknown")


def _is_inferred(row: SessionRow) -> bool:
    """Whether nobody recorded the outcome: of CLoPy's sessions all but ``damaged`` are."""
    return row.format == CLOPY and row.outcome not in ("", DAMAGED)


def hints(rows: Sequence[SessionRow], root: str, host: str) -> Iterator[str]:
    """Yield what is to be done about sessions that did not end, or cannot be read; ``host`` is this computer."""
    for row in rows:
        if row.outcome == "killed":
            # A copy says nothing of what goes on where it was made.
            unless = "" if row.host in ("", host) else f", unless it still runs on {row.host}"
            yield f"{row.path} was killed{unless}; finish its folder: rigloop recover {root}/{row.path}"
        elif row.outcome == UNBEGUN:
            yield f"{row.path} was killed before it began: there is nothing in it, and its folder may be deleted"
        elif row.outcome == DAMAGED:
            yield f"{row.path} is damaged: {row.problem}"
        elif not row.day:
            yield f"{row.path} stands under no day: {row.problem}"


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
