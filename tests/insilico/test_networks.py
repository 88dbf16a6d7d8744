"""The shipped networks: each builds, fires as it should, shows in a session, and reads as an example."""

from pathlib import Path

import numpy as np
import pytest

from bench.bench_networks import describe, run
from insilico.networks import clustered, eif_pair
from insilico.preparation import Preparation
from tests.support.sessions import OFFLINE, rows, settings_for
from tests.support.sessions import run as run_session

NETWORKS = Path(clustered.__file__).parent
FOUR = {"BC_L": (-1.7, -3.4), "BC_R": (-1.7, 3.4), "M1_L": (0.6, -1.9), "M1_R": (0.6, 1.9)}
SMALL = clustered.ClusteredSettings(clusters=8, cluster_size=10, clusters_per_region=2)


@pytest.fixture(autouse=True)
def plain_numpy():
    import brian2 as b2

    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


def preparation(regions=None, seed=3):
    return Preparation(regions or {"M1_L": (0.6, -1.9)}, (1000.0, 19000.0), np.random.default_rng(seed))


def test_the_eif_pair_fires_a_few_spikes_a_second():
    _, trains = run(eif_pair.build, vars(eif_pair), 3, 3.0)
    assert len(trains) == eif_pair.n_e
    figures = describe(trains, 3.0)
    assert 1 < figures["rate"] < 10
    assert figures["cv"] > 0.5


def test_clusters_make_counts_more_variable_than_chance():
    def fano(**how):
        settings = clustered.ClusteredSettings(**how)
        _, trains = run(lambda given: clustered.build(given, settings), {}, 3, 4.0)
        figures = describe(trains, 4.0)
        assert 1 < figures["rate"] < 20
        return figures["fano"]

    assert fano() > 1.2 * fano(ratio=1.0, strength=1.0)


def test_the_published_weights_and_probabilities():
    probability, weight = clustered._connections(clustered.ClusteredSettings(clusters=50, cluster_size=80), 4000)
    assert probability.shape == (5000, 5000)
    # K = 800 inputs on average, from K / (80 * 1.5 + 4000) between clusters; no cell reaches itself.
    assert probability[0, 100] == pytest.approx(800 / 4120)
    assert probability[0, 1] == pytest.approx(2.5 * 800 / 4120)
    assert probability[0, 0] == 0
    assert probability[:4000, 5].sum() == pytest.approx(800, rel=1e-3)
    assert probability[4000, 0] == probability[0, 4000] == probability[4000, 4001] == 0.5
    # Of the public program: 0.0236 (times 1.9), 0.0141, -0.0453, -0.0566.
    root = 800**0.5
    assert weight[0, 100] == pytest.approx(10 / 15 / root)
    assert weight[0, 1] == pytest.approx(19 / 15 / root)
    assert weight[0, 4000] == pytest.approx(4 / 10 / root)
    assert weight[4000, 0] == pytest.approx(-19.2 / 15 / root)
    assert weight[4000, 4001] == pytest.approx(-16 / 10 / root)


def test_a_spike_moves_the_voltage_by_its_weight():
    """The synaptic input has area 1: to 1 %, which is the error of steps of 0.5 ms."""
    import brian2 as b2

    b2.defaultclock.dt = 0.5 * b2.ms
    for kind, decay in (("exc", 3), ("inh", 2)):
        cells = clustered._cells(SMALL, 80, np.random.default_rng(1))
        cells.tau, cells.mean, cells.v = 1e9 * b2.second, 0, 0
        setattr(cells, f"{kind}_fast", 0.5)
        setattr(cells, f"{kind}_slow", 0.5)
        b2.Network(cells).run(20 * decay * b2.ms, namespace={})
        assert np.asarray(cells.v) == pytest.approx(0.5, rel=0.015)


@pytest.mark.parametrize("build", [eif_pair.build, lambda given: clustered.build(given, SMALL)], ids=["eif", "lkd"])
@pytest.mark.parametrize("regions", [None, FOUR], ids=["one ROI", "four"])
def test_every_roi_is_imaged_and_no_cell_twice(build, regions):
    tissue = build(preparation(regions))
    assert set(regions or {"M1_L"}) <= set(tissue.imaged)
    cells = [range(part.start, part.stop) for part in tissue.imaged.values()]
    flat = [cell for part in cells for cell in part]
    assert len(set(flat)) == len(flat)


def test_more_rois_than_clusters_are_refused():
    many = {f"R{n}": (0.1 * n, 0.0) for n in range(5)}
    with pytest.raises(ValueError, match="5 ROIs for clusters that serve 4; lower clusters_per_region"):
        clustered.build(preparation(many), SMALL)


@pytest.mark.parametrize(
    ("build", "group", "variables"),
    [
        (eif_pair.build, "exc", ("I_heard", "I_drunk")),
        (lambda given: clustered.build(given, SMALL), "cells", ("extra", "extra")),
    ],
    ids=["eif", "lkd"],
)
def test_tones_and_water_are_inputs_that_end(build, group, variables):
    tissue = build(preparation())
    cells = tissue.network[group]
    for give, on, off, variable in zip(
        (tissue.hear, tissue.drink), (1000.0, True), (0.0, False), variables, strict=True
    ):
        give(on)
        assert np.asarray(getattr(cells, variable)).max() > 0
        give(off)
        assert not np.asarray(getattr(cells, variable)).any()


def test_different_tones_reach_different_cells():
    tissue = eif_pair.build(preparation())
    exc = tissue.network["exc"]
    best = []
    for tone in (1000.0, 4000.0, 19000.0):
        tissue.hear(tone)
        best.append(int(np.argmax(np.asarray(exc.I_heard))))
    assert best == sorted(set(best))


def test_a_session_with_the_eif_pair(tmp_path):
    settings = settings_for(
        tmp_path,
        vid_source="simulated",
        network=str(NETWORKS / "eif_pair.py") + ":build",
        codegen="numpy",
        total_trials="2",
    )
    result = run_session(settings, OFFLINE)
    assert result.outcome == "complete", result
    signal = [float(row["signal"]) for row in rows(result.session / "frames.csv") if row["valid"] == "1"]
    assert 0.005 < np.std(signal) < 0.2
