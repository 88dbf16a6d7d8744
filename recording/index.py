"""The sessions under a data root: what stands in their folders, kept in an index so that thousands answer at once.

The folders are what counts. The index is only ever a copy: each call looks at every folder and reads those again that
have changed, so that folders may be copied in, taken away or mended by whatever means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from recording.index_file import INDEX_FILE, Entry, NoIndexError, load_index, save_index
from recording.index_find import Place, find_place, find_places
from recording.index_live import mark_killed, running_now
from recording.index_read import read_row
from recording.index_row import SessionRow
from recording.problems import describe

__all__ = ["INDEX_FILE", "SessionIndex", "SessionRow", "read_index", "update_index"]


@dataclass(frozen=True, slots=True)
class SessionIndex:
    """The sessions under a data root.

    Attributes
    ----------
    rows : tuple of SessionRow
        By mouse, then by start and part. A session that is marked as running while nobody runs it is ``killed``.
    notes : tuple of str
        What a person should know of the index itself, a line each; empty where all is well.
    """

    rows: tuple[SessionRow, ...]
    notes: tuple[str, ...] = ()


def read_index(
    root: Path,
    mouse: str | None = None,
    *,
    rebuild: bool = False,
    count_running: bool = True,
    progress: Callable[[list[Place]], Iterable[Place]] = iter,
) -> SessionIndex:
    """Return the sessions below ``root``, and bring the index up to date.

    A damaged, foreign or older index is built anew; one that cannot be written is done without. Both are told in
    ``notes``.

    Parameters
    ----------
    root : Path
        A data root; of one that only can be read the sessions are read on every call.
    mouse : str or None
        Look at this mouse only.
    rebuild : bool
        Read every session again, whatever the index says.
    count_running : bool
        Whether the rows of sessions that run now are counted, for which their logs are read, as they grow, each time.
    progress : callable
        Is given the folders that must be read, and yields them.

    Raises
    ------
    InputError
        ``root`` does not exist or cannot be listed, or ``mouse`` is no folder's name.
    """
    if mouse is not None and (not mouse or mouse.startswith(".") or "/" in mouse or not mouse.isprintable()):
        raise InputError(f"mouse {mouse!r} cannot name a folder; give one of those that have sessions")
    root = root.expanduser().absolute()
    notes: list[str] = []
    known: dict[str, Entry] = {}
    if not rebuild:
        try:
            known = load_index(root)
        except NoIndexError as error:
            notes.append(f"the index {root / INDEX_FILE} {error}: built anew from the folders")
    try:
        places, problems = find_places(root, None if rebuild else mouse)
    except OSError as error:
        raise InputError(f"{describe('read', root, error)}, or give another with --data-root") from error
    kept = {path: entry for path, entry in known.items() if mouse is not None and entry.row.mouse != mouse}
    uncounted = {} if count_running else _uncounted(root, places)
    places = [place for place in places if place.path not in uncounted]
    fresh = {place.path: known[place.path] for place in places if _is_known(known, place)}
    changed = [place for place in places if place.path not in fresh]
    found = fresh | {place.path: Entry(place.stamp, read_row(root, place)) for place in progress(changed)}
    entries = kept | found
    if (rebuild or notes or changed or len(entries) != len(known)) and (problem := save_index(root, entries)):
        notes.append(f"the index is done without, so that each call takes longer: {problem}")
    rows = [entry.row for entry in found.values() if mouse in (None, entry.row.mouse)] + list(uncounted.values())
    rows.sort(key=lambda row: (row.mouse, row.start_local, row.part, row.path))
    return SessionIndex(mark_killed(root, rows), (*notes, *problems))


def _uncounted(root: Path, places: list[Place]) -> dict[str, SessionRow]:
    """Return the rows of the sessions that run now, by path, without what only their logs tell."""
    return {place.path: read_row(root, place, count=False) for place in running_now(root, places)}


def _is_known(known: dict[str, Entry], place: Place) -> bool:
    entry = known.get(place.path)
    return entry is not None and entry.stamp == place.stamp and "?" not in place.stamp


def update_index(root: Path, folder: Path) -> str:
    """Put one session into the index: at the end of a session, when its folder is as it will stay.

    Never raises, since the next ``read_index`` makes up for it.

    Parameters
    ----------
    root : Path
        The data root.
    folder : Path
        The session folder, below it.

    Returns
    -------
    str
        Why it was not done; empty where it was.
    """
    try:
        root = root.expanduser().absolute()
        place = find_place(root, folder.expanduser().absolute())
        if place is None:
            return f"{folder} holds no session"
        entries = load_index(root)
    except NoIndexError as error:
        return f"the index {root / INDEX_FILE} {error}; rigloop sessions builds it anew"
    except (OSError, ValueError, RuntimeError) as error:
        return f"{folder}: {error}"
    return save_index(root, entries | {place.path: Entry(place.stamp, read_row(root, place))})
