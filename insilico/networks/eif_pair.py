"""Exponential integrate-and-fire cells, 400 excitatory on a line and 100 inhibitory: a plain Brian2 script.

The network of the video tutorial of Cleo (siplab-gt/cleo, docs/tutorials/video_visualization.ipynb): neighbours on the
line excite each other, both groups are joined at random, and inhibitory cells do not reach each other. There a current
``I`` is injected, without which it is silent. Here ``I`` is a mean current near the rheobase (36 pA), noise of each
cell, and a slow input that the cells of a region share.

``python -m bench.bench_networks``, six networks of 20 s: excitatory cells fire 3.5 spikes/s, CV of intervals 1.85.

All parameters stand at the top, and Brian2 finds them there by their names, as in a notebook.
"""

from typing import Any

import brian2 as b2
import numpy as np
from brian2 import Mohm, ms, mV, pA, second

from insilico import OpticsSettings, Preparation, Tissue

n_e, n_i = 400, 100
tau_m, Rm = 20 * ms, 500 * Mohm
E_L, theta, Delta_T = -70 * mV, -50 * mV, 2 * mV
v_cut, v_reset = 30 * mV, -55 * mV
W, p_s, reach = 250 * mV, 0.3, 20
"""Jump of v if all cells of a group fired at once; probability of a connection; neighbours excited on either side."""

# Chosen so that excitatory cells fire at a few Hz, and the dF/F of a region has peaks of 5 %.
I_e, I_i = 34 * pA, 20 * pA
I_noise, tau_noise = 12 * pA, 5 * ms
I_slow, tau_slow = 4 * pA, 0.7 * second
I_tone, I_water, octaves = 1 * pA, 4 * pA, 0.5

# v is reset beyond 30 mV, where the argument of exp is 40: clip changes nothing below that, and whatever the weights
# are, nothing overflows. Euler it must be: methods that look ahead within a step would look beyond the spike.
equations = """
dv/dt = (E_L - v + Delta_T*exp(clip((v - theta)/Delta_T, -100, 40)) + Rm*I)/tau_m : volt
dI/dt = (I_mean + I_drift + I_heard + I_drunk - I)/tau_noise + I_noise*sqrt(2/tau_noise)*xi : amp
I_mean : amp (constant)
I_drift : amp
I_heard : amp
I_drunk : amp
"""


def build(preparation: Preparation) -> Tissue:
    """Build the network, and lay its line of excitatory cells through the regions of the experiment."""
    b2.defaultclock.dt = 0.5 * ms
    cell = {"threshold": "v > v_cut", "reset": "v = v_reset", "method": "euler"}
    exc = b2.NeuronGroup(n_e, equations, **cell, name="exc")
    inh = b2.NeuronGroup(n_i, equations, **cell, name="inh")
    for group, mean in ((exc, I_e), (inh, I_i)):
        group.v = E_L
        group.I_mean = group.I = mean

    neighbours = b2.Synapses(exc, exc, on_pre="v_post += W/n_e", name="exc_exc")
    neighbours.connect("abs(i - j) <= reach")
    to_inh = b2.Synapses(exc, inh, on_pre="v_post += W/n_e", name="exc_inh")
    to_inh.connect(p=p_s)
    to_exc = b2.Synapses(inh, exc, on_pre="v_post -= W/n_i", name="inh_exc")
    to_exc.connect(p=p_s)

    # A part of the line for each region, and for the same place in the other hemisphere.
    mirrored = [(ap, -ml) for ap, ml in preparation.regions.values()]
    places: list[Any] = [
        *preparation.regions,
        *(place for place in mirrored if place not in preparation.regions.values()),
    ]
    ends = np.arange(len(places) + 1) * n_e // len(places)
    part = np.repeat(np.arange(len(places)), np.diff(ends))
    slow = np.zeros(len(places))

    def drift() -> None:
        keep = np.exp(-10 * ms / tau_slow)
        slow[:] = keep * slow + np.sqrt(1 - keep**2) * preparation.rng.standard_normal(len(slow))
        exc.I_drift = I_slow * slow[part]

    low, high = np.log2(preparation.tones_hz)
    best = np.linspace(low, high, n_e)

    def hear(freq_hz: float) -> None:
        """Let a tone excite the cells that are tuned to it: along the line, from the lowest to the highest."""
        tuned = np.exp(-0.5 * ((np.log2(freq_hz) - best) / octaves) ** 2) if freq_hz else 0.0
        exc.I_heard = I_tone * tuned

    def drink(flows: bool) -> None:
        exc.I_drunk = I_water if flows else 0 * pA

    return Tissue(
        b2.Network(exc, inh, neighbours, to_inh, to_exc, b2.NetworkOperation(drift, dt=10 * ms, name="drift")),
        {place: exc[ends[k] : ends[k + 1]] for k, place in enumerate(places)},
        hear=hear,
        drink=drink,
        name="EIF pair",
        optics=OpticsSettings(contrast=0.1),
    )
