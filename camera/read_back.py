"""Compares what was asked of a camera with what it says it does. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Wanted(NamedTuple):
    """One setting of a camera.

    Attributes
    ----------
    what : str
        In words, with its unit: ``"exposure"``, ``"red gain"``.
    key : str
        The key of config.ini that sets it.
    value : float
    unit : str
    within : float
        Largest difference that is the camera's rounding to its own steps, in ``unit``.
    """

    what: str
    key: str
    value: float
    unit: str
    within: float


def differences(pairs: Iterable[tuple[Wanted, float | None]]) -> list[str]:
    """Return one line for each setting that the camera does not keep, or does not tell (None); empty when all are."""
    lines = []
    for wanted, had in pairs:
        unit = f" {wanted.unit}" if wanted.unit else ""
        if had is None:
            lines.append(f"{wanted.what} is not told by the camera, wanted is {wanted.value:g}{unit} ({wanted.key})")
        elif abs(had - wanted.value) > wanted.within:
            lines.append(f"{wanted.what} is {had:g}{unit}, wanted is {wanted.value:g}{unit} ({wanted.key})")
    return lines
