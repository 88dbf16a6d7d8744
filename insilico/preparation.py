"""What a function that builds a network is given, and what it must return.

A network knows of the experiment where the cortical regions lie and which tones there are; while the session runs it
is given tones and water, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from insilico.indicator import IndicatorSettings
from insilico.licks import LickSettings
from insilico.optics import OpticsSettings

if TYPE_CHECKING:
    from brian2 import Network

Place = tuple[float, float]
"""AP and ML in mm from bregma: AP to the front, ML to the right (the left is negative)."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is known before the network is built.

    Attributes
    ----------
    regions : dict of str to (float, float)
        The ROIs of the experiment: upper-case name to its centre, AP and ML in mm; the left is negative.
    tones_hz : (float, float)
        Lowest and highest tone that may be heard, Hz.
    rng : numpy.random.Generator
        For all that chance decides while the network is built; ``brian2.seed`` has been called too.
    """

    regions: Mapping[str, Place]
    tones_hz: tuple[float, float]
    rng: np.random.Generator


@dataclass(frozen=True, slots=True)
class Tissue:
    """A network in its place under the microscope. A function that builds a network returns one.

    Attributes
    ----------
    network : brian2.Network
        All objects of the simulation.
    imaged : dict
        Groups or subgroups whose spikes fluoresce, by the region they lie in: a name of ``Preparation.regions``, or a
        place (AP, ML in mm) anywhere else. All on one clock.
    hear : callable, optional
        ``hear(freq_hz)`` is called when the tone changes; 0 is silence.
    drink : callable, optional
        ``drink(True)`` is called when water begins to flow, ``drink(False)`` when it ends.
    name : str
        For the screen and the session's record.
    namespace : dict, optional
        Names that the equations use and that stand neither in a group's own namespace nor at the top of the file:
        ``namespace=locals()`` gives those of the function.
    settle_s : float
        Time that the network runs before the first frame, s; the last 60 % of it give each region's resting
        fluorescence.
    region_radius_mm : float
        The cells of a region are spread evenly over a disc of this radius, mm.
    indicator, optics, licks
        Settings of the calcium indicator, of the microscope and of licking.
    """

    network: Network
    imaged: Mapping[str | Place, Any]
    hear: Callable[[float], None] | None = None
    drink: Callable[[bool], None] | None = None
    name: str = "network"
    namespace: Mapping[str, Any] | None = None
    settle_s: float = 5.0
    region_radius_mm: float = 0.4
    indicator: IndicatorSettings = field(default_factory=IndicatorSettings)
    optics: OpticsSettings = field(default_factory=OpticsSettings)
    licks: LickSettings = field(default_factory=LickSettings)
