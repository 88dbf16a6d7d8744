"""Our neurofeedback sessions in the letter of CLoPy's log.

It knows one row per image (``frame`` is the index into the file of images, plus one), so a row of ours whose image was
not kept has no place in it: its licks move to the next row that is kept, and a trial's outcome to the trial's last row
that is. A session that recorded no images at all is given out row by row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from core.errors import SourceError
from recording.clopy_read import FIRST_COLUMNS, LAST_COLUMNS
from recording.clopy_rows import images_named, logged_freq, placed_rows
from recording.recorded import RecordedSession, is_clopys
from recording.schema import FrameRow


def log_columns(session: RecordedSession) -> tuple[str, ...]:
    """Return the header of CLoPy's log: ``<NAME>dff`` per ROI, then the formula where there is one."""
    columns = [f"{name}dff" for name in session.part_names]
    settings = session.meta.get("settings") or {}
    formula = str(settings.get("roi_operation") or "").replace(" ", "")
    if len(columns) != 1 or formula not in ("", session.part_names[0]):
        formula = formula or "signal"
        names = sorted(session.part_names, key=len, reverse=True)
        pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names)
        columns.append(re.sub(pattern, lambda found: found.group() + "dff", formula) if names else formula)
    return (*FIRST_COLUMNS, *columns, *LAST_COLUMNS)


def neurofeedback_rows(session: RecordedSession, recorded: Iterable[FrameRow]) -> list[FrameRow]:
    """Return the rows, of those of ``session.frames``, that have a place in the log. Raises SourceError."""
    rows = placed_rows(session, recorded, judged=False)
    if images_named(session) is None:
        return [row._replace(image=index) for index, row in enumerate(rows)]
    for index, row in enumerate(rows):
        if row.image != index:
            raise SourceError(
                f"{session.folder}: frame {row.frame} names image {row.image}, expected {index}; "
                "frames.csv does not belong to this file of images"
            )
    return rows


def neurofeedback_log(session: RecordedSession, rows: Iterable[FrameRow], local_time: Callable[[int], str]) -> str:
    """Return the text of the log; parameters as of ``movement_log``."""
    columns, theirs = log_columns(session), is_clopys(session)
    single = len(columns) == len(FIRST_COLUMNS) + 1 + len(LAST_COLUMNS)
    lines = ["\t".join(columns)]
    for row in rows:
        values = (row.signal,) if single else (*row.parts, row.signal)
        cells = [str(row.image + 1), local_time(row.time_ns)]
        cells += [repr(float(value)) for value in values]
        cells += [str(logged_freq(row, theirs)), repr(float(row.threshold))]
        cells += [str(int(value)) for value in (row.outcome, row.trial, row.audio, row.licks)]
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"
