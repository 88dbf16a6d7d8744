"""Where a picture may go that an option names: a PNG, and nothing else's name."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError

SUFFIX = ".png"


def check_picture(option: str, path: Path) -> None:
    """Raise InputError where a picture would take the place of what is no picture.

    Parameters
    ----------
    option : str
        What named it, such as ``--output``.
    path : Path
    """
    if path.suffix.lower() != SUFFIX:
        raise InputError(f"{option} {path}: the picture is a PNG; give a name that ends with {SUFFIX}")
    if path.is_dir():
        raise InputError(f"{option} {path}: this is a folder; give the name of a file in it")
