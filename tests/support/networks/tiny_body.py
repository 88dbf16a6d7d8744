"""A body that is built and run in no time: its paw goes out while a tone plays, and to the side while water flows."""

import brian2 as b2

from insilico import Body


def build(preparation, settle_s=0.2):
    b2.defaultclock.dt = 1 * b2.ms
    cells = b2.NeuronGroup(40, "rate : Hz", threshold="rand() < rate * dt", reset="", name="tiny_body")
    cells.rate = 3 * b2.Hz
    extend, retract, lift = cells[:20], cells[20:30], cells[30:]

    def hear(freq_hz):
        extend.rate = (60 if freq_hz else 3) * b2.Hz

    def drink(flows):
        lift.rate = (60 if flows else 3) * b2.Hz

    muscles = {"extend": extend, "retract": retract, "lift": lift}
    return Body(b2.Network(cells), muscles, hear=hear, drink=drink, name="tiny body", settle_s=settle_s)
