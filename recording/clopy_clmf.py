"""Our movement sessions in the letter of CLoPy's: the log, and the frames' real times beside its video.

Frame k of the log is the k-th frame of the video. Rows that CLoPy has no word for are in neither: those of frames that
were recorded and not judged, as the pose of one before was still on its way, and those without an image. Their licks
move to the next row, a trial's outcome to the trial's last one. A session that CLoPy recorded is given out as its own
log has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from recording.clopy_clmf_read import CLMF_COLUMNS, logged_speeds
from recording.clopy_config_read import px_per_frame
from recording.clopy_rows import logged_freq, placed_rows
from recording.folder import STAMP, folder_name
from recording.recorded import RecordedSession, is_clopys
from recording.schema import SPEED, FrameRow

TIMES_COLUMNS = ("frame", "time_ns", "sensor_ns", "time")
_FIRST_PARTS = 2  # speed and distance, before those of the pose


def movement_stem(session: RecordedSession) -> str:
    """Return what CLoPy's files of a movement session begin with: ``<mouse>_<YYYYmmddHHMMSS>``."""
    if is_clopys(session):
        return str(session.meta["session"])
    mouse = re.sub(r"[^\w.-]", "_", str(session.meta.get("mouse") or "mouse"))
    for name in (session.folder.name, session.folder.parent.name):
        if STAMP.fullmatch(name):
            return f"{mouse}_{name}"
    return f"{mouse}_{folder_name(int(session.meta.get('started_wall_ns') or 0))}"


def is_movement(session: RecordedSession) -> bool:
    """Return whether a session is one of movement feedback."""
    return session.meta.get("kind") == "clmf"


def movement_rows(session: RecordedSession, recorded: Iterable[FrameRow]) -> list[FrameRow]:
    """Return the rows, of those of ``session.frames``, that have a place in the log.

    ``image`` says where in our video each one's frame is. Raises SourceError where it cannot be read.
    """
    return placed_rows(session, recorded, judged=True)


def movement_log(session: RecordedSession, rows: Iterable[FrameRow], local_time: Callable[[int], str]) -> str:
    """Return the text of the log.

    Parameters
    ----------
    session : RecordedSession
    rows : iterable of FrameRow
        As from ``movement_rows``.
    local_time : callable
        Frame time, ns, to the text of a local time.
    """
    scale = px_per_frame(session.meta.get("settings") or {})
    speed_at = session.part_names.index(SPEED) if SPEED in session.part_names else None
    lines = ["\t".join((*CLMF_COLUMNS, *session.part_names[_FIRST_PARTS:]))]
    theirs = is_clopys(session)
    # By way of mm/s its last bits would change, and without ppmm in the config nothing would be left of it.
    logged = logged_speeds(session.folder / f"{movement_stem(session)}.txt") if theirs else {}
    for number, row in enumerate(rows, start=1):
        speed = row.signal if speed_at is None else row.parts[speed_at]
        cells = [str(number), local_time(row.time_ns), logged.get(row.frame) or repr(float(speed) * scale)]
        cells.append(str(logged_freq(row, theirs)))
        cells += [str(int(value)) for value in (row.outcome, row.trial, row.audio, row.licks)]
        cells += [repr(float(value)) for value in row.parts[_FIRST_PARTS:]]
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


def times_table(rows: Iterable[FrameRow], local_time: Callable[[int], str]) -> str:
    """Return the table of the real times of the video's frames, CSV: number, frame time and sensor's stamp, local."""
    lines = [",".join(TIMES_COLUMNS)]
    lines += [f"{n},{row.time_ns},{row.sensor_ns},{local_time(row.time_ns)}" for n, row in enumerate(rows, start=1)]
    return "\n".join(lines) + "\n"
