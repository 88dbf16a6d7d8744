"""Names of sessions in addresses of the page: which folder each stands for, and that none leads out of a data root."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from core.errors import RigError
from recording.folder import STAMP

_KEY = re.compile(rf"([0-9a-f]{{12}})/([^/\0]{{1,255}})/{STAMP.pattern}(/S[0-9]{{1,9}})?")


class NoSuchThingError(RigError):
    """There is nothing of that name; its text says what to do."""


def root_name(root: Path) -> str:
    """Return what stands for a data root in a key; the same as long as its path is."""
    return hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def session_key(root: Path, path: str) -> str:
    """Return the key of a session; ``path`` is its folder below ``root``, parts joined by ``/``."""
    return f"{root_name(root)}/{path}"


def find_session(roots: Sequence[Path], key: str) -> tuple[Path, str]:
    """Return the data root and the path below it that a key stands for.

    Parameters
    ----------
    roots : sequence of Path
        The data roots that may be shown.
    key : str
        From an address: anything.

    Raises
    ------
    NoSuchThingError
        It is no session's key, there is no such folder, or a link in it leads out of the data root.
    """
    root = next((each for each in roots if _KEY.fullmatch(key) and key.startswith(f"{root_name(each)}/")), None)
    path = key.partition("/")[2]
    # A name that begins with a dot is no mouse's; this is also where ``..`` ends.
    if root is None or path.startswith("."):
        raise NoSuchThingError("there is no such session; reload the list")
    inside(root, root / path)
    return root, path


def inside(folder: Path, path: Path) -> Path:
    """Return ``path``, which must exist and lie in ``folder`` with all links followed. Raises NoSuchThingError."""
    try:
        real = path.resolve(strict=True)
        if real.is_relative_to(folder.resolve(strict=True)):
            return real
    except (OSError, ValueError, RuntimeError):
        raise NoSuchThingError(f"{path.name} is not there; reload the list") from None
    raise NoSuchThingError(f"{path.name} is a link that leads out of {folder}; put the files themselves there")
