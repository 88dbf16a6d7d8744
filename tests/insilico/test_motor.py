"""SIM2's network: still at rest, bursts that go out and come back, and what tones and water reach. numpy target."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import InputError
from insilico.licks import LickSettings
from insilico.motor import MOVERS, MotorSettings, build, parts_of
from insilico.preparation import Preparation

SILENT_S, TONE_S, WATER_S, BURST_S = 3.0, 1.0, 0.6, 0.5
TONE_HZ = 4000.0
PREPARATION = ({}, (1000.0, 19_027.3))
QUIET = MotorSettings(urge=0.0, vigour=0.0, bias=0.0)


@pytest.fixture(scope="module")
def run():
    """Silence, a tone, water, and a burst that is set off; without the slow inputs, so that all of it is foretold."""
    import brian2 as b2

    from insilico.brian import quiet_brian

    quiet_brian("numpy", 3)
    before = b2.defaultclock.dt
    body = build(Preparation(*PREPARATION, np.random.default_rng(3)), QUIET)
    cells = body.network["sim2_cells"]
    monitor = b2.SpikeMonitor(cells)
    body.network.add(monitor)
    parts = parts_of(QUIET)
    times = [0.0]
    for seconds, before_it in (
        (SILENT_S, lambda: None),
        (TONE_S, lambda: body.hear(TONE_HZ)),
        (WATER_S, lambda: (body.hear(0.0), body.drink(True))),
        (BURST_S, lambda: (body.drink(False), cells.v.__setitem__(parts["command"], 2.0))),
    ):
        before_it()
        body.network.run(seconds * b2.second)
        times.append(times[-1] + seconds)
    yield SimpleNamespace(
        t=np.array(monitor.t_), i=np.array(monitor.i), parts=parts, body=body, cells=cells, times=times
    )
    b2.defaultclock.dt = before


def rate(run, part, begin, end):
    """Return the mean rate of a population between two times, Hz."""
    where = run.parts[part]
    fired = (run.i >= where.start) & (run.i < where.stop) & (run.t >= begin) & (run.t < end)
    return fired.sum() / (where.stop - where.start) / (end - begin)


def test_it_is_one_group_and_two_synapse_objects_whose_parts_do_not_overlap(run):
    import brian2 as b2

    assert sum(isinstance(each, b2.NeuronGroup) for each in run.body.network.objects) == 1
    assert sum(isinstance(each, b2.Synapses) for each in run.body.network.objects) == 2
    ends = [(where.start, where.stop) for where in run.parts.values()]
    assert ends[0][0] == 0
    assert ends[-1][1] == len(run.cells)
    assert all(one[1] == other[0] for one, other in pairwise(ends))
    assert tuple(run.body.muscles) == MOVERS


@pytest.mark.parametrize("part", MOVERS)
def test_at_rest_the_muscles_cells_fire_below_the_rate_that_makes_force(run, part):
    assert rate(run, part, 0.5, SILENT_S) < run.body.limb.threshold_hz / 2


def test_a_tone_reaches_the_cells_that_hear_it_alone(run):
    silence, tone = (0.5, run.times[1]), (run.times[1], run.times[2])
    assert rate(run, "auditory", *silence) < 3
    assert rate(run, "auditory", *tone) > 4 * max(rate(run, "auditory", *silence), 0.5)
    assert rate(run, "reward", *tone) < 3


def test_water_reaches_the_cells_that_taste_it(run):
    assert rate(run, "reward", run.times[2] + 0.05, run.times[3]) > 20
    assert rate(run, "auditory", run.times[2] + 0.1, run.times[3]) < 5


def test_a_burst_extends_the_limb_and_brings_it_back_a_little_later(run):
    begin = run.times[3]
    assert rate(run, "command", begin, begin + 0.1) > 40
    assert rate(run, "extend", begin, begin + 0.08) > 20 > 4 * rate(run, "retract", begin, begin + 0.08)
    assert rate(run, "retract", begin + 0.1, begin + 0.3) > 10
    assert rate(run, "command", begin + 0.35, begin + 0.5) < 5


def test_two_networks_of_one_seed_are_alike(brian):
    weights = []
    for seed in (1, 1, 2):
        body = build(Preparation(*PREPARATION, np.random.default_rng(seed)))
        weights.append(np.array(body.network["sim2_exc"].delay_).tolist())
    assert weights[0] == weights[1] != weights[2]


def test_settings_reach_the_body(brian):
    licks = LickSettings(rate_hz=5.0)
    body = build(Preparation(*PREPARATION, np.random.default_rng(1)), MotorSettings(extend=10, licks=licks))
    assert len(body.muscles["extend"]) == 10
    assert body.licks is licks


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"command": 0}, "command is 0; give 1 or more"),
        ({"rest_s": 0.0}, "rest_s is 0.0; give more than 0"),
        ({"probability": -0.1}, "probability is -0.1; give 0 to 1"),
        ({"retract_ms": (200.0, 100.0)}, "retract_ms is"),
    ],
)
def test_settings_refuse_nonsense(wrong, said):
    with pytest.raises(InputError, match=f"SIM2: {said}"):
        MotorSettings(**wrong)
