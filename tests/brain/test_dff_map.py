"""The dF/F map: against its definition, and against a scene whose dF/F is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.dff_map import DffMap
from brain.settings import DffMode, DffSettings
from camera.scene import Region, SceneSettings
from camera.synthetic import SyntheticCamera
from tests.brain.streams import FRAME_SHAPE, PERIOD, make_images

HISTORY = 1.0


def make(mode=DffMode.green_minus_blue):
    return DffMap(DffSettings(HISTORY, mode), FRAME_SHAPE)


@given(st.integers(0, 2**32), st.sampled_from(["uint8", "uint16"]), st.sampled_from(list(DffMode)))
def test_equals_the_definition(seed, dtype, mode):
    images = make_images(seed, 40, dtype)
    ours, baseline = make(mode), None
    for number, image in enumerate(images):
        floats = image.astype(float)
        if baseline is not None:
            change = (floats - baseline) / baseline
            wanted = change[..., 1] if mode is DffMode.green else change[..., 1] - change[..., 0]
            np.testing.assert_allclose(ours.against_baseline(image), wanted, rtol=0, atol=1e-5)
        weight = max(1 / (number + 1), 1 - math.exp(-PERIOD / 1e9 / (HISTORY / 2)))
        baseline = floats if baseline is None else baseline + weight * (floats - baseline)
        ours.remember(image, number * PERIOD)


def test_there_is_nothing_before_the_first_frame_and_none_where_the_baseline_is_black():
    ours = make()
    image = make_images(1, 1)[0]
    assert np.isnan(ours.against_baseline(image)).all()
    image[3, 4, 1] = image[5, 6, 0] = 0
    ours.remember(image, 0)
    change = ours.against_baseline(image)
    assert change.dtype == np.float32
    assert np.argwhere(np.isnan(change)).tolist() == [[3, 4], [5, 6]]
    assert np.nansum(np.abs(change)) == 0


def test_the_mode_green_does_not_look_at_blue():
    ours = make(DffMode.green)
    first, later = make_images(2, 2)
    first[..., 0] = 0
    ours.remember(first, 0)
    np.testing.assert_allclose(ours.against_baseline(later), later[..., 1] / first[..., 1].astype(float) - 1, atol=1e-5)


def test_what_green_and_blue_have_in_common_is_taken_out():
    ours = make()
    image = np.full(FRAME_SHAPE, 100, np.uint8)
    ours.remember(image, 0)
    np.testing.assert_allclose(ours.against_baseline(image + np.uint8(10)), 0, atol=1e-6)


@pytest.mark.parametrize("times", [(0, 0), (10, 5)])
def test_a_frame_that_is_not_later_is_left_out(times):
    ours = make()
    first, second = make_images(3, 2)
    ours.remember(first, times[0])
    before = ours.against_baseline(second)
    ours.remember(second, times[1])
    np.testing.assert_array_equal(ours.against_baseline(second), before)


def test_the_baseline_forgets_what_is_older_than_the_history():
    ours = make()
    first, now = np.full(FRAME_SHAPE, 50, np.uint8), np.full(FRAME_SHAPE, 100, np.uint8)
    for number in range(20):
        ours.remember(first, number * PERIOD)
    for number in range(20, 20 + 60):
        ours.remember(now, number * PERIOD)
    now[..., 1] = 110
    np.testing.assert_allclose(ours.against_baseline(now), 0.1, atol=0.003)


def test_activity_of_a_known_scene_is_where_it_is():
    scene = SceneSettings(regions=(Region("M1_L", 20, 20), Region("M1_R", 20, 60)), shared_fraction=0, noise_sd=0.5)
    camera = SyntheticCamera(scene, 40, 80, 30.0, 3)
    ours = DffMap(DffSettings(6.0), camera.frame_shape)
    camera.start()
    seen, true = [], []
    for number in range(900):
        frame = camera.read(0)
        if frame.time_ns > 6_000_000_000:
            change = ours.against_baseline(frame.image)
            seen.append([change[camera.scene.mask(name)].mean() for name in ("M1_L", "M1_R")])
            true.append([camera.scene.running_dff(name, number, 6.0) for name in ("M1_L", "M1_R")])
        ours.remember(frame.image, frame.time_ns)
    for side in range(2):
        assert np.corrcoef(np.array(seen)[:, side], np.array(true)[:, side])[0, 1] > 0.97
        assert abs(np.corrcoef(np.array(seen)[:, side], np.array(true)[:, 1 - side])[0, 1]) < 0.5
