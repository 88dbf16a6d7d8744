"""SIM1, the mouse that is there by default: a cortex of excitatory and inhibitory cells, region by region.

All cells are one Brian2 group and all synapses two objects, since Brian2's cost is per object and step. In the group
lie, in this order: the excitatory cells of each region, the auditory cells, the reward cells, the inhibitory cells of
each region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from insilico.every import every
from insilico.indicator import IndicatorSettings
from insilico.licks import LickSettings
from insilico.optics import OpticsSettings
from insilico.preparation import Place, Preparation, Tissue
from insilico.senses import Senses, SenseSettings
from insilico.slow import SlowDrive, SlowSettings

if TYPE_CHECKING:
    from brian2 import NeuronGroup, Synapses

MIN_REGIONS = 6
MIN_APART_MM = 0.8
ATLAS: Mapping[str, Place] = {
    "M1": (0.64181, 1.8603),
    "FL": (-0.5668, 2.4526),
    "BC": (-1.727, 3.4569),
    "V1": (-3.7678, 2.5168),
    "RS": (-2.8858, 0.62043),
    "ALM": (2.5, 1.5),
}
"""AP and lateral distance in mm of the regions that SIM1 has beside those of the experiment: CLoPy's seeds."""


@dataclass(frozen=True, slots=True)
class CortexSettings:
    """SIM1. Voltages are in units of the distance from rest (0) to threshold (1).

    Attributes
    ----------
    exc_per_region, inh_per_region : int
        Cells of each kind in a region; four to one, as in cortex (Braitenberg and Schuez 1998).
    auditory, reward : int
        Cells of the auditory and of the reward input.
    dt_ms : float
        Time step, ms.
    tau_ms : float
        Membrane time constant, ms; 15 as in Litwin-Kumar and Doiron 2012 (Nat Neurosci 15:1498) for excitatory cells.
    tau_exc_ms, tau_inh_ms : float
        Decay of the synaptic input, ms; AMPA and GABA_A, chosen within the usual 2 to 6 and 5 to 10.
    refractory_ms : float
    exc_mean, inh_mean : float
        Constant input; below threshold, so that fluctuations make the spikes and their intervals are irregular.
    noise : float
        Standard deviation of the voltage that the noise of unseen inputs makes.
    slow_gain : float
        Standard deviation of the slow input of a region (``slow``); chosen so that the dF/F of a region has a
        standard deviation of about 2 %, with peaks of 5 %, the threshold that CLoPy's mice begin with.
    exc_weight, inh_weight : float
        Jump of the synaptic input per spike, within a region.
    probability : float
        Of a connection within a region, and from the two inputs to any cell of the cortex.
    auditory_weight, reward_weight : float
        Jump of the synaptic input of cortical cells per spike of the inputs. Dorsal cortex outside the auditory areas
        responds weakly to sounds (Bimbard et al. 2023, Nat Neurosci 26:251) and widely to water and licking (Musall
        et al. 2019, Nat Neurosci 22:1677, movements dominate); chosen to be a fraction of the slow fluctuations.
    delay_ms : float
        Of every synapse.
    tuning_octaves : float
        Standard deviation of an auditory cell's tuning, octaves; tuning curves of auditory cortex are 0.5 to 2 octaves
        wide.
    tone_drive, water_drive : float
        Input of an auditory cell at its best frequency, and of a reward cell while water flows.
    slow : SlowSettings
    indicator : IndicatorSettings
    optics : OpticsSettings
    licks : LickSettings
    """

    exc_per_region: int = 60
    inh_per_region: int = 15
    auditory: int = 36
    reward: int = 12
    dt_ms: float = 0.5
    tau_ms: float = 15.0
    tau_exc_ms: float = 5.0
    tau_inh_ms: float = 8.0
    refractory_ms: float = 2.0
    exc_mean: float = 0.42
    inh_mean: float = 0.55
    noise: float = 0.35
    slow_gain: float = 0.15
    exc_weight: float = 0.05
    inh_weight: float = 0.1
    probability: float = 0.2
    auditory_weight: float = 0.05
    reward_weight: float = 0.5
    delay_ms: float = 1.5
    tuning_octaves: float = 0.5
    tone_drive: float = 1.0
    water_drive: float = 1.0
    slow: SlowSettings = field(default_factory=SlowSettings)
    indicator: IndicatorSettings = field(default_factory=IndicatorSettings)
    optics: OpticsSettings = field(default_factory=lambda: OpticsSettings(contrast=0.1))
    licks: LickSettings = field(default_factory=LickSettings)

    def __post_init__(self) -> None:
        counts = ("exc_per_region", "inh_per_region", "auditory", "reward")
        positive = ("dt_ms", "tau_ms", "tau_exc_ms", "tau_inh_ms", "tuning_octaves")
        wrong = [f"{name} is {getattr(self, name)}; give 1 or more" for name in counts if not getattr(self, name) >= 1]
        wrong += [
            f"{name} is {getattr(self, name)}; give more than 0" for name in positive if not getattr(self, name) > 0
        ]
        if not 0 <= self.probability <= 1:
            wrong.append(f"probability is {self.probability}; give 0 to 1")
        if wrong:
            raise InputError("SIM1: " + "; ".join(wrong))


EQUATIONS = """
dv/dt = (mean + drive - v + exc - inh) / tau + noise * sqrt(2 / tau) * xi : 1 (unless refractory)
dexc/dt = -exc / tau_exc : 1
dinh/dt = -inh / tau_inh : 1
mean : 1 (constant)
drive : 1
"""


def regions_of(experiment: Mapping[str, Place]) -> dict[str, Place]:
    """Return SIM1's regions: those of the experiment, their mirrors, and those of ``ATLAS`` that are not as near.

    The atlas fills up to ``MIN_REGIONS``, both sides of a region at a time.
    """
    regions = dict(experiment)
    for name, (ap, ml) in experiment.items():
        if ml != 0 and _is_free((ap, -ml), regions):
            regions[_mirrored(name)] = (ap, -ml)
    for name, (ap, ml) in ATLAS.items():
        if len(regions) >= MIN_REGIONS:
            break
        for side, place in (("_L", (ap, -ml)), ("_R", (ap, ml))):
            if name + side not in regions and _is_free(place, regions):
                regions[name + side] = place
    return regions


def _mirrored(name: str) -> str:
    other = {"_L": "_R", "_R": "_L"}
    return name[:-2] + other[name[-2:]] if name[-2:] in other else f"{name} mirrored"


def _is_free(place: Place, regions: Mapping[str, Place]) -> bool:
    return all(np.hypot(place[0] - ap, place[1] - ml) >= MIN_APART_MM for ap, ml in regions.values())


def build(preparation: Preparation, settings: CortexSettings | None = None) -> Tissue:
    """Build SIM1's cortex around the regions of the experiment."""
    import brian2 as b2

    made = settings or CortexSettings()
    b2.defaultclock.dt = made.dt_ms * b2.ms
    regions = regions_of(preparation.regions)
    parts = _Parts(made, len(regions))
    cells = _cells(made, parts, preparation.rng)
    synapses = _synapses(made, parts, cells, preparation.rng)
    drive = cells.variables["drive"].get_value()
    heard = SenseSettings(made.tuning_octaves, made.tone_drive, made.water_drive)
    senses = Senses(heard, drive, parts.auditory, parts.reward, preparation.tones_hz)
    slow = SlowDrive(made.slow, list(regions.values()), preparation.rng)
    region = parts.region_of()
    cortical = np.nonzero(region >= 0)[0]
    region_of_each = region[cortical]

    def drift(dt_s: float) -> None:
        slow.step(dt_s)
        drive[cortical] = made.slow_gain * slow.value[region_of_each]

    network = b2.Network(cells, *synapses, every(cells.clock, 10e-3, drift, "sim1_slow"))
    imaged: dict[str | Place, Any] = {name: cells[parts.exc(i)] for i, name in enumerate(regions)}
    return Tissue(
        network,
        {name if name in preparation.regions else regions[str(name)]: group for name, group in imaged.items()},
        hear=senses.hear,
        drink=senses.drink,
        name="SIM1",
        indicator=made.indicator,
        optics=made.optics,
        licks=made.licks,
    )


class _Parts:
    """Where each population lies in the one group."""

    def __init__(self, settings: CortexSettings, regions: int) -> None:
        self.regions = regions
        self._exc, self._inh = settings.exc_per_region, settings.inh_per_region
        n_exc = regions * self._exc
        self.auditory = slice(n_exc, n_exc + settings.auditory)
        self.reward = slice(self.auditory.stop, self.auditory.stop + settings.reward)
        self.size = self.reward.stop + regions * self._inh

    def exc(self, region: int) -> slice:
        """Excitatory cells of a region."""
        return slice(region * self._exc, (region + 1) * self._exc)

    def inh(self, region: int) -> slice:
        """Inhibitory cells of a region."""
        first = self.reward.stop + region * self._inh
        return slice(first, first + self._inh)

    def region_of(self) -> npt.NDArray[np.int64]:
        """Region of each cell, -1 for the inputs; (size,)."""
        region = np.full(self.size, -1)
        for i in range(self.regions):
            region[self.exc(i)] = i
            region[self.inh(i)] = i
        return region

    def inhibitory(self) -> npt.NDArray[np.bool_]:
        """Whether a cell is inhibitory; (size,)."""
        return np.arange(self.size) >= self.reward.stop


def _cells(settings: CortexSettings, parts: _Parts, rng: np.random.Generator) -> NeuronGroup:
    import brian2 as b2

    namespace = {
        "tau": settings.tau_ms * b2.ms,
        "tau_exc": settings.tau_exc_ms * b2.ms,
        "tau_inh": settings.tau_inh_ms * b2.ms,
        "noise": settings.noise,
    }
    cells = b2.NeuronGroup(
        parts.size,
        EQUATIONS,
        threshold="v > 1",
        reset="v = 0",
        refractory=settings.refractory_ms * b2.ms,
        method="euler",
        namespace=namespace,
        name="sim1_cells",
    )
    cells.mean = np.where(parts.inhibitory(), settings.inh_mean, settings.exc_mean)
    for part in (parts.auditory, parts.reward):
        cells.mean[part] = 0.0
    cells.v = rng.uniform(0, 1, parts.size)
    return cells


def _synapses(
    settings: CortexSettings, parts: _Parts, cells: NeuronGroup, rng: np.random.Generator
) -> tuple[Synapses, Synapses]:
    """Connect each region with itself, and the two inputs with all of them."""
    import brian2 as b2

    region, inhibitory = parts.region_of(), parts.inhibitory()
    chance = rng.random((parts.size, parts.size)) < settings.probability
    np.fill_diagonal(chance, False)
    same = (region[:, None] == region) & (region[:, None] >= 0)
    to_cortex = (region[:, None] < 0) & (region >= 0)
    weight = np.full(parts.size, settings.exc_weight)
    weight[parts.auditory], weight[parts.reward] = settings.auditory_weight, settings.reward_weight
    made = []
    for name, mask, target, jumps in (
        ("sim1_exc", (same & ~inhibitory[:, None]) | to_cortex, "exc", weight),
        ("sim1_inh", same & inhibitory[:, None], "inh", np.full(parts.size, settings.inh_weight)),
    ):
        pre, post = np.nonzero(chance & mask)
        synapses = b2.Synapses(cells, cells, "w : 1 (constant)", on_pre=f"{target}_post += w", name=name)
        synapses.connect(i=pre, j=post)
        synapses.w = jumps[pre]
        synapses.delay = settings.delay_ms * b2.ms
        made.append(synapses)
    return made[0], made[1]
