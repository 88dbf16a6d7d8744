"""A network that is built and run in no time: forty cells that fire by chance, and remember what they were given."""

import brian2 as b2

from insilico.indicator import IndicatorSettings
from insilico.optics import OpticsSettings
from insilico.preparation import Tissue


def build(preparation, settle_s=0.5):
    b2.defaultclock.dt = 1 * b2.ms
    n = 40 * len(preparation.regions)
    cells = b2.NeuronGroup(n, "rate : Hz", threshold="rand() < rate * dt", reset="", name="tiny")
    cells.rate = 5 * b2.Hz
    half = cells[: n // 2]

    def hear(freq_hz):
        cells.rate = (5 + freq_hz / 1000) * b2.Hz

    def drink(flows):
        half.rate = (25 if flows else 5) * b2.Hz

    imaged = {name: cells[40 * i : 40 * (i + 1)] for i, name in enumerate(preparation.regions)}
    return Tissue(
        b2.Network(cells), imaged, hear=hear, drink=drink, name="tiny", settle_s=settle_s,
        indicator=IndicatorSettings(), optics=OpticsSettings(contrast=0.1),
    )  # fmt: skip


def deaf(preparation):
    made = build(preparation)
    return Tissue(made.network, made.imaged, name="deaf", settle_s=0.5)


def cannot_hear(preparation):
    made = build(preparation)

    def hear(freq_hz):
        raise ValueError(f"no such tone: {freq_hz}")

    return Tissue(made.network, made.imaged, hear=hear, name="cannot hear", settle_s=0.5)
