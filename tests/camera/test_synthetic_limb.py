"""The drawn mouse with a scripted paw: what it shows is what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera.factory import CameraFactory
from camera.settings import CameraKind, CameraSettings
from camera.synthetic_limb import ReachSettings, ScriptedReaches, SyntheticLimbCamera
from core.clock import VirtualClock
from core.errors import InputError
from insilico.limb_settings import LimbSceneSettings
from tests.insilico.limbs import marker_at

FPS = 30.0
SCENE = LimbSceneSettings((170.0, 105.0), (140.0, 92.0))


def camera(seed: int = 1, **changes: object) -> SyntheticLimbCamera:
    return SyntheticLimbCamera(SCENE, 160, 320, FPS, seed, ReachSettings(**changes))  # type: ignore[arg-type]


def test_the_markers_are_where_it_says() -> None:
    made = camera(slot_s=1.0)
    moved = set()
    for k in range(0, 90, 3):
        points = made.true_points(k)
        for hue, true in zip(SCENE.hues, points, strict=False):
            assert math.dist(marker_at(made.render(k), hue), true) < 0.35
        moved.add(tuple(points[0]))
    assert len(moved) > 10


def test_the_speed_is_that_of_the_points() -> None:
    made = camera(slot_s=1.0)
    ppmm = SCENE.ppmm
    for k in range(200):
        time_s = k / FPS
        steps = np.linspace(time_s, time_s + 1 / FPS, 40)
        mean = np.mean([made.true_speed_mm_s(t) for t in (steps[1:] + steps[:-1]) / 2])
        shown = math.dist(made.true_points(k)[0], made.true_points(k + 1)[0]) / ppmm * FPS
        assert shown <= mean + 0.5
        assert made.true_speed_mm_s(time_s) == pytest.approx(made.reaches.speed_mm_s(time_s), rel=1e-3, abs=1e-3)


def test_reaches_have_the_peaks_that_were_asked_for() -> None:
    made = ScriptedReaches(ReachSettings(bulge=(0.0, 0.0)), 9.0, 3)
    peaks = []
    for slot in range(200):
        reach = made.reach(slot)
        peaks.append(made.speed_mm_s(reach.onset_s + reach.out_s / 2))
        assert slot * 4.0 <= reach.onset_s
        assert reach.onset_s + reach.out_s + reach.hold_s + reach.back_s <= (slot + 1) * 4.0 + 1e-9
    assert 50 <= min(peaks) < 65
    assert 230 < max(peaks) <= 270.001


def test_clopys_threshold_is_crossed_in_some_trials_and_the_paw_is_mostly_still() -> None:
    """Speeds between frames, as a session measures them: 171 mm/s in 30 s, and means over 5 s below 8.5 mm/s."""
    made = camera(2)
    points = np.array([made.true_points(k)[0] for k in range(round(600 * FPS))])
    speed = np.hypot(*np.diff(points, axis=0).T) / SCENE.ppmm * FPS
    trials = speed[: len(speed) // 900 * 900].reshape(-1, 900).max(axis=1)
    assert 0.15 < np.mean(trials > 171) < 0.6
    means = np.convolve(speed, np.ones(150) / 150, "valid")
    assert np.mean(means < 8.5) > 0.8


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(0, 10**6))
def test_movement_depends_on_seed_and_time_alone(seed: int, index: int) -> None:
    one, other = (ScriptedReaches(ReachSettings(), 10.0, seed) for _ in range(2))
    other.at(0.0)
    assert one.at(index / FPS) == other.at(index / FPS)
    along, across = one.at(index / FPS)
    assert 0 <= along <= 11
    assert abs(across) <= 2.2


def test_frames_depend_on_seed_and_index_alone() -> None:
    one, other = camera(5), camera(5)
    other.render(0)
    assert np.array_equal(one.render(40), other.render(40))
    assert not np.array_equal(one.render(40), camera(6).render(40))


def test_the_factory_makes_it_for_a_scene_of_a_limb() -> None:
    wanted = CameraSettings(vid_source=CameraKind.synthetic, resolution=(320, 160), framerate=FPS)
    made = CameraFactory().create(wanted, source="", clock=VirtualClock(), pace_real=False, scene=SCENE, seed=4)
    assert isinstance(made, SyntheticLimbCamera)
    assert made.frame_shape == (160, 320, 3)
    assert made.expected_frames is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slot_s": 0.0}, "slot_s is 0"),
        ({"peak_mm_s": (100.0, 50.0)}, "peak_mm_s is"),
        ({"amplitude": (0.5, 3.0)}, "amplitude is"),
        ({"hold_s": (-1.0, 0.0)}, "hold_s is"),
        ({"back": 0.0}, "back is 0"),
        ({"bulge": (-2.0, 0.0)}, "bulge is"),
        ({"n_frames": 0}, "n_frames is 0"),
    ],
)
def test_impossible_scripts_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"scripted reaches: {message}"):
        ReachSettings(**change)  # type: ignore[arg-type]


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="seed is -1"):
        camera(-1)
