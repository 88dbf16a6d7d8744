"""The computed scene: what it shows is what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera.scene import Region, SceneSettings, Transients, default_regions
from camera.synthetic import Scene, SyntheticCamera
from core.errors import InputError

FPS = 15.0
PAIR = (Region("BC_L", 30.0, 20.0), Region("BC_R", 30.0, 70.0))
BUSY = SceneSettings(regions=PAIR, transients_per_min=60.0)


def seen_dff(scene: Scene, name: str, index: int) -> float:
    """Return green dF/F less blue dF/F of one rendered frame, relative to F_rest: mean over the region's pixels."""
    mask = scene.mask(name)
    ratio = scene.render(index)[mask] / scene.rest[mask].astype(float)
    return float((ratio[:, 1] - ratio[:, 0]).mean())


def bound(scene: Scene, name: str) -> float:
    """Return 5 standard errors of ``seen_dff``: noise and rounding (variance 1/12) of two channels."""
    rest = scene.rest[scene.mask(name)].astype(float)
    variance = (scene.settings.noise_sd**2 + 1 / 12) * (1 / rest[:, 0] ** 2 + 1 / rest[:, 1] ** 2)
    return 5 * math.sqrt(variance.mean() / len(rest))


@pytest.mark.parametrize("size", [(64, 96), (96, 90), (200, 131)])
@pytest.mark.parametrize("name", ["BC_L", "BC_R"])
def test_rendered_frames_show_the_true_dff(size: tuple[int, int], name: str) -> None:
    scene = Scene(BUSY, *size, FPS, seed=3)
    errors = [seen_dff(scene, name, k) - scene.true_dff(name, scene.time_ns(k)) for k in range(0, 450, 3)]
    assert np.max(np.abs(errors)) < bound(scene, name)
    assert abs(np.mean(errors)) < bound(scene, name) / math.sqrt(len(errors))


def test_there_is_something_to_show() -> None:
    scene = Scene(BUSY, 64, 96, FPS, seed=3)
    traces = np.array([[scene.true_dff(r.name, scene.time_ns(k)) for k in range(450)] for r in PAIR])
    assert traces.max() > 0.05
    assert traces.min() >= 0
    shared = np.corrcoef(traces)[0, 1]
    assert 0.2 < shared < 0.95


def test_without_noise_only_rounding_is_left() -> None:
    scene = Scene(SceneSettings(regions=PAIR, noise_sd=0.0), 64, 96, FPS, seed=1)
    for k in range(0, 60, 7):
        exact = scene.rest * (1 + scene.haemo(scene.time_ns(k)))
        mask = scene.mask("BC_L")
        exact[mask, 1] += scene.true_dff("BC_L", scene.time_ns(k)) * scene.rest[mask, 1]
        frame = scene.render(k)
        assert np.abs(frame[mask] - exact[mask]).max() <= 0.5 + 1e-3
        assert np.abs(frame[..., 0] - exact[..., 0]).max() <= 0.5 + 1e-3


def test_the_wave_is_common_to_green_and_blue() -> None:
    quiet = SceneSettings(regions=PAIR, transients_per_min=0.0, haemo_amplitude=0.05)
    scene = Scene(quiet, 64, 96, FPS, seed=1)
    peak = round(2.5 * FPS)  # a quarter of 10 s
    ratio = scene.render(peak).mean((0, 1)) / scene.rest.mean((0, 1))
    assert ratio[:2] == pytest.approx([1.05, 1.05], abs=0.003)
    assert scene.true_dff("BC_L", scene.time_ns(peak)) == 0


def test_neighbours_that_overlap_are_counted_in() -> None:
    near = SceneSettings(
        regions=(Region("A", 40.0, 30.0), Region("B", 40.0, 42.0), Region("C", 40.0, 80.0)), transients_per_min=60.0
    )
    scene = Scene(near, 80, 100, FPS, seed=2)
    errors = [seen_dff(scene, "A", k) - scene.true_dff("A", scene.time_ns(k)) for k in range(0, 300, 3)]
    assert np.max(np.abs(errors)) < bound(scene, "A")


def test_running_dff_is_what_a_running_baseline_finds() -> None:
    scene = Scene(BUSY, 64, 96, FPS, seed=3)
    mask = scene.mask("BC_L")
    movie = np.stack([scene.render(k)[mask] for k in range(150)]).astype(float)
    window = movie[60:150]  # 6 s before frame 150, all of them
    now = scene.render(150)[mask] / window.mean(0) - 1
    assert (now[:, 1] - now[:, 0]).mean() == pytest.approx(
        scene.running_dff("BC_L", 150, 6.0), abs=bound(scene, "BC_L")
    )
    assert math.isnan(scene.running_dff("BC_L", 0, 6.0))


def crossings(scene: Scene, threshold: float, minutes: int) -> int:
    """Count how often dF/F over the mean of the last 6 s rises through the threshold, free of noise."""
    bright = 1 + np.array([scene.true_dff("BC_L", scene.time_ns(k)) for k in range(round(60 * minutes * FPS))])
    total = np.concatenate([[0.0], np.cumsum(bright)])
    history = round(6 * FPS)
    signal = bright[history:] / ((total[history:-1] - total[: -history - 1]) / history) - 1
    above = signal >= threshold
    return int(np.sum(above[1:] & ~above[:-1]))


@pytest.mark.parametrize("seed", range(3))
def test_the_default_scene_crosses_a_usual_threshold_a_few_times_a_minute(seed: int) -> None:
    scene = Scene(SceneSettings(), 64, 64, FPS, seed)
    assert 2 <= crossings(scene, 0.05, 4) / 4 <= 10


def test_a_transient_has_the_shape_of_gcamp6s() -> None:
    alone = SceneSettings(regions=PAIR, transients_per_min=1.0, shared_fraction=0.0, amplitude=(0.1, 0.1))
    seed = next(s for s in range(100) if _lonely(Transients(alone, s)))
    transients = Transients(alone, seed)
    times = np.arange(0, 60, 0.001)
    trace = np.array([transients.dff("BC_L", t) for t in times])
    onset, peak = int(np.argmax(trace > 0)), int(np.argmax(trace))
    half = peak + int(np.argmax(trace[peak:] < 0.05))
    assert trace.max() == pytest.approx(0.1, rel=1e-4)
    assert (peak - onset) / 1000 == pytest.approx(0.179, abs=0.004)
    assert 0.5 < (half - peak) / 1000 < 0.8


def _lonely(transients: Transients) -> bool:
    onsets, _ = transients._segment("BC_L", 0, 1.0)
    return len(onsets) == 1 and 5 < onsets[0] < 50


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 10**6))
def test_frames_depend_on_seed_and_index_alone(seed: int, index: int) -> None:
    scene = SceneSettings(regions=(Region("A", 5.0, 5.0),), radius_px=2.0)
    one, other = Scene(scene, 12, 17, FPS, seed), Scene(scene, 12, 17, FPS, seed)
    other.render(0)
    assert np.array_equal(one.render(index), other.render(index))
    assert one.true_dff("A", one.time_ns(index)) == other.true_dff("A", other.time_ns(index))


def test_another_seed_is_another_session() -> None:
    one, other = (Scene(BUSY, 64, 96, FPS, seed) for seed in (1, 2))
    assert not np.array_equal(one.render(5), other.render(5))
    assert [one.true_dff("BC_L", k * 10**9) for k in range(9)] != [other.true_dff("BC_L", k * 10**9) for k in range(9)]


def test_noise_differs_between_frames_and_has_the_sd_that_was_asked_for() -> None:
    quiet = SceneSettings(regions=PAIR, transients_per_min=0.0, haemo_amplitude=0.0, noise_sd=2.0)
    scene = Scene(quiet, 64, 96, FPS, seed=1)
    movie = np.stack([scene.render(k) for k in range(200)]).astype(float)
    assert np.sqrt(movie.var(0).mean()) == pytest.approx(math.sqrt(4 + 1 / 12), rel=0.02)
    means = movie[:, scene.mask("BC_L"), 1].mean(1)
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.25


def test_transients_go_on_for_ever() -> None:
    transients = Transients(BUSY, 1)
    day = 86_400.0
    assert max(transients.dff("BC_L", day + k * 0.1) for k in range(100)) > 0.02


def test_default_regions_are_clopys_seeds() -> None:
    regions = {region.name: region for region in default_regions(256, 256)}
    assert sorted(regions) == ["BC_L", "BC_R", "FL_L", "FL_R", "M1_L", "M1_R"]
    assert (regions["BC_L"].row, regions["BC_L"].col) == pytest.approx((179.2112, 39.50336))
    assert regions["BC_R"].col - 128 == pytest.approx(128 - regions["BC_L"].col)
    wide = {region.name: region for region in default_regions(256, 356)}
    assert wide["BC_L"].col == pytest.approx(regions["BC_L"].col + 50)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regions": (Region("A", 1, 1), Region("A", 2, 2))}, "two regions have one name"),
        ({"radius_px": 0.5}, "radius_px is 0.5"),
        ({"green_counts": 0.0}, "must be above 0"),
        ({"noise_sd": -1.0}, "must be 0 or more"),
        ({"amplitude": (0.1, 0.02)}, "amplitude is"),
        ({"shared_fraction": 1.5}, "shared_fraction is 1.5"),
        ({"rise_s": 0.0}, "rise_s and decay_s"),
        ({"vignette": 1.0}, "vignette is 1.0"),
        ({"green_counts": 240.0}, "of 255 counts"),
        ({"n_frames": 0}, "n_frames is 0"),
    ],
)
def test_impossible_scenes_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SceneSettings(**change)  # type: ignore[arg-type]


def test_a_region_outside_the_frame_is_refused() -> None:
    with pytest.raises(InputError, match=r"region A at row 500, column 5 lies outside the 96x64 px frame"):
        Scene(SceneSettings(regions=(Region("A", 500.0, 5.0),)), 64, 96, FPS, 1)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="seed is -1"):
        Scene(SceneSettings(), 64, 64, FPS, -1)


def test_a_scene_without_an_end_goes_on() -> None:
    camera = SyntheticCamera(BUSY, 64, 96, FPS, 1)
    assert camera.expected_frames is None
    camera.start()
    assert [camera.read(0.0).number for _ in range(30)][-1] == 30
