"""What a recorded session says of itself, checked before it is used: its session.json and its session.ini."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.errors import ConfigError, SourceError
from recording.csvrows import shown
from recording.problems import describe
from recording.schema import SESSION_INI, SESSION_JSON
from session.provenance import config_sha256
from session.settings import Settings, load_settings

WHO: Mapping[str, type] = MappingProxyType({"mouse": str, "experiment": str})
"""What session.ini is read with."""
_LAST_NS = 2**62
"""Of a time in ns since 1970: in the year 2116."""


def check_meta(folder: Path, meta: Mapping[str, Any], keys: Mapping[str, type]) -> None:
    """Raise SourceError where session.json lacks one of ``keys``, or has no value of that kind there.

    A text must not be empty; a key in ``_ns`` is a time since 1970; a seed is not below 0.
    """
    for key, kind in keys.items():
        value: Any = meta.get(key)
        right = isinstance(value, kind) and not isinstance(value, bool) and value != ""
        if key == "seed":
            right = right and value >= 0
        if right and key.endswith("_ns"):
            right = 0 <= value < _LAST_NS
        if not right:
            raise SourceError(f"{folder / SESSION_JSON}: {key!r} is {shown(repr(value))}; restore it from a copy")


def load_recorded(folder: Path, meta: Mapping[str, Any], overrides: Mapping[str, str]) -> Settings:
    """Return the settings of a session, with these keys changed.

    Raises
    ------
    SourceError
        ``session.ini`` is missing or damaged, or session.json does not tell whose it is.
    ConfigError
        It, as it was written, or a change is not right.
    """
    check_meta(folder, meta, WHO)
    path = folder / SESSION_INI
    try:
        path.open("rb").close()
    except FileNotFoundError as error:
        raise SourceError(f"{folder} has no {SESSION_INI}; restore it from a copy") from error
    except OSError as error:
        raise SourceError(describe("read", path, error)) from error
    try:
        return load_settings(path, meta["mouse"], experiment=meta["experiment"], overrides=dict(overrides))
    except ConfigError as error:
        if _is_as_written(path, meta):
            raise
        # Nobody is to mend its lines one by one: what else was lost, they do not say.
        first = error.problems[0].split("; ")[0]
        where = "" if first.startswith(str(path)) else f"{path}: "
        raise SourceError(f"{where}{first}: the file is damaged; restore it from a copy") from error


def _is_as_written(path: Path, meta: Mapping[str, Any]) -> bool:
    """Return whether session.ini is what session.json has the hash of; also where it has none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    wanted = meta.get("config_sha256")
    return not isinstance(wanted, str) or config_sha256(text.partition("\n")[2]) == wanted
