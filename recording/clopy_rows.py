"""Which of our rows have a place in CLoPy's logs, and the tone as both kinds of its logs write it."""

from __future__ import annotations

from collections.abc import Iterable

from core.values import SKIPPED
from recording.recorded import RecordedSession, check_all_images, check_rows, count_images
from recording.schema import FrameRow


def placed_rows(session: RecordedSession, recorded: Iterable[FrameRow], *, judged: bool) -> list[FrameRow]:
    """Return the rows that have a place in the log: those with an image, or all where no image was recorded.

    The licks of the others move to the next row that has a place, a trial's outcome to the trial's last one.

    Parameters
    ----------
    session : RecordedSession
    recorded : iterable of FrameRow
        Those of ``session.frames``.
    judged : bool
        Whether frames that were recorded and not judged have no place.

    Raises
    ------
    SourceError
        Rows or images cannot be read.
    """
    check_rows(session)
    check_all_images(session)
    count = images_named(session)
    kept: list[FrameRow] = []
    licks = 0
    for row in recorded:
        if (count is None or 0 <= row.image < count) and not (judged and row.reason == SKIPPED):
            kept.append(row._replace(licks=row.licks + licks))
            licks = 0
            continue
        licks += row.licks
        if row.outcome and kept and kept[-1].trial == row.trial:
            kept[-1] = kept[-1]._replace(outcome=row.outcome)
    return kept


def images_named(session: RecordedSession) -> int | None:
    """Return how many images there are that rows may name, None where all rows stay, as no image was recorded.

    Where their file is gone it is all that rows name: the log must fit the file once that is put back.
    """
    if session.has_images:
        return count_images(session)
    last = int(session.frames.image.max(initial=-1))
    return None if last < 0 else last + 1


def logged_freq(row: FrameRow, theirs: bool) -> int:
    """Return the tone of a row as CLoPy writes it: cut to whole Hz, none in rest.

    Its own logs (``theirs``) have one in rest, on the row before a trial and after the last one, which stays.
    """
    return int(row.freq_hz) if row.freq_hz > 0 and (row.trial or theirs) else 0
