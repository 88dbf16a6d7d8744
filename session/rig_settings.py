"""The settings of a rig, for commands that concern no mouse: what the mice that train on it have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.errors import ConfigError, InputError
from session.config_file import read_config, shown
from session.settings import Settings, load_settings

_COMMON = ("pins", "sound")
_BOUNDS = ("max_pulse_s", "max_duty", "min_pulse_gap_s")


def load_rig(path: Path, rig: str | None, mouse: str | None, overrides: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that a rig is driven with: a mouse's, or those of the first mouse that names the rig.

    Parameters
    ----------
    path : Path
    rig : str or None
        Its name; None for the only one that config.ini names.
    mouse : str or None
        Take this mouse's settings.
    overrides : mapping of str to str, optional
        As for ``load_settings``.

    Raises
    ------
    InputError
        No mouse trains on this rig, or those that do disagree on lines, bounds or sound; ConfigError where none can
        be read.
    """
    # Rewards by volume need the calibration that may be what is about to be made.
    given = {"reward_ul": "0", **(overrides or {})}
    if mouse is not None:
        settings = load_settings(path, mouse, overrides=given)
        if rig is not None and rig != settings.outputs.rig:
            raise InputError(f"--rig {shown(rig)}: mouse {settings.mouse} trains on {settings.outputs.rig}; give one")
        return settings
    found: list[Settings] = []
    problems: list[str] = []
    for section in read_config(path).mice.values():
        try:
            found.append(load_settings(path, section.title[6:], overrides=given))
        except ConfigError as error:
            problems += [line for line in error.problems if line not in problems]
    if not found and problems:
        raise ConfigError(problems)
    names = sorted({each.outputs.rig for each in found})
    if rig is None and len(names) > 1:
        raise InputError(f"{path}: there are several rigs ({', '.join(names)}); choose with --rig NAME")
    here = [each for each in found if rig in (None, each.outputs.rig)]
    if not here:
        raise InputError(f"--rig {shown(rig or '')}: no mouse of {path} trains on it; there are {', '.join(names)}")
    for other in here[1:]:
        if differ := _differ(here[0], other):
            raise InputError(
                f"rig {other.outputs.rig}: mice {here[0].mouse} and {other.mouse} give different {', '.join(differ)}; "
                "choose with --mouse ID"
            )
    return here[0]


def _differ(one: Settings, other: Settings) -> list[str]:
    """Return what of two mice's settings would drive the rig otherwise."""
    groups = [name for name in _COMMON if getattr(one, name) != getattr(other, name)]
    return groups + [key for key in _BOUNDS if getattr(one.outputs, key) != getattr(other.outputs, key)]
