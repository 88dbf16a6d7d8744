"""Who changed which key of a mouse on the page, and when: ``page-changes.jsonl`` in the data root, a line for each.

``{"time": local ISO time, "who", "mouse", "key", "old": text or null, "new": text or null}``; null: not in the mouse's
section.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from core.clock import local_datetime
from recording.problems import describe

CHANGES_JSONL = "page-changes.jsonl"

Change = tuple[str | None, str | None]
"""Old and new value."""


def append_changes(root: Path, who: str, mouse: str, changes: Mapping[str, Change], wall_ns: int) -> str:
    """Add a line for each change, on the disk when this returns; return why it could not be, empty where it was."""
    path = root / CHANGES_JSONL
    when = local_datetime(wall_ns).isoformat(timespec="seconds")
    rows = (
        {"time": when, "who": who, "mouse": mouse, "key": key, "old": old, "new": new}
        for key, (old, new) in changes.items()
    )
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "backslashreplace")
    try:
        root.mkdir(parents=True, exist_ok=True)
        _append(path, data)
    except OSError as error:
        return f"saved, but not noted who did it: {describe('write', path, error)}"
    return ""


def _append(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        size = os.fstat(handle).st_size
        # A power failure cut the last line short; it must not swallow this one.
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        data = b"\n" * torn + data
        if os.write(handle, data) != len(data):
            os.ftruncate(handle, size)
            raise OSError(28, os.strerror(28))
        os.fsync(handle)
    finally:
        os.close(handle)
