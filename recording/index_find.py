"""Finds the session folders under a data root by their names, and what tells whether one has changed.

Nothing is opened: two looks at a folder's files are all that a session costs that is known already.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from recording.folder import STAMP, is_unbegun
from recording.problems import describe
from recording.schema import CLOPY_CONFIG, CLOPY_LOG, FRAMES_CSV, SESSION_JSON

_PART = re.compile(r"S[0-9]{1,9}")
_LOG = re.compile(r".+_" + STAMP.pattern + r"\.txt")


NOTHING = "nothing"
"""Stamp of a session that has nothing to make a row of."""


class Place(NamedTuple):
    """A folder that holds a session.

    Attributes
    ----------
    path : str
        Below the data root, parts joined by ``/``.
    stamp : str
        Differs when a file that the session's row is made of was changed, replaced, added or removed; holds a ``?``
        where that cannot be told.
    clopy : bool
        Whether it is a folder of CLoPy's.
    """

    path: str
    stamp: str
    clopy: bool = False


def find_places(root: Path, mouse: str | None = None) -> tuple[list[Place], list[str]]:
    """Return every session folder below ``root``, of one mouse or of all, and what could not be looked at.

    These are ``<mouse>/<YYYYmmddHHMMSS>/S<n>`` with session.json, frames.csv or CLoPy's log, or with no more than a
    session's settings, and ``<mouse>/<YYYYmmddHHMMSS>`` with the log of a movement session of CLoPy's.

    Raises
    ------
    OSError
        ``root`` itself cannot be listed.
    """
    problems: list[str] = []
    there = _folders(str(root))
    mice = [mouse] if mouse is not None else [name for name in sorted(there) if not name.startswith(".")]
    places: list[Place] = []
    for name in mice:
        home = os.path.join(root, name)
        if not name.isprintable():
            problems.append(f"{home!r} cannot be a mouse's folder: its name is not printable; rename it")
            continue
        try:
            dates = [date for date in _folders(home) if STAMP.fullmatch(date)]
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(describe("read", Path(home), error))
            continue
        for date in dates:
            try:
                places += _of_date(str(root), f"{name}/{date}")
            except FileNotFoundError:
                continue
            except OSError as error:
                problems.append(describe("read", Path(home) / date, error))
    return sorted(places), problems


def find_place(root: Path, folder: Path) -> Place | None:
    """Return the place of one session folder below ``root``; None where it holds no session. Raises OSError."""
    path = folder.relative_to(root).as_posix()
    return _place(str(root), path)


def _folders(path: str) -> list[str]:
    with os.scandir(path) as entries:
        return [entry.name for entry in entries if entry.is_dir()]


def _of_date(root: str, path: str) -> Iterator[Place]:
    with os.scandir(os.path.join(root, path)) as entries:
        names = [entry.name for entry in entries]
    logs = [name for name in names if _LOG.fullmatch(name)]
    if logs:
        files = [file for log in sorted(logs) for file in (log, f"{log[:-4]}_config.ini")]
        yield Place(path, _stamp(os.path.join(root, path), files), clopy=True)
    for name in names:
        if _PART.fullmatch(name) and (place := _place(root, f"{path}/{name}")):
            yield place


def _place(root: str, path: str) -> Place | None:
    folder = os.path.join(root, path)
    if stamp := _stamp(folder, (SESSION_JSON, FRAMES_CSV)):
        return Place(path, stamp)
    if os.path.exists(os.path.join(folder, CLOPY_LOG)):
        return Place(path, _stamp(folder, (CLOPY_LOG, CLOPY_CONFIG)), clopy=True)
    return Place(path, NOTHING) if os.path.isdir(folder) and is_unbegun(Path(folder)) else None


def _stamp(folder: str, names: Iterable[str]) -> str:
    """Return size, times and number of each file that there is.

    The number tells a file that was replaced within one tick of the disk's clock, the time of its last change of any
    kind one that was put back with its old date.
    """
    seen = []
    for name in names:
        try:
            it = os.stat(os.path.join(folder, name))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            # Reading it will say why, each time until it can be looked at.
            seen.append(f"{name}:?{error.errno}")
            continue
        seen.append(f"{name}:{it.st_size}:{it.st_mtime_ns}:{it.st_ctime_ns}:{it.st_ino}")
    return " ".join(seen).encode("utf-8", "backslashreplace").decode("utf-8")
