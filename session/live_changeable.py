"""What a page is told of the keys that may be changed in a session while it runs: value, unit, meaning and bounds."""

from __future__ import annotations

from typing import Any

from behavior.settings import RewardBy
from core.changes import KEYS, TYPE
from helper import SessionType
from session.config_keys import keys_of
from session.live_controls import THRESHOLDS
from session.settings import Settings


def changeable(settings: Settings) -> list[dict[str, Any]]:
    """Return the keys that ``live_controls.read_control`` takes in such a session, the threshold first.

    Returns
    -------
    list of dict
        ``key``, ``unit``, ``text`` (what it does), ``bounds`` in words, ``choices`` (of a key that has some, else
        empty), ``value`` at the session's start, as config.ini would write it. Empty for a session without trials.
    """
    if settings.schedule.session_type is SessionType.behavior_recording:
        return []
    keys = keys_of(settings.kind)
    told = [_threshold(settings)]
    for name in KEYS:
        key = keys[name]
        choices = [kind for kind in key.choices() if kind != SessionType.behavior_recording.value]
        value = key.write(getattr(getattr(settings, key.group), name))
        told.append(_told(name, key.unit, key.text, "" if name == TYPE else key.range(), value, choices))
    return told


def _threshold(settings: Settings) -> dict[str, Any]:
    value = repr(settings.threshold.reward_threshold)
    least = f"above {settings.tones.tone_floor:g}"
    movement = settings.movement
    if movement is not None and movement.reward_by is RewardBy.target:
        return _told(THRESHOLDS[0], "mm", "Minus the distance from the target at which water is earned.", least, value)
    key = keys_of(settings.kind)[THRESHOLDS[movement is not None]]
    return _told(key.name, "dF/F" if movement is None else key.unit, key.text, least, value)


def _told(key: str, unit: str, text: str, bounds: str, value: str, choices: list[str] | None = None) -> dict[str, Any]:
    return {"key": key, "unit": unit, "text": text, "bounds": bounds, "choices": choices or [], "value": value}
