"""What one recorded session came to, for a person: a table, losses by cause, latencies, and what was said and done.

By what the session itself recorded; nothing is made up where it does not tell. Reads files: called by threads of the
server, never by its loop.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.clock import local_datetime
from core.errors import RigError
from core.values import OperatorKind
from recording.folder import read_session_json
from recording.index_row import CLOPY, SessionRow
from recording.reader import open_session, read_beside
from recording.schema import FIGURE_PNG, FRAMES_CSV, SESSION_JSON, EventRow, InputRow, MissingRow

QUIET = frozenset({"lick", "edge", "sync", "drop", "note", "operator"})
"""Events that are not listed: those of the devices, and those that stand among what people did."""
MOST_EVENTS = 5000
_WISHES = frozenset(kind.value for kind in OperatorKind)
_CAUSES = (
    ("dropped", "frames lost"),
    ("skipped", "frames not judged"),
    ("repeated", "frames that came again"),
    ("images_dropped", "images not recorded"),
)
_LATENCIES = (("lateness_us", "capture to loop"), ("latency_us", "loop to last command"))
_PERCENTILES = ("p50", "p99", "p999", "max")

Facts = dict[str, Any]


def report(folder: Path, row: SessionRow, weight_g: float | None) -> Facts:
    """Return ``GET /api/sessions/KEY``, less what is not in the folder.

    Parameters
    ----------
    folder : Path
        The session's.
    row : SessionRow
        What the index has of it.
    weight_g : float or None
        Of its day.

    Returns
    -------
    dict
        ``rows``: label and value, as texts; ``causes``: ``what``, ``cause``, ``n``; ``latency``: ``what`` and the
        percentiles in us; ``said``: what people asked for and noted, ``t_s`` (None where it is not known), ``clock``,
        ``who``, ``what``, ``text``; ``events``: ``t_s``, ``clock``, ``kind``, ``trial``, ``text``, and ``more``: how
        many are not listed; ``figure``: whether there is one; ``problem``: what cannot be read.
    """
    problem = row.problem
    meta: Facts = {}
    events: Sequence[EventRow] = ()
    inputs: Sequence[InputRow] = ()
    missing: Sequence[MissingRow] = ()
    try:
        if row.format == CLOPY:
            with open_session(folder) as session:
                meta, events = session.meta, session.events
        else:
            meta = read_session_json(folder) if (folder / SESSION_JSON).is_file() else {}
            events, inputs, missing = read_beside(folder)
    except RigError as error:
        problem = problem or str(error)
    clock = _Clock(folder, meta)
    listed = [event for event in events if event.kind not in QUIET]
    return {
        "rows": [{"label": label, "value": value} for label, value in _rows(row, meta, weight_g) if value],
        "causes": list(_causes(meta, missing)),
        "latency": list(_latency(meta)),
        "said": list(_said(inputs, events, clock)),
        "events": [
            {**clock.of(event.time_ns), "kind": event.kind, "trial": event.trial, "text": event.detail}
            for event in listed[:MOST_EVENTS]
        ],
        "more": max(0, len(listed) - MOST_EVENTS),
        "figure": (folder / FIGURE_PNG).is_file(),
        "problem": problem,
    }


class _Clock:
    """Turns a time of the frames' clock into seconds since the first frame, and into the clock on the wall."""

    def __init__(self, folder: Path, meta: Mapping[str, Any]) -> None:
        first = meta.get("first_frame_ns")
        self._first_ns = first if isinstance(first, int) and first >= 0 else _first_frame(folder / FRAMES_CSV)
        # A rehearsal at full speed is over before its time is.
        wall = meta.get("started_wall_ns") if meta.get("pace") != "max" else None
        self._wall_ns = wall if isinstance(wall, int) else None

    def of(self, time_ns: int) -> Facts:
        """Return ``t_s`` and ``clock``."""
        if self._first_ns is None:
            return {"t_s": None, "clock": ""}
        since_ns = time_ns - self._first_ns
        at = "" if self._wall_ns is None else f"{local_datetime(self._wall_ns + since_ns):%H:%M:%S}"
        return {"t_s": round(since_ns / 1e9, 3), "clock": at}


def _first_frame(path: Path) -> int | None:
    """Return the time of the first frame of a log; None where there is none."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            first = next(csv.DictReader(file))
        return int(first["time_ns"])
    except (OSError, StopIteration, KeyError, TypeError, ValueError, csv.Error):
        return None


def _rows(row: SessionRow, meta: Facts, weight_g: float | None) -> Iterator[tuple[str, str]]:
    """Yield label and value; an empty value is not known."""
    counts, software = _part(meta, "counts"), _part(meta, "software")
    yield "mouse", row.mouse
    yield "began", row.start_local.replace("T", " ")
    yield "part", f"{row.part} of that day's session" if row.part > 1 else ""
    yield "experiment", row.experiment
    yield "session type", row.session_type
    yield "started by", _word(meta, "started_by")
    yield "outcome", row.outcome
    yield "what failed", _word(meta, "error")
    yield "outputs", f"{row.outputs}: no water flowed" if row.outputs == "fake" else row.outputs
    yield "length", "" if row.duration_s is None else _length(row.duration_s)
    yield "trials", _number(row.trials)
    rate = "" if row.success_rate is None else f" ({100 * row.success_rate:.0f} %)"
    yield "successes", "" if row.successes is None else f"{row.successes}{rate}"
    yield "rewards", _number(row.rewards)
    yield "drops", "" if row.drops is None else f"{row.drops}, free ones included"
    yield "water", _water(row)
    yield "weight that day", "" if weight_g is None else f"{weight_g:.1f} g"
    yield "threshold", _threshold(row)
    yield "frames", "" if row.frames is None else f"{row.frames}, lost {row.dropped or 0}"
    yield "images recorded", _number(counts.get("images"))
    yield "devices lost", _number(counts.get("interruptions") or None)
    yield "rig", row.rig
    yield "computer", row.host
    yield "version", " ".join(filter(None, (_word(software, "rigloop"), _word(software, "git")[:10])))
    yield "seed", _number(meta.get("seed"))


def _water(row: SessionRow) -> str:
    if row.water_s is None:
        return ""
    volume = "" if row.water_ul is None else f"{row.water_ul:.1f} µl, "
    return f"{volume}{row.water_s:.2f} s open"


def _threshold(row: SessionRow) -> str:
    """Return the threshold from start to end; of dF/F in %, as the page shows the signal."""
    known = [value for value in (row.threshold_start, row.threshold_end) if value is not None]
    scale, unit = (100, "% dF/F") if row.threshold_unit == "dF/F" else (1, row.threshold_unit)
    shown = list(dict.fromkeys(f"{scale * value:.3g}" for value in known))
    return f"{' → '.join(shown)} {unit}" if shown else ""


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _causes(meta: Facts, missing: Iterable[MissingRow]) -> Iterator[Facts]:
    """Yield how many were lost by cause: as the session counted them, else by its table of missing numbers."""
    by_cause = _part(_part(meta, "counts"), "by_cause")
    if not by_cause:
        lost: Counter[str] = Counter()
        for row in missing:
            lost[row.cause] += row.numbers
        by_cause = {"dropped": lost}
    for key, what in _CAUSES:
        for cause, number in sorted(_part(by_cause, key).items()):
            if isinstance(number, int) and number:
                yield {"what": what, "cause": str(cause), "n": number}


def _latency(meta: Facts) -> Iterator[Facts]:
    for key, what in _LATENCIES:
        found = _part(meta, key)
        shown = {name: found[name] for name in _PERCENTILES if isinstance(found.get(name), int | float)}
        if shown:
            yield {"what": what, **shown}


def _said(inputs: Sequence[InputRow], events: Sequence[EventRow], clock: _Clock) -> Iterator[Facts]:
    """Yield what people asked for; of a session that kept no inputs, by its events."""
    if not inputs:
        for event in events:
            if event.kind in ("operator", "note"):
                yield {**clock.of(event.time_ns), "who": "", "what": event.kind, "text": event.detail}
        return
    for row in inputs:
        if row.kind in _WISHES:
            text = row.text or (f"{row.value:g}" if row.kind == OperatorKind.SET_THRESHOLD.value else "")
            yield {**clock.of(row.time_ns), "who": row.who, "what": row.kind, "text": text}


def _part(meta: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = meta.get(key)
    return value if isinstance(value, Mapping) else {}


def _word(meta: Mapping[str, Any], key: str) -> str:
    value = meta.get(key)
    return value if isinstance(value, str) else ""


def _number(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
