"""What the process of a simulated mouse is told before it builds its network, and what the two ends say to each other.

To the mouse, once per frame: ``Go``, with the tone and the water that were given since the frame before, or ``None``
to end. There is no other message, so nothing else of a session can reach the network. From the mouse: ``Stage`` while
it is being built, ``Ready`` once, ``Shot`` per frame when its image stands in the memory they share, or ``Failure``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from insilico.limb_settings import LimbSceneSettings
from insilico.preparation import Place
from insilico.settings import Codegen

OWN = ""
"""The network that is there by default: SIM1, or SIM2 where movement is filmed."""


@dataclass(frozen=True, slots=True)
class MouseSpec:
    """What a simulated mouse is made from.

    Attributes
    ----------
    network : str
        ``FILE.py:FUNCTION``, or ``OWN``.
    codegen : Codegen
    regions : dict
        ROIs of the experiment: name to AP and ML, mm.
    tones_hz : (float, float)
        Lowest and highest tone, Hz.
    height, width : int
        Of the frames, px.
    framerate : float
        Frames per second.
    bregma : (float, float)
        Row, column, px.
    ppmm : float
        Pixels per mm.
    seed : int
        0 or more. Equal seeds, versions and targets give equal mice.
    n_frames : int or None
        Frames until the end; None for a mouse without one.
    limb : LimbSceneSettings or None
        What is filmed of a mouse that moves, in place of its cortex; bregma, ppmm and regions then mean nothing.
    """

    network: str
    codegen: Codegen
    regions: Mapping[str, Place]
    tones_hz: tuple[float, float]
    height: int
    width: int
    framerate: float
    bregma: tuple[float, float]
    ppmm: float
    seed: int
    n_frames: int | None = None
    limb: LimbSceneSettings | None = None


class Go(NamedTuple):
    """Go on to the next frame.

    Attributes
    ----------
    freq_hz : float or None
        The tone from now on, 0 for silence; None where it has not changed.
    openings : tuple of (int, int)
        Start and end of the water that was asked for, ns on the mouse's clock.
    """

    freq_hz: float | None
    openings: tuple[tuple[int, int], ...]


class Stage(NamedTuple):
    """What is being done before the first frame, in words."""

    text: str


class Ready(NamedTuple):
    """The network stands at its first frame.

    Attributes
    ----------
    about : dict
        For the screen and the session's record: name, cells, rate_hz (at rest, of the cells that are seen), dt_us,
        target, why (of the target), brian2, hears, drinks.
    """

    about: dict[str, str | int | float | bool]


class Shot(NamedTuple):
    """A frame; its image stands in the memory that both ends share until the next ``Go``.

    Attributes
    ----------
    time_ns : int
        On the mouse's clock, which is 0 at the first frame.
    licks_ns : tuple of int
        Licks since the frame before, on the same clock.
    """

    time_ns: int
    licks_ns: tuple[int, ...]


class Failure(NamedTuple):
    """The network failed.

    Attributes
    ----------
    text : str
        One line for a person.
    details : str
        The traceback.
    """

    text: str
    details: str
