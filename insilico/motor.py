"""SIM2, the mouse that moves: a motor network whose bursts are reaches.

Command cells excite each other and tire: now and then they burst by themselves, the sooner the stronger a slow urge.
A burst drives the cells that extend the forelimb at once, and a little later those that retract it; slow vigour decides
how far the former follow, slow bias whether the paw goes high or low. All cells are one Brian2 group and all synapses
two objects, since Brian2's cost is per object and step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from insilico.every import every
from insilico.licks import LickSettings
from insilico.limb import LimbSettings
from insilico.preparation import Body, Preparation
from insilico.senses import Senses, SenseSettings
from insilico.slow import SlowDrive, SlowSettings

if TYPE_CHECKING:
    from brian2 import NeuronGroup, Synapses


@dataclass(frozen=True, slots=True)
class MotorSettings:
    """SIM2. Voltages are in units of the distance from rest (0) to threshold (1).

    No such network has been measured in a mouse; numbers without a source are chosen so that the paw does what the page
    on the simulated mouse says: still for seconds, then a reach whose peak speed nobody can foretell.

    Attributes
    ----------
    extend, retract, lift, lower : int
        Cells that move the paw towards the target, back, up and down.
    command, auditory, reward, inhibitory : int
        Cells that burst, that hear, that taste, and that inhibit all but the two inputs.
    dt_ms, tau_ms, tau_exc_ms, tau_inh_ms : float
        As those of SIM1 (``insilico.cortex``).
    refractory_ms : float
        Which bounds a burst.
    mean, command_mean, inhibitory_mean : float
        Constant input of the cells of the muscles, of the command and of the inhibitory cells; below threshold.
    noise : float
        Standard deviation of the voltage that the noise of unseen inputs makes.
    probability : float
        Of a connection between two cells of populations that are connected.
    burst_weight, move_weight, sideways_weight : float
        Jump of the synaptic input per spike of a command cell: of another one, of a cell that extends or retracts, of
        one that lifts or lowers.
    sense_weight : float
        The same per spike of an auditory or reward cell, on command cells: tone and water make a reach likelier.
    excite_weight, inhibit_weight : float
        Jump per spike of any of those on inhibitory cells, and of these on all.
    delay_ms : float
        Of every synapse but those that retract.
    retract_ms : (float, float)
        Shortest and longest delay of those: how long a reach goes out.
    tiring, rest_s : float
        Jump of a command cell's fatigue per spike, and its time constant, s.
    slow_s : float
        Time constant of urge, vigour and bias, s.
    urge, vigour, bias : float
        Standard deviations of these slow inputs: of command cells, of cells that extend, of those that lift (and, with
        the other sign, of those that lower).
    senses : SenseSettings
    limb : LimbSettings
    licks : LickSettings
    """

    extend: int = 50
    retract: int = 50
    lift: int = 25
    lower: int = 25
    command: int = 60
    auditory: int = 24
    reward: int = 12
    inhibitory: int = 50
    dt_ms: float = 0.5
    tau_ms: float = 15.0
    tau_exc_ms: float = 5.0
    tau_inh_ms: float = 8.0
    refractory_ms: float = 4.0
    mean: float = 0.2
    command_mean: float = 0.35
    inhibitory_mean: float = 0.3
    noise: float = 0.3
    probability: float = 0.3
    burst_weight: float = 0.41
    move_weight: float = 0.14
    sideways_weight: float = 0.1
    sense_weight: float = 0.01
    excite_weight: float = 0.03
    inhibit_weight: float = 0.03
    delay_ms: float = 1.5
    retract_ms: tuple[float, float] = (90.0, 170.0)
    tiring: float = 0.12
    rest_s: float = 1.5
    slow_s: float = 0.8
    urge: float = 0.07
    vigour: float = 0.4
    bias: float = 0.1
    senses: SenseSettings = field(default_factory=SenseSettings)
    limb: LimbSettings = field(default_factory=LimbSettings)
    licks: LickSettings = field(default_factory=LickSettings)

    def __post_init__(self) -> None:
        counts = ("extend", "retract", "lift", "lower", "command", "auditory", "reward", "inhibitory")
        positive = ("dt_ms", "tau_ms", "tau_exc_ms", "tau_inh_ms", "rest_s", "slow_s")
        wrong = [f"{name} is {getattr(self, name)}; give 1 or more" for name in counts if not getattr(self, name) >= 1]
        wrong += [
            f"{name} is {getattr(self, name)}; give more than 0" for name in positive if not getattr(self, name) > 0
        ]
        if not 0 <= self.probability <= 1:
            wrong.append(f"probability is {self.probability}; give 0 to 1")
        if not 0 <= self.retract_ms[0] <= self.retract_ms[1]:
            wrong.append(f"retract_ms is {self.retract_ms}; give two, rising")
        if wrong:
            raise InputError("SIM2: " + "; ".join(wrong))


EQUATIONS = """
dv/dt = (mean + drive - fatigue - v + exc - inh) / tau + noise * sqrt(2 / tau) * xi : 1 (unless refractory)
dexc/dt = -exc / tau_exc : 1
dinh/dt = -inh / tau_inh : 1
dfatigue/dt = -fatigue / rest : 1
mean : 1 (constant)
tiring : 1 (constant)
drive : 1
"""
MOVERS = ("extend", "retract", "lift", "lower")
_POPULATIONS = (*MOVERS, "command", "auditory", "reward", "inhibitory")


def build(preparation: Preparation, settings: MotorSettings | None = None) -> Body:
    """Build SIM2's motor network."""
    import brian2 as b2

    made = settings or MotorSettings()
    b2.defaultclock.dt = made.dt_ms * b2.ms
    parts = parts_of(made)
    cells = _cells(made, parts, preparation.rng)
    synapses = _synapses(made, parts, cells, preparation.rng)
    drive = cells.variables["drive"].get_value()
    senses = Senses(made.senses, drive, parts["auditory"], parts["reward"], preparation.tones_hz)
    # Places so far apart that nothing correlates them.
    apart = SlowSettings(tau_s=made.slow_s, mirror=0, shared=0)
    slow = SlowDrive(apart, [(0.0, 0.0), (1e3, 0.0), (2e3, 0.0)], preparation.rng)

    def drift(dt_s: float) -> None:
        slow.step(dt_s)
        urge, vigour, bias = slow.value
        drive[parts["command"]] = made.urge * urge
        drive[parts["extend"]] = made.vigour * vigour
        drive[parts["lift"]] = made.bias * bias
        drive[parts["lower"]] = -made.bias * bias

    return Body(
        b2.Network(cells, *synapses, every(cells.clock, 10e-3, drift, "sim2_slow")),
        {name: cells[parts[name]] for name in MOVERS},
        hear=senses.hear,
        drink=senses.drink,
        name="SIM2",
        limb=made.limb,
        licks=made.licks,
    )


def parts_of(settings: MotorSettings) -> dict[str, slice]:
    """Return where each population lies in the one group."""
    parts, first = {}, 0
    for name in _POPULATIONS:
        parts[name] = slice(first, first + getattr(settings, name))
        first = parts[name].stop
    return parts


def _cells(settings: MotorSettings, parts: dict[str, slice], rng: np.random.Generator) -> NeuronGroup:
    import brian2 as b2

    size = parts["inhibitory"].stop
    cells = b2.NeuronGroup(
        size,
        EQUATIONS,
        threshold="v > 1",
        reset="v = 0; fatigue += tiring",
        refractory=settings.refractory_ms * b2.ms,
        method="euler",
        namespace={
            "tau": settings.tau_ms * b2.ms,
            "tau_exc": settings.tau_exc_ms * b2.ms,
            "tau_inh": settings.tau_inh_ms * b2.ms,
            "rest": settings.rest_s * b2.second,
            "noise": settings.noise,
        },
        name="sim2_cells",
    )
    mean, tiring = np.full(size, settings.mean), np.zeros(size)
    mean[parts["command"]], mean[parts["inhibitory"]] = settings.command_mean, settings.inhibitory_mean
    mean[parts["auditory"]] = mean[parts["reward"]] = 0.0
    tiring[parts["command"]] = settings.tiring
    cells.mean, cells.tiring = mean, tiring
    cells.v = rng.uniform(0, 1, size)
    return cells


def _synapses(
    settings: MotorSettings, parts: dict[str, slice], cells: NeuronGroup, rng: np.random.Generator
) -> tuple[Synapses, Synapses]:
    size = parts["inhibitory"].stop
    chance = rng.random((size, size)) < settings.probability
    np.fill_diagonal(chance, False)
    exc, inh = np.zeros((size, size)), np.zeros((size, size))
    exc[parts["command"], parts["command"]] = settings.burst_weight
    for name in MOVERS:
        sideways = name in ("lift", "lower")
        exc[parts["command"], parts[name]] = settings.sideways_weight if sideways else settings.move_weight
    for name in ("auditory", "reward"):
        exc[parts[name], parts["command"]] = settings.sense_weight
    for name in (*MOVERS, "command"):
        exc[parts[name], parts["inhibitory"]] = settings.excite_weight
        inh[parts["inhibitory"], parts[name]] = settings.inhibit_weight
    delay = np.full((size, size), settings.delay_ms)
    delay[:, parts["retract"]] = rng.uniform(*settings.retract_ms, (size, settings.retract))
    made = [
        _connect(cells, name, np.where(chance, weight, 0.0), delay) for name, weight in (("exc", exc), ("inh", inh))
    ]
    return made[0], made[1]


def _connect(
    cells: NeuronGroup, target: str, weight: npt.NDArray[np.float64], delay_ms: npt.NDArray[np.float64]
) -> Any:
    """Return synapses wherever there is a weight; both (cells, cells), from row to column."""
    import brian2 as b2

    pre, post = np.nonzero(weight)
    synapses = b2.Synapses(cells, cells, "w : 1 (constant)", on_pre=f"{target}_post += w", name=f"sim2_{target}")
    synapses.connect(i=pre, j=post)
    synapses.w = weight[pre, post]
    synapses.delay = delay_ms[pre, post] * b2.ms
    return synapses
