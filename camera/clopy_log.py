"""The times in VideoTimestamp.txt, the log that CLoPy writes beside its images."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from camera.stamps import IntArray
from core.errors import SourceError

LOG_CURE = "rename or remove that log to replay at the configured framerate"
_MICROSECOND = timedelta(microseconds=1)


def read_times(log: Path, n_images: int) -> IntArray:
    """Return the capture time of each image, (n_images,) int64 ns after the first.

    Row ``frame`` belongs to image ``frame - 1``. Rows beyond the last image are left out, and so is a last line that a
    killed session broke off. The stamps are local time without a zone, in whole microseconds, so differences are exact
    except across a change of the clocks.

    Raises
    ------
    SourceError
        If the log has no row for an image, or a row that cannot be read.
    """
    rows = _read_rows(log)
    missing = next((k + 1 for k in range(n_images) if k + 1 not in rows), None)
    if missing is not None:
        raise SourceError(
            f"{log}: has {len(rows)} rows for {n_images} images, none for frame {missing}; the two files do not "
            f"belong together: {LOG_CURE}"
        )
    return np.array([(rows[k + 1] - rows[1]) // _MICROSECOND * 1000 for k in range(n_images)], np.int64)


def _read_rows(log: Path) -> dict[int, datetime]:
    """Return the time of each frame number of the log."""
    try:
        text = log.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{log}: cannot be read ({error}); {LOG_CURE}") from error
    lines = text.split("\n")
    broken_off = lines.pop()  # empty after a complete line
    if not lines:
        raise SourceError(f"{log}: has no header line; {LOG_CURE}")
    header = lines[0].split("\t")
    if "frame" not in header or "time" not in header:
        raise SourceError(f"{log}: the first line has no columns frame and time, separated by tabs; {LOG_CURE}")
    frame_at, time_at = header.index("frame"), header.index("time")
    if broken_off.count("\t") == len(header) - 1:
        lines.append(broken_off)
    rows: dict[int, datetime] = {}
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        try:
            rows[int(cells[frame_at])] = datetime.fromisoformat(cells[time_at])
        except (IndexError, ValueError) as error:
            raise SourceError(
                f"{log}, line {number}: {line[:60]!r} has no frame number and time like 2023-11-14 22:13:27.145333; "
                f"{LOG_CURE}"
            ) from error
    return rows
