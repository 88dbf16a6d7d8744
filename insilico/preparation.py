"""What a function that builds a network is given, and what it must return: a ``Tissue``, or a ``Body`` that moves.

A network knows of the experiment where the cortical regions lie and which tones there are; while the session runs it
is given tones and water, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from insilico.indicator import IndicatorSettings
from insilico.licks import LickSettings
from insilico.limb import LimbSettings
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
        The ROIs of the experiment: upper-case name to its centre, AP and ML in mm; the left is negative. None where
        movement is filmed.
    tones_hz : (float, float)
        Lowest and highest tone that may be heard, Hz.
    rng : numpy.random.Generator
        For all that chance decides while the network is built; ``brian2.seed`` has been called too.
    """

    regions: Mapping[str, Place]
    tones_hz: tuple[float, float]
    rng: np.random.Generator


class Living(Protocol):
    """What a tissue and a body have in common. Brian2's groups have no types, and so no more is said of them."""

    @property
    def network(self) -> Any:
        """The ``brian2.Network`` of all objects."""

    @property
    def groups(self) -> tuple[Any, ...]:
        """The groups whose spikes are seen; all on one clock."""

    @property
    def hear(self) -> Callable[[float], None] | None:
        """Is called when the tone changes."""

    @property
    def drink(self) -> Callable[[bool], None] | None:
        """Is called when water begins to flow, and when it ends."""

    @property
    def name(self) -> str:
        """For the screen and the session's record."""

    @property
    def namespace(self) -> Mapping[str, Any] | None:
        """Names that the equations use."""

    @property
    def settle_s(self) -> float:
        """Time before the first frame, s."""

    @property
    def licks(self) -> LickSettings:
        """When it licks."""


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

    @property
    def groups(self) -> tuple[Any, ...]:
        """The imaged groups, in order."""
        return tuple(self.imaged.values())


@dataclass(frozen=True, slots=True)
class Body:
    """A network that moves a forelimb. A function that builds a network for an experiment on movement returns one.

    Attributes
    ----------
    network : brian2.Network
        All objects of the simulation.
    muscles : dict
        Groups or subgroups whose spikes are a muscle's force: ``extend`` (towards the target) and ``retract``, and, if
        wanted, ``lift`` and ``lower`` (across that way). All on one clock.
    hear, drink, name, namespace, licks
        As those of a ``Tissue``.
    settle_s : float
        Time that the network runs before the first frame, s.
    limb : LimbSettings
        Muscles and mechanics.
    """

    network: Network
    muscles: Mapping[str, Any]
    hear: Callable[[float], None] | None = None
    drink: Callable[[bool], None] | None = None
    name: str = "network"
    namespace: Mapping[str, Any] | None = None
    settle_s: float = 2.0
    limb: LimbSettings = field(default_factory=LimbSettings)
    licks: LickSettings = field(default_factory=LickSettings)

    @property
    def groups(self) -> tuple[Any, ...]:
        """The groups of the muscles, in order."""
        return tuple(self.muscles.values())
