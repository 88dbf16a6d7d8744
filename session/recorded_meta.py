"""What a recorded session says of itself, checked before it is used: its session.json and its session.ini."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.errors import SourceError
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


def trials_before(folder: Path, meta: Mapping[str, Any]) -> int:
    """Return how many trials the parts before a session had, 0 for a first part. Raises SourceError."""
    resumes = meta.get("resumes")
    if resumes is None:
        return 0
    done = resumes.get("trials_done")
    if not isinstance(done, int) or isinstance(done, bool) or done < 0:
        raise SourceError(f"{folder / SESSION_JSON}: 'trials_done' is {shown(repr(done))}; restore it from a copy")
    return done


def check_config(folder: Path, meta: Mapping[str, Any]) -> None:
    """Raise SourceError where ``session.ini`` is not the text that the session was run with.

    A cut may leave a file that still parses, and what is gone would count as not set. Where the file is not there, or
    session.json has no hash of it, there is nothing to compare.
    """
    path = folder / SESSION_INI
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise SourceError(describe("read", path, error)) from error
    wanted = meta.get("config_sha256")
    # A copy by way of Windows may have other line ends; they say the same.
    text = data.replace(b"\r\n", b"\n").decode("utf-8", errors="replace")
    found = config_sha256(text.partition("\n")[2])
    if isinstance(wanted, str) and found != wanted:
        raise SourceError(
            f"{path}: SHA-256 {found[:12]}, but {shown(wanted[:12])} in {SESSION_JSON}: it was cut or changed since "
            "the session began; restore it from a copy"
        )


def load_recorded(folder: Path, meta: Mapping[str, Any], overrides: Mapping[str, str]) -> Settings:
    """Return the settings of a session, with these keys changed.

    Raises
    ------
    SourceError
        ``session.ini`` is missing, cut or changed, or session.json does not tell whose it is.
    ConfigError
        It, as it was written, or a change is not right.
    """
    check_meta(folder, meta, WHO)
    path = folder / SESSION_INI
    check_config(folder, meta)
    if not path.is_file():
        raise SourceError(f"{folder} has no {SESSION_INI}; restore it from a copy")
    return load_settings(path, meta["mouse"], experiment=meta["experiment"], overrides=dict(overrides))
