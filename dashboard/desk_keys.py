"""Which keys of a mouse's section the page may change, and what it says of those that it may not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, get_args

from annotated_types import Ge, Gt, Le

from session.config_keys import PATHS, ConfigKey, all_keys
from session.config_rois import PREFIX

MOUSE = frozenset({"geometry", "rule", "dff", "movement", "pose", "tones", "threshold", "schedule", "trial", "subject"})
"""Groups of settings (``session.config_keys.GROUPS``) that are a mouse's own."""
PICTURE = frozenset({"shutter_speed", "iso", "awb_mode", "colour_gains"})
"""How bright a camera's picture is: what of the camera's keys a mouse may have of its own on the page."""
RIG: Mapping[str, str] = {
    "camera": "says which camera there is and how it is driven",
    "second": "says which cameras there are",
    "simulation": "names a program that is run",
    "outputs": "bounds the water, or names the rig",
    "pins": "says what is wired to which pin",
    "sound": "says what the loudspeaker is",
    "licks": "says what is wired to feel licks",
    "faults": "says what a rig does that loses a device",
    "recording": "says where and how sessions are stored",
}
"""Groups that are the rig's, and why the page leaves them alone."""


def refusal(key: str, seeds: Collection[str]) -> str:
    """Return why the page does not change a key (in lower case); empty where it may, or where there is none such."""
    by_hand = "; the page does not change it: edit config.ini"
    if key == "experiment":
        return f"says what the mouse is trained on{by_hand}, or choose another for one session where it is started"
    if key.upper() in seeds or key.partition(".")[0] == "seeds":
        return f"is a place of [seeds], which all mice share{by_hand}, or give this mouse roi.NAME"
    found = all_keys().get(key)
    if found is None:
        return ""
    if key in PATHS:
        return f"names a file or folder{by_hand}"
    if found.group in MOUSE or key in PICTURE:
        return ""
    return f"{RIG[found.group]}{by_hand}"


def may_change(keys: Mapping[str, ConfigKey]) -> list[str]:
    """Return those of a kind's keys that the page may change; ``roi.NAME`` comes on top in neurofeedback."""
    return [name for name in keys if not refusal(name, ())]


def is_roi(key: str) -> bool:
    """Return whether a key places an ROI."""
    return key.startswith(PREFIX)


def field(key: ConfigKey, value: str, kind: str) -> dict[str, Any]:
    """Return what a field for a key needs: its value as text, unit, meaning, bounds and choices.

    ``min`` and ``max`` are None where there is no such bound, ``above`` tells that ``min`` itself is none of them;
    ``choices`` is empty but for names; ``whole`` tells a whole number.
    """
    # "dF/F or mm/s": the signal's, of either kind of experiment.
    units = key.unit.split(" or ")
    bounds = list(getattr(key.hint, "__metadata__", ()))
    least = next((bound for bound in bounds if isinstance(bound, (Ge, Gt))), None)
    most = next((bound.le for bound in bounds if isinstance(bound, Le)), None)
    return {
        "key": key.name,
        "value": value,
        "unit": units[-1] if kind == "clmf" else units[0],
        "text": key.text,
        "min": least.ge if isinstance(least, Ge) else least.gt if least is not None else None,
        "above": isinstance(least, Gt),
        "max": most,
        "choices": list(key.choices()),
        "whole": get_args(key.hint)[0] is int,
    }
