"""Where the sessions of a config.ini are stored, for commands that run none."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import ConfigError, InputError
from recording.settings import RecordingSettings
from session.config_entries import ConfigFile, Section, absolute_path, in_order
from session.config_file import read_config, shown

_KEY = "data_root"


def find_data_root(config: Path, mouse: str | None = None) -> Path:
    """Return the data root of a mouse, or the one that all mice of ``config`` share.

    The other keys are not looked at: sessions can be listed whatever is wrong with the next one's settings. A mouse
    that the file does not name may have been trained all the same.

    Raises
    ------
    ConfigError
        The file cannot be read.
    InputError
        Its mice have several.
    """
    roots = _roots(config, mouse)
    if len(roots) > 1:
        raise InputError(
            f"{shown(config, 300)}: its mice have several data roots ({', '.join(map(str, roots))}); choose with "
            "--data-root DIR"
        )
    return roots[0]


def find_data_roots(config: Path) -> list[Path]:
    """Return every data root of the mice of ``config``. Raises ConfigError where the file cannot be read."""
    return _roots(config, None)


def _roots(config: Path, mouse: str | None) -> list[Path]:
    file = read_config(config)
    if file.problems:
        raise ConfigError([*in_order(file.problems), "mend it, or say where the sessions are with --data-root DIR"])
    sections = [file.mice[mouse.lower()]] if mouse is not None and mouse.lower() in file.mice else file.mice.values()
    return sorted({_root(file, section) for section in sections or file.experiments.values()} or {_default(file)})


def _root(file: ConfigFile, section: Section) -> Path:
    named = section.entries.get("experiment")
    experiment = None if named is None else file.experiments.get(named.value.lower())
    for each in (section, experiment):
        if each is not None and (entry := each.entries.get(_KEY)) is not None and entry.value:
            return Path(absolute_path(entry.base, entry.value))
    return _default(file)


def _default(file: ConfigFile) -> Path:
    return Path(absolute_path(Path(os.path.abspath(file.path)).parent, RecordingSettings().data_root))
