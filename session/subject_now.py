"""What config.ini says of a mouse today that is for shared files alone: many add it long after the session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from recording.subject import NAMES, SubjectSettings, given
from session.config_entries import Problem, Section, in_order
from session.config_file import read_config
from session.config_keys import all_keys
from session.weights import read_weights


def complete_subject(recorded: Mapping[str, Any], path: Path, mouse: str, experiment: str) -> SubjectSettings:
    """Return what a session recorded of its mouse, completed by what config.ini says today.

    Parameters
    ----------
    recorded : mapping
        The session's settings; what they say counts.
    path : Path
        config.ini: of it the section of the mouse, then that of the experiment. A mouse that has none there any more
        is left as it was recorded.
    mouse, experiment : str
        As the session names them; empty where it does not.

    Raises
    ------
    ConfigError
        The file cannot be read, or one of these keys has a value that it cannot have.
    """
    file = read_config(path)
    problems = list(file.problems)
    own = file.mice.get(mouse.lower())
    named = own.entries.get("experiment") if own is not None else None
    title = experiment or (named.value if named is not None else "")
    values: dict[str, Any] = {}
    for section in (file.experiments.get(title.lower()), own):
        if section is not None:
            values |= _read(section, problems)
    if problems:
        raise ConfigError(in_order(problems))
    return SubjectSettings(**{**values, **given(recorded)})


def _read(section: Section, problems: list[Problem]) -> dict[str, Any]:
    found = {}
    for name in NAMES:
        entry = section.entries.get(name)
        if entry is None or entry.told or not entry.value:
            continue
        try:
            found[name] = all_keys()[name].read(entry.value)
        except ValueError as error:
            problems.append(entry.problem(str(error)))
    return given(found)


def weight_on(folder: Path, day: str) -> float | None:
    """Return what a mouse weighed on a day, g: the last weighing of it, None where there is none.

    Parameters
    ----------
    folder : Path
        The mouse's.
    day : str
        Local, ``YYYY-MM-DD``.

    Raises
    ------
    InputError
        The table is damaged.
    RecordingError
        It cannot be read.
    """
    weighed = [weight.grams for weight in read_weights(folder) if weight.time.startswith(day)]
    return weighed[-1] if weighed else None
