"""SIM1's cortex: where its regions lie, how its cells fire, and what reaches them."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import InputError
from insilico import cortex
from insilico.cortex import ATLAS, MIN_APART_MM, MIN_REGIONS, CortexSettings, regions_of
from insilico.preparation import Preparation

M1 = (0.64181, 1.8603)
SECONDS = 16
SIM1 = CortexSettings()


def preparation(regions=None, seed=1):
    return Preparation(regions or {"M1_L": (M1[0], -M1[1])}, (1000.0, 19_027.0), np.random.default_rng(seed))


@pytest.mark.parametrize(
    "experiment",
    [
        {"M1_L": (M1[0], -M1[1])},
        {"BC_L": (-1.7, -3.5), "BC_R": (-1.7, 3.5)},
        {"ANT": (3.525, 0.0)},
        {"SPOT": (-0.5, -2.0)},
        {name: place for k, (name, place) in enumerate(ATLAS.items())},
    ],
    ids=["one side", "both sides", "midline", "own name", "many"],
)
def test_regions_are_the_experiments_their_mirrors_and_enough_of_the_atlas(experiment):
    regions = regions_of(experiment)
    assert list(regions)[: len(experiment)] == list(experiment)
    assert len(regions) >= MIN_REGIONS
    places = np.array(list(regions.values()))
    own = len(experiment)
    apart = np.hypot(*(places[:, None] - places[None, :]).T)
    np.fill_diagonal(apart, np.inf)
    assert apart[own:].min() >= MIN_APART_MM
    for ap, ml in experiment.values():
        assert np.hypot(places[:, 0] - ap, places[:, 1] + ml).min() < MIN_APART_MM, "its mirror is there"


@pytest.fixture(scope="module")
def run():
    """Run the default cortex for a while, with a tone in the second half and water in the last quarter."""
    import brian2 as b2

    from insilico.brian import quiet_brian

    quiet_brian("numpy", 3)
    tissue = cortex.build(preparation())
    cells = tissue.network["sim1_cells"]
    monitor = b2.SpikeMonitor(cells, name="spikes")
    tissue.network.add(monitor)
    b2_s = b2.second
    tissue.network.run(SECONDS / 2 * b2_s)
    tissue.hear(8000.0)
    tissue.network.run(SECONDS / 4 * b2_s)
    tissue.hear(0.0)
    tissue.drink(True)
    tissue.network.run(SECONDS / 4 * b2_s)
    tissue.drink(False)
    n_exc = 6 * SIM1.exc_per_region
    n_aud = n_exc + SIM1.auditory
    parts = {
        "exc": (0, n_exc),
        "auditory": (n_exc, n_aud),
        "reward": (n_aud, n_aud + SIM1.reward),
        "inh": (n_aud + SIM1.reward, len(cells)),
    }
    yield SimpleNamespace(t=np.array(monitor.t_), i=np.array(monitor.i), parts=parts, tissue=tissue, n=len(cells))
    b2.defaultclock.dt = 0.1 * b2.ms


def rates(run, part, begin, end):
    """Return the rate of each cell of a part between two times, Hz."""
    low, high = run.parts[part]
    spikes = run.i[(run.t >= begin) & (run.t < end)]
    return np.bincount(spikes, minlength=run.n)[low:high] / (end - begin)


def test_it_has_the_size_that_was_asked_for(run):
    assert run.n >= 400
    assert len(run.tissue.imaged) >= 6
    assert [len(group) for group in run.tissue.imaged.values()] == [SIM1.exc_per_region] * 6
    assert float(run.tissue.network["sim1_cells"].clock.dt) <= 0.5e-3


@pytest.mark.parametrize("part", ["exc", "inh"])
def test_each_region_fires_at_1_to_20_hz_asynchronously_and_irregularly(run, part):
    each = rates(run, part, 1, SECONDS).reshape(6, -1)
    assert 1 < each.mean(axis=1).min() <= each.mean(axis=1).max() < 20
    low, high = run.parts[part]
    order = np.argsort(run.i, kind="stable")
    cells, times = run.i[order], run.t[order]
    variations = []
    for cell in range(low, high):
        intervals = np.diff(times[np.searchsorted(cells, cell) : np.searchsorted(cells, cell + 1)])
        if len(intervals) > 20:
            variations.append(intervals.std() / intervals.mean())
    assert len(variations) > (high - low) / 2
    assert 0.7 < np.mean(variations) < 1.3


def test_cells_of_a_region_are_asynchronous(run):
    """Counts in 5 ms of two cells hardly correlate, although their slow input is the same."""
    low, high = run.parts["exc"]
    counts = np.zeros((high - low, round(SECONDS / 0.005)))
    chosen = (run.i >= low) & (run.i < high) & (run.t < SECONDS - 0.01)
    np.add.at(counts, (run.i[chosen] - low, (run.t[chosen] / 0.005).astype(int)), 1)
    first = np.corrcoef(counts[: SIM1.exc_per_region])
    assert np.nanmean(first[np.triu_indices_from(first, 1)]) < 0.1


def test_a_tone_reaches_the_cells_that_are_tuned_to_it(run):
    silence, tone = rates(run, "auditory", 1, SECONDS / 2), rates(run, "auditory", SECONDS / 2, SECONDS * 3 / 4)
    best = np.geomspace(1000, 19_027, SIM1.auditory)
    octaves = np.abs(np.log2(best / 8000))
    assert silence.mean() < 3
    assert (tone - silence)[octaves < 0.5].mean() > 15
    assert abs((tone - silence)[octaves > 2].mean()) < 1
    assert best[np.convolve(tone, np.ones(5), "same").argmax()] == pytest.approx(8000, rel=0.25)


def test_water_reaches_the_reward_cells_alone_and_through_them_the_cortex(run):
    dry, wet = rates(run, "reward", 1, SECONDS * 3 / 4), rates(run, "reward", SECONDS * 3 / 4, SECONDS)
    assert dry.mean() < 3
    assert wet.mean() > 20
    assert rates(run, "auditory", SECONDS * 3 / 4, SECONDS).mean() < 3
    before, after = rates(run, "exc", 1, SECONDS * 3 / 4).mean(), rates(run, "exc", SECONDS * 3 / 4, SECONDS).mean()
    assert after > 1.2 * before


def test_regions_that_were_asked_for_keep_their_names(run):
    names = [key for key in run.tissue.imaged if isinstance(key, str)]
    assert names == ["M1_L"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"exc_per_region": 0}, "exc_per_region is 0; give 1 or more"),
        ({"dt_ms": -1.0}, "dt_ms is -1.0; give more than 0"),
        ({"probability": 1.5}, "probability is 1.5; give 0 to 1"),
    ],
)
def test_settings_refuse_nonsense(wrong, said):
    with pytest.raises(InputError, match=f"SIM1: {said}"):
        CortexSettings(**wrong)
