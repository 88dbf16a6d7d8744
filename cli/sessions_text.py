"""The table that ``rigloop sessions`` prints, by mouse and day."""

from __future__ import annotations

from collections.abc import Sequence

from recording.index import SessionRow
from recording.index_row import CLOPY, DAMAGED
from session.mouse_days import LEDGER, SESSIONS, MouseDay

_HEADER = ("mouse", "day", "parts", "trials", "success", "threshold", "water", "weight", "rig", "outcome")
_LEFT = {"mouse", "day", "rig", "outcome"}
_WIDEST = 12
"""A name longer than this is cut in the table."""
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
