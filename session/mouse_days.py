"""What a mouse did on each day: its sessions together, its weight, and the water it had.

A mouse that trains on several rigs has a ledger of water and a list of weights on each. Where their folders are merged,
those of the others stand beside its own under the rig's name: ``water.RIG.csv``, ``weights.RIG.csv``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import RigError
from hardware.ledger_day import DayOpenings, GivenOpening, by_day, read_openings
from recording.index import SessionRow
from session.water_day import WATER_CSV, state_folder
from session.weights import WEIGHTS_CSV, Weight, read_weights_file

LEDGER = "ledger"
SESSIONS = "sessions"


@dataclass(frozen=True, slots=True)
class MouseDay:
    """A mouse's day.

    Attributes
    ----------
    mouse, day : str
        The day as ``2026-11-20``, local time of the rig.
    sessions : tuple of SessionRow
        In order; empty on a day on which it was only weighed, or only given water.
    weight_g : float or None
        Its last weight of the day, g.
    water_s, water_ul : float or None
        All it had, s that the valve was open and ul; the volume is known where all sessions of the day knew one
        calibration.
    water_from : {"ledger", "sessions", ""}
        By what: the ledger of water, free drops included, or the sum of what its sessions asked for.
    """

    mouse: str
    day: str
    sessions: tuple[SessionRow, ...] = ()
    weight_g: float | None = None
    water_s: float | None = None
    water_ul: float | None = None
    water_from: str = ""

    @property
    def trials(self) -> int | None:
        """Return the trials of all parts, None where no session tells."""
        return _sum_known(row.trials for row in self.sessions)

    @property
    def successes(self) -> int | None:
        """Return the successes of all parts."""
        return _sum_known(row.successes for row in self.sessions)

    @property
    def success_rate(self) -> float | None:
        """Return successes as a share of the trials, None without trials."""
        trials, successes = self.trials, self.successes
        return successes / trials if trials and successes is not None else None

    @property
    def threshold(self) -> tuple[float, str] | None:
        """Return the threshold at the end of the last session that had one, and its unit."""
        known = [(row.threshold_end, row.threshold_unit) for row in self.sessions if row.threshold_end is not None]
        return known[-1] if known else None

    @property
    def rigs(self) -> tuple[str, ...]:
        """Return the rigs it was on, each once."""
        return tuple(dict.fromkeys(row.rig for row in self.sessions if row.rig))


def _sum_known(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def mouse_days(root: Path, rows: Sequence[SessionRow]) -> tuple[list[MouseDay], list[str]]:
    """Join sessions, weights and water by mouse and day.

    Weights and the ledger's copies are read below ``root``, the ledger itself on this computer. The latter holds other
    data roots, too, so that it makes no day by itself.

    Parameters
    ----------
    root : Path
        The data root.
    rows : sequence of SessionRow
        All sessions of the mice that are asked about.

    Returns
    -------
    list of MouseDay
        By mouse, then by day.
    list of str
        What could not be read, a line each; its days go without.
    """
    by_mouse: defaultdict[str, list[SessionRow]] = defaultdict(list)
    for row in rows:
        by_mouse[row.mouse].append(row)
    days: list[MouseDay] = []
    notes: list[str] = []
    for mouse in sorted(by_mouse):
        days += _days_of(root, mouse, by_mouse[mouse], notes)
    return days, list(dict.fromkeys(notes))


def _days_of(root: Path, mouse: str, rows: list[SessionRow], notes: list[str]) -> list[MouseDay]:
    weights = _weights(root / mouse, notes)
    copies = _ledgers(_files(root / mouse, WATER_CSV), notes)
    here = _by_day(copies)
    water = _by_day([*copies, *_ledgers(_own_ledger(mouse, notes), notes)])
    sessions: defaultdict[str, list[SessionRow]] = defaultdict(list)
    for row in rows:
        sessions[row.day].append(row)
    return [
        _day(mouse, day, tuple(sessions.get(day, ())), weights.get(day), water.get(day))
        for day in sorted({*sessions, *weights, *here})
    ]


def _day(
    mouse: str, day: str, rows: tuple[SessionRow, ...], weight_g: float | None, ledger: DayOpenings | None
) -> MouseDay:
    if ledger is not None:
        return MouseDay(mouse, day, rows, weight_g, ledger.seconds, _volume(rows, ledger), LEDGER)
    seconds = [row.water_s for row in rows if row.water_s is not None]
    if not seconds:
        return MouseDay(mouse, day, rows, weight_g)
    volumes = [row.water_ul for row in rows if row.water_s]
    volume = sum(each for each in volumes if each is not None) if volumes and None not in volumes else None
    return MouseDay(mouse, day, rows, weight_g, sum(seconds), volume, SESSIONS)


def _volume(rows: Sequence[SessionRow], ledger: DayOpenings) -> float | None:
    """Return what the day's openings gave by the one calibration that all its sessions knew, ul."""
    known = {(row.valve_ul_per_ms, row.valve_offset_ul) for row in rows}
    slope, offset = known.pop() if len(known) == 1 else (None, None)
    if slope is None or offset is None:
        return None
    return ledger.openings * offset + slope * 1000 * ledger.seconds


def _own_ledger(mouse: str, notes: list[str]) -> list[Path]:
    """Return the mouse's ledger on this computer; none where this user has no place for one."""
    try:
        return [state_folder() / "water" / f"{mouse}.csv"]
    except RigError as error:
        notes.append(str(error))
        return []


def _ledgers(paths: Sequence[Path], notes: list[str]) -> list[list[GivenOpening]]:
    """Return the openings of each ledger that can be read."""
    found = []
    for path in paths:
        try:
            found.append(read_openings(path))
        except RigError as error:
            notes.append(str(error))
    return found


def _by_day(ledgers: Sequence[list[GivenOpening]]) -> dict[str, DayOpenings]:
    return {day.isoformat(): water for day, water in by_day(ledgers).items()}


def _weights(home: Path, notes: list[str]) -> dict[str, float]:
    """Return the last weight of each day, g."""
    found: list[Weight] = []
    for path in _files(home, WEIGHTS_CSV):
        try:
            found += read_weights_file(path)
        except RigError as error:
            notes.append(str(error))
    # Their offset from UTC may differ within a day, twice a year; one hour does not matter for a weight.
    return {weight.time[:10]: weight.grams for weight in sorted(found, key=lambda weight: weight.time[:19])}


def _files(home: Path, name: str) -> list[Path]:
    """Return the file of that name, and those of other rigs: ``water.csv``, ``water.RIG.csv``."""
    stem, _, suffix = name.partition(".")
    return [home / name, *sorted(home.glob(f"{stem}.*.{suffix}"))]
