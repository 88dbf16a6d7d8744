"""Whether a camera that came back is the one that was lost, and sees as it did. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

PICTURE = (
    "pixel_format", "region_px", "binning", "sensor_mode", "framerate", "frame_duration_us", "exposure_us", "gain",
    "gain_unit", "analogue_gain", "colour_gains", "white_balance", "white_balance_temperature", "focus",
    "switched_off", "pipeline",
)  # fmt: skip
"""Facts of a driver that a picture depends on; dF/F compares pictures from before and after."""
ADAPTING = ("colour_gains", "white_balance_temperature")
"""Of these, what a camera changes by itself where its white balance is not off."""
WITHIN = 0.005
"""Readings that differ by less, as a fraction, are one; chosen below a gain's step (0.3 dB of 24, or a code of 256)."""
_CURES = {"exposure_us": "shutter_speed", "gain": "iso", "analogue_gain": "iso", "colour_gains": "colour_gains"}


class Opened(NamedTuple):
    """What a driver says of the camera that it has opened: its name, identity and facts (see Driver)."""

    name: str
    identity: str
    facts: Mapping[str, object]


def difference(lost: Opened, back: Opened, adapting: bool = False) -> str:
    """Return why ``back`` cannot go on where ``lost`` was, in one line with the cure; "" where it can.

    Parameters
    ----------
    lost, back : Opened
    adapting : bool
        Whether the white balance is left to the camera.
    """
    if back.identity != lost.identity:
        return (
            f"{lost.name}: another camera answers in its place: {back.identity}, lost was {lost.identity}; connect "
            "that one again, or set camera_id to the one that is to be used and begin a new session"
        )
    keys = [key for key in PICTURE if not (adapting and key in ADAPTING)]
    changed = [key for key in keys if not _same(lost.facts.get(key), back.facts.get(key))]
    if not changed:
        return ""
    told = ", ".join(f"{key} {back.facts.get(key)} (was {lost.facts.get(key)})" for key in changed)
    fixed = sorted({_CURES[key] for key in changed if key in _CURES})
    cure = f"give {' and '.join(fixed)} a value that is not 0" if fixed else "set it by hand to what it was"
    return f"{lost.name}: came back with other settings: {told}; {cure}, or begin a new session"


def _same(one: object, other: object) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=WITHIN)
    return one == other
