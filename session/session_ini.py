"""The settings that a session was recorded with, out of its own session.ini."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ConfigError, SourceError
from recording.schema import SESSION_INI
from session.provenance import config_sha256
from session.settings import Settings, load_settings


def load_session_ini(folder: Path, meta: Mapping[str, Any], overrides: Mapping[str, str]) -> Settings:
    """Return the settings of a recorded session.

    Parameters
    ----------
    folder : Path
        The session's folder.
    meta : mapping
        Its session.json.
    overrides : mapping of str to str
        As of ``load_settings``.

    Raises
    ------
    SourceError
        session.ini is missing, or cannot be read since it is not what was written.
    ConfigError
        It is, and an override, or this version, does not go with it.
    """
    ini = folder / SESSION_INI
    try:
        return load_settings(ini, str(meta["mouse"]), experiment=str(meta["experiment"]), overrides=overrides)
    except ConfigError as error:
        if _is_as_written(ini, meta):
            raise
        # A person is to mend none of its lines: what else was lost, they do not say.
        first = error.problems[0].split("; ")[0]
        where = "" if first.startswith(str(ini)) else f"{ini}: "
        raise SourceError(f"{where}{first}: the file is damaged; restore it from a copy") from error


def _is_as_written(ini: Path, meta: Mapping[str, Any]) -> bool:
    """Return whether a file is what session.json has the hash of; also where it has none."""
    try:
        text = ini.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    wanted = meta.get("config_sha256")
    return not isinstance(wanted, str) or config_sha256(text.partition("\n")[2]) == wanted
