"""The summary table: a row per session of every mouse, CLoPy's columns, how the session ended, and its water.

Neurofeedback and movement sessions have a table each, as CLoPy's two kinds of script do: their columns differ.
"""

from __future__ import annotations

import csv
import fcntl
import io
import math
import os
from pathlib import Path
from typing import NamedTuple

from core.clock import MonotonicClock, local_datetime
from core.errors import RecordingError
from core.ports import Clock
from recording.clopy_config import MOVEMENT_SUMMARY_COLUMNS, SUMMARY_COLUMNS
from recording.problems import describe

_OURS = ("outcome", "water_s", "day_water_s")
COLUMNS = (*SUMMARY_COLUMNS, *_OURS)
MOVEMENT_COLUMNS = (*MOVEMENT_SUMMARY_COLUMNS, *_OURS)
OLD_COLUMNS = COLUMNS[:-2]
"""Of tables that were begun before water had columns; their rows stay as wide as their header."""
_HEADERS = {"clnf": (COLUMNS, OLD_COLUMNS), "clmf": (MOVEMENT_COLUMNS,)}
_SESSIONS = {"clnf": "neurofeedback", "clmf": "movement"}
# Another rig holds the file for the fsync of one row; a slow card takes a second or two.
LOCK_S = 10.0
_RETRY_NS = 10_000_000
_PATH_AT = SUMMARY_COLUMNS.index("data_path")


class SummaryRow(NamedTuple):
    """A session in the summary.

    Attributes
    ----------
    mouse_id, session, data_path : str
        Name of the mouse; ``S1``; the session folder.
    start_wall_ns, end_wall_ns : int
        ns since 1970; written as local time.
    duration_s : float
        From the first frame to the last, on the frames' clock: a rehearsal at full speed ends before that is over.
    fps : float
        Frames per second that came.
    dff_history_s : float
        Span of the baseline, s; 0 where there is none.
    framerate : float
        Frames per second that were asked for; turns ``dff_history_s`` into the frames that CLoPy writes.
    n_tones : int
    reward_threshold : float
        dF/F or mm/s, at the end of the session.
    rewards : int
    audio : float
        Share of trials with sound.
    session_type : str
    outcome : str
        ``complete``, ``aborted``, ``failed`` ...
    water_s : float
        Time the valve was open in the session, free drops included, s: with real outputs as the mouse's ledger has it.
    day_water_s : float or None
        What the mouse has had on this day when the session ended, s; None where no real water flowed.
    kind : {"clnf", "clmf"}
        Neurofeedback or movement: which columns the row has.
    start_radius_px, target_radius_px : float
        Of a movement session: radii of the two circles, px; CLoPy writes them as whole numbers.
    """

    mouse_id: str
    session: str
    data_path: str
    start_wall_ns: int
    end_wall_ns: int
    duration_s: float
    fps: float
    dff_history_s: float
    framerate: float
    n_tones: int
    reward_threshold: float
    rewards: int
    audio: float
    session_type: str
    outcome: str
    water_s: float = 0.0
    day_water_s: float | None = None
    kind: str = "clnf"
    start_radius_px: float = 0.0
    target_radius_px: float = 0.0


def append_summary(path: Path, row: SummaryRow, clock: Clock | None = None) -> None:
    """Add a row, as wide as the table is, and the header to a new file.

    Rigs that share the file take turns; the row is on disk on return.

    Parameters
    ----------
    path : Path
    row : SummaryRow
    clock : Clock or None
        Times the wait for another process's turn, ``LOCK_S`` at most; the host's where there is none.

    Raises
    ------
    RecordingError
        The file has other columns, cannot be written, or another process holds it; it is as it was.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            _lock(handle, path, clock or MonotonicClock())
            if problem := check_summary(path, row.kind):
                raise RecordingError(problem)
            _append(handle, row)
        finally:
            os.close(handle)
    except OSError as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(describe("write", path, error)) from error


def has_row(path: Path, mouse: str, session: Path) -> bool:
    """Return whether the table has a row of a mouse's session, by the last three folders of its path.

    Raises RecordingError where the table cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = [row for row in csv.reader(file) if len(row) > _PATH_AT]
    except FileNotFoundError:
        return False
    except (OSError, csv.Error) as error:
        raise RecordingError(describe("read", path, error)) from error
    return any(row[0] == mouse and Path(row[_PATH_AT]).parts[-3:] == session.parts[-3:] for row in rows)


def check_summary(path: Path, kind: str = "clnf") -> str:
    """Return why a row cannot be added to ``path``; an empty text where it can, also where there is no file yet.

    Nor is a missing folder, or a file in its place, told here: making the session folder says it better.

    Parameters
    ----------
    path : Path
    kind : {"clnf", "clmf"}
        Of the session.
    """
    try:
        if path.exists() and not path.is_file():
            # A pipe would block whoever reads it.
            return f"{path} is not a plain file; set summary_file to another name"
        # Opened as for a row, so that what forbids one is met here.
        with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC), "rb") as file:
            header = file.readline().decode("utf-8", "replace").rstrip("\r\n")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return describe("write", path, error)
    found = tuple(header.split(","))
    if not header or found in _HEADERS[kind]:
        return ""
    for other, headers in _HEADERS.items():
        if found in headers:
            return (
                f"{path} is a table of {_SESSIONS[other]} sessions, whose columns are not those of "
                f"{_SESSIONS[kind]} sessions; set summary_file to another name"
            )
    clopys = found in (SUMMARY_COLUMNS, MOVEMENT_SUMMARY_COLUMNS)
    whose = "CLoPy's columns" if clopys else f"the columns {header[:300]!r}"
    columns = ", ".join(_HEADERS[kind][0])
    return f"{path} has {whose}, not those of this version ({columns}); set summary_file to another name"


def _lock(handle: int, path: Path, clock: Clock) -> None:
    """Take the file for this process alone; let go when ``handle`` is closed. Raises OSError."""
    give_up_ns = clock.now_ns() + round(LOCK_S * 1e9)
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock.now_ns() >= give_up_ns:
                break
            clock.sleep_until_ns(clock.now_ns() + _RETRY_NS)
        else:
            return
    raise RecordingError(
        f"cannot write {path}: another process has held it for {LOCK_S:g} s; find it with 'fuser {path}', end it, and "
        "add this session's row by hand from session.json"
    )


def _append(handle: int, row: SummaryRow) -> None:
    size = os.fstat(handle).st_size
    columns = _HEADERS[row.kind][0]
    head = os.pread(handle, 4 * len(",".join(columns)), 0).partition(b"\n")[0].rstrip(b"\r").decode("utf-8", "replace")
    line = _line(row, len(OLD_COLUMNS if head == ",".join(OLD_COLUMNS) else columns))
    if size == 0:
        line = ",".join(columns) + "\n" + line
    elif os.pread(handle, 1, size - 1) != b"\n":
        # A power failure cut the last row short; it must not swallow this one.
        line = "\n" + line
    data = line.encode("utf-8", "backslashreplace")
    written = os.write(handle, data)
    if written != len(data):
        os.ftruncate(handle, size)
        raise OSError(28, os.strerror(28))
    os.fsync(handle)


def _line(row: SummaryRow, width: int) -> str:
    """Return the first ``width`` cells of a row as a line."""
    cells = [*_first_cells(row), *_last_cells(row)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([" ".join(cell.splitlines()) for cell in cells[:width]])
    return text.getvalue()


def _first_cells(row: SummaryRow) -> list[str]:
    """Return the cells up to those of what a session was run with."""
    cells = [
        row.mouse_id,
        row.session,
        row.data_path,
        _local_time(row.start_wall_ns),
        _local_time(row.end_wall_ns),
        repr(round(row.duration_s, 6)),
        repr(float(row.fps)),
    ]
    n_tones = str(int(row.n_tones))
    if row.kind == "clmf":
        return [*cells, n_tones, _whole(row.start_radius_px), _whole(row.target_radius_px)]
    return [*cells, _whole(row.dff_history_s * row.framerate), n_tones, repr(float(row.reward_threshold))]


def _whole(value: float) -> str:
    return str(round(value)) if math.isfinite(value) else "0"


def _last_cells(row: SummaryRow) -> list[str]:
    return [
        str(int(row.rewards)),
        repr(float(row.audio)),
        row.session_type,
        row.outcome,
        repr(round(row.water_s, 6)),
        "" if row.day_water_s is None else repr(round(row.day_water_s, 6)),
    ]


def _local_time(wall_ns: int) -> str:
    seconds, rest = divmod(wall_ns, 10**9)
    return local_datetime(seconds * 10**9).replace(microsecond=rest // 1000).strftime("%Y-%m-%d %H:%M:%S.%f")
