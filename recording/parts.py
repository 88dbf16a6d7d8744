"""The parts of a session: ``S1``, and ``S2`` ... in the same folder where it was resumed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from core.errors import RecordingError
from recording.folder import STAMP, is_unbegun, sync_folder
from recording.problems import describe
from recording.schema import SESSION_JSON

_PART = re.compile(r"S([1-9]\d*)")


def part_number(session: Path) -> int:
    """Return the number of a part by its folder's name, 0 where it has none."""
    found = _PART.fullmatch(session.name)
    return int(found[1]) if found else 0


def parts_in(outer: Path) -> list[Path]:
    """Return the folders of a session's parts that have a session.json, first part first."""
    parts = [path for path in outer.glob("S*") if part_number(path) and (path / SESSION_JSON).is_file()]
    return sorted(parts, key=part_number)


def sessions_of(home: Path) -> list[Path]:
    """Return the folders, named after the time, of a mouse's sessions that have a part, the oldest first."""
    stamped = [path for path in home.glob("*") if STAMP.fullmatch(path.name)]
    return [path for path in sorted(stamped, key=lambda path: path.name) if parts_in(path)]


def next_part(session: Path) -> Path:
    """Return the folder of the part that goes on with a session."""
    return session.with_name(f"S{part_number(session) + 1}")


def create_part(resumed: Path) -> Path:
    """Make the empty folder of the part that goes on with a session. Raises RecordingError, also where it exists.

    What a part that was killed before it began has left there is removed.
    """
    part = next_part(resumed)
    try:
        if part.is_dir() and is_unbegun(part):
            shutil.rmtree(part)
        part.mkdir()
        sync_folder(part.parent)
    except OSError as error:
        raise RecordingError(describe("make", part, error)) from error
    return part


def part_suffix(session: Path) -> str:
    """Return what a part after S1 adds to the name of its session."""
    return f"-{session.name}" if part_number(session) > 1 else ""


def ledger_name(session: Path) -> str:
    """Return the name of a session in the ledger of water: that of the folder of its parts, with the part after S1."""
    return session.parent.name + part_suffix(session)
