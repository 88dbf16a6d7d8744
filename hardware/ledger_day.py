"""What the ledgers of a mouse say: the water of its day, and the openings of which ``max_duty`` still knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from core.clock import local_datetime
from core.outputs import DUTY_WINDOW_NS
from core.values import as_ns
from hardware.bounds import last_openings
from hardware.ledger_rows import Purpose, Row, read_rows


@dataclass(frozen=True, slots=True)
class DayWater:
    """The water of one day.

    Attributes
    ----------
    seconds : float
        Sum of all openings, s.
    by_purpose : dict of Purpose to float
        The same, told apart by what it was for.
    warning : str
        What a person should look at; empty where all is well.
    """

    seconds: float
    by_purpose: dict[Purpose, float]
    warning: str = ""


def local_day(wall_ns: int) -> date:
    """Return the local day of a time, ns since 1970."""
    return local_datetime(wall_ns).date()


def read_day(path: Path, day: date) -> DayWater:
    """Return the water of a day; none where there is no file yet. Raises OutputError for a file that is damaged.

    What is dated later counts, too: the clock was ahead then, or is behind now, and the mouse may have had it today.
    """
    by_purpose = dict.fromkeys(Purpose, 0.0)
    later = 0
    for when, what, seconds in _given(read_rows(path)):
        if when.date() >= day:
            by_purpose[what] += seconds
            later += when.date() > day
    warning = f"{later} rows of {path} are dated after {day} and count for it: check the clock, correct their dates"
    return DayWater(sum(by_purpose.values()), by_purpose, warning if later else "")


def read_most(paths: Sequence[Path], day: date) -> DayWater:
    """Return the water of a day by the ledger, of a mouse's several, that has the most of it; with all warnings.

    Each opening is written into all of them, one after the other: what a kill or a lost disk kept out of one, or what
    was given on another computer, stands in another.
    """
    days = [read_day(path, day) for path in paths]
    most = max(days, key=lambda each: each.seconds)
    return DayWater(most.seconds, most.by_purpose, "; ".join(each.warning for each in days if each.warning))


def recent_openings(paths: Sequence[Path], wall_ns: int, now_ns: int) -> list[tuple[int, int]]:
    """Return start and end (ns, monotonic) of the openings of the last 10 s, in order of their ends.

    Of several ledgers the one that has the most of them counts. The monotonic clock begins anew when a computer does,
    so that the time of day tells how long ago an opening ended: one that is dated later than now, since the clock was
    set back, has ended just now. An opening that was cut by a kill counts as a whole, and has ended by now.

    Parameters
    ----------
    paths : sequence of Path
    wall_ns, now_ns : int
        Now: ns since 1970, and on the monotonic clock.
    """
    found = [_recent(path, wall_ns, now_ns) for path in paths]
    return max(found, key=lambda openings: sum(end - start for start, end in openings))


def _recent(path: Path, wall_ns: int, now_ns: int) -> list[tuple[int, int]]:
    openings = []
    for when, _, seconds in _given(read_rows(path)):
        length_ns = as_ns(seconds)
        ago_ns = max(0, wall_ns - as_ns(when.timestamp()) - length_ns)
        if length_ns and ago_ns < DUTY_WINDOW_NS:
            openings.append((now_ns - ago_ns - length_ns, now_ns - ago_ns))
    return last_openings(sorted(openings, key=lambda opening: opening[1]), now_ns)


def _given(rows: list[Row]) -> list[tuple[datetime, Purpose, float]]:
    """Return what each opening gave, at its own time, whenever it was corrected; never less than none."""
    given: list[tuple[datetime, Purpose, float]] = []
    last: dict[tuple[Purpose, str], int] = {}
    for when, what, seconds, session in rows:
        if seconds >= 0:
            last[what, session] = len(given)
            given.append((when, what, seconds))
        elif (what, session) in last:
            at = last[what, session]
            given[at] = (*given[at][:2], max(0.0, given[at][2] + seconds))
    return given
