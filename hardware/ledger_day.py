"""What the ledgers of a mouse say: the water of its day, and the openings of which ``max_duty`` still knows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

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
    by_session : dict of str to float
        The same, by name of the session's folder; "" outside a session.
    warning : str
        What a person should look at; empty where all is well.
    """

    seconds: float
    by_purpose: dict[Purpose, float]
    by_session: dict[str, float] = field(default_factory=dict)
    warning: str = ""


def local_day(wall_ns: int) -> date:
    """Return the local day of a time, ns since 1970."""
    return local_datetime(wall_ns).date()


def read_day(path: Path, day: date) -> DayWater:
    """Return the water of a day; none where there is no file yet. Raises OutputError for a file that is damaged.

    What is dated later counts, too: the clock was ahead then, or is behind now, and the mouse may have had it today.
    """
    return read_together([path], day)


def read_together(paths: Sequence[Path], day: date) -> DayWater:
    """Return the water of a day by all ledgers of a mouse, each opening once; with all warnings.

    Each opening is written into all of them, one after the other: what a kill or a lost disk kept out of one, or what
    was given on another computer, stands in another.
    """
    ledgers = [read_openings(path) for path in paths]
    by_purpose = dict.fromkeys(Purpose, 0.0)
    by_session: defaultdict[str, float] = defaultdict(float)
    for opening in _union(ledgers):
        if opening.when.date() >= day:
            by_purpose[opening.what] += opening.given_s
            by_session[opening.session] += opening.given_s
    warnings = []
    for path, openings in zip(paths, ledgers, strict=True):
        if later := sum(opening.when.date() > day for opening in openings):
            warnings.append(
                f"{later} rows of {path} are dated after {day} and count for it: check the clock, correct their dates"
            )
    return DayWater(sum(by_purpose.values()), by_purpose, dict(by_session), "; ".join(warnings))


class DayOpenings(NamedTuple):
    """The openings of one day, corrected.

    Attributes
    ----------
    seconds : float
        Sum of them, s.
    openings : int
        Those that gave any water.
    """

    seconds: float
    openings: int


def read_openings(path: Path) -> list[GivenOpening]:
    """Return the openings of a ledger; none where there is no file. Raises OutputError for one that is damaged."""
    return _given(read_rows(path))


def by_day(ledgers: Sequence[list[GivenOpening]]) -> dict[date, DayOpenings]:
    """Return what a mouse had on each day, by the openings of all its ledgers, each once.

    An opening counts for the day that its own row names, wherever this is read.
    """
    days: dict[date, DayOpenings] = {}
    for opening in _union(ledgers):
        seconds, openings = days.get(opening.when.date(), DayOpenings(0.0, 0))
        days[opening.when.date()] = DayOpenings(seconds + opening.given_s, openings + (opening.given_s > 0))
    return days


def recent_openings(paths: Sequence[Path], wall_ns: int, now_ns: int) -> list[tuple[int, int]]:
    """Return start and end (ns, monotonic) of the openings of the last 10 s, in order of their ends.

    By all ledgers, each opening once. The monotonic clock begins anew when a computer does,
    so that the time of day tells how long ago an opening ended: one that is dated later than now, since the clock was
    set back, has ended just now. An opening that was cut by a kill counts as a whole, and has ended by now.

    Parameters
    ----------
    paths : sequence of Path
    wall_ns, now_ns : int
        Now: ns since 1970, and on the monotonic clock.
    """
    recent = []
    for opening in _union([read_openings(path) for path in paths]):
        length_ns = as_ns(opening.given_s)
        ago_ns = max(0, wall_ns - as_ns(opening.when.timestamp()) - length_ns)
        if length_ns and ago_ns < DUTY_WINDOW_NS:
            recent.append((now_ns - ago_ns - length_ns, now_ns - ago_ns))
    return last_openings(sorted(recent, key=lambda opening: opening[1]), now_ns)


class GivenOpening(NamedTuple):
    """An opening as a ledger has it: its row, and what it gave by the rows that correct it, s."""

    when: datetime
    what: Purpose
    seconds: float
    session: str
    given_s: float


def _given(rows: list[Row]) -> list[GivenOpening]:
    """Return what each opening gave, at its own time, whenever it was corrected; never less than none."""
    given: list[GivenOpening] = []
    last: dict[tuple[Purpose, str], int] = {}
    for row in rows:
        if row.seconds >= 0:
            last[row.what, row.session] = len(given)
            given.append(GivenOpening(*row, given_s=row.seconds))
        elif (row.what, row.session) in last:
            at = last[row.what, row.session]
            given[at] = given[at]._replace(given_s=max(0.0, given[at].given_s + row.seconds))
    return given


def _union(ledgers: Sequence[list[GivenOpening]]) -> list[GivenOpening]:
    """Return the openings of all ledgers, each once: the same time (to the ms), purpose, seconds and session.

    Where a correction reached one ledger and not the other, the opening counts uncorrected. Rows that are the same
    within one ledger are as many openings.
    """
    found: dict[tuple[int, Purpose, float, str, int], GivenOpening] = {}
    for openings in ledgers:
        times: Counter[tuple[int, Purpose, float, str]] = Counter()
        for opening in openings:
            row = (round(opening.when.timestamp() * 1000), opening.what, opening.seconds, opening.session)
            times[row] += 1
            before = found.get((*row, times[row]))
            if before is None or before.given_s < opening.given_s:
                found[(*row, times[row])] = opening
    return list(found.values())
