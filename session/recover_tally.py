"""What a session that was killed lost, skipped and got twice, by cause, read off its tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from camera.tally import REPEAT
from core.losses import UNKNOWN
from recording.image_tally import LATE
from recording.recorded import RecordedSession
from recording.schema import SECOND_FOLDER, EventRow
from session.frame_tally import AGAIN_NUMBER, AGAIN_TIME, FrameTally
from session.skipping import RECORDING

NOT_WRITTEN = "not_written"
"""Cause of an image that was on its way to the disk when the power failed."""
_AGAIN = re.compile(r"frame (\d+) at .* after frame (\d+) at ")
_COUNTED = re.compile(r"(\d+) (.+)")


def tally_of(
    session: RecordedSession, events: tuple[EventRow, ...], skipped: int, unwritten: int, *, second: bool
) -> FrameTally:
    """Return the counts by cause.

    Parameters
    ----------
    session : RecordedSession
        The session, or what was recorded of its second camera.
    events : tuple of EventRow
        Of the session.
    skipped : int
        Frames that were not judged.
    unwritten : int
        Rows whose image did not reach the disk.
    second : bool
        Whether it is the second camera's.
    """
    own = [*_of_camera(events, second=second)]
    return FrameTally(
        dropped=_dropped(session),
        skipped=_skipped(own, skipped),
        repeated=_repeated(own),
        images_dropped=_without_image(session, own, unwritten),
    )


def without_image(session: RecordedSession) -> int:
    """Return how many frames have no image, of a session that recorded images."""
    return int(np.count_nonzero(session.frames.image < 0)) if records_images(session) else 0


def records_images(session: RecordedSession) -> bool:
    """Return whether a session recorded images, as its settings say."""
    settings = session.meta.get("settings")
    return session.has_images if settings is None else bool(settings.get("record_images"))


def _of_camera(events: tuple[EventRow, ...], *, second: bool) -> Iterator[tuple[str, str]]:
    """Yield kind and detail of the events that concern a camera's frames, the second's without its name."""
    name = f"{SECOND_FOLDER}: "
    for event in events:
        if event.detail.startswith(name) == second:
            yield event.kind, event.detail.removeprefix(name)


def _dropped(session: RecordedSession) -> Mapping[str, int]:
    by = Counter(row.cause for row in session.missing or ())
    # The last rows of frames.csv may be ahead of those of missing.csv, or behind them.
    unknown = int(session.frames.dropped.sum()) - by.total()
    return _positive(by + Counter({UNKNOWN: max(unknown, 0)}))


def _skipped(events: list[tuple[str, str]], skipped: int) -> Mapping[str, int]:
    by: Counter[str] = Counter()
    for kind, detail in events:
        if kind == "skip" and (found := _COUNTED.fullmatch(detail)):
            by[found[2]] += int(found[1])
    # Those of a session whose poses are replayed have no event.
    return _positive(by + Counter({RECORDING: max(skipped - by.total(), 0)}))


def _repeated(events: list[tuple[str, str]]) -> Mapping[str, int]:
    by: Counter[str] = Counter()
    for kind, detail in events:
        if kind == "repeat" and (found := _AGAIN.match(detail)):
            by[AGAIN_NUMBER if int(found[1]) <= int(found[2]) else AGAIN_TIME] += 1
        elif kind == "drop" and (found := _COUNTED.fullmatch(detail)) and found[2] == REPEAT:
            by[AGAIN_TIME] += int(found[1])
    return _positive(by)


def _without_image(session: RecordedSession, events: list[tuple[str, str]], unwritten: int) -> Mapping[str, int]:
    """Return the images that were not kept: behind the last one that was they are the disk's, if images had ended."""
    total = without_image(session)
    if not total:
        return {}
    ended = next((detail.partition(":")[0] for kind, detail in events if kind == "images_ended"), "")
    kept = np.flatnonzero(session.frames.image >= 0)
    behind = len(session.frames) - (int(kept[-1]) + 1 if len(kept) else 0)
    by = Counter({NOT_WRITTEN: min(unwritten, behind)})
    if ended:
        by[ended] = behind - by[NOT_WRITTEN]
    by[LATE] = total - by.total()
    return _positive(by)


def _positive(counts: Counter[str]) -> dict[str, int]:
    return {cause: n for cause, n in counts.items() if n > 0}
