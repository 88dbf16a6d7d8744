"""Images and their labels stay together; what a model shall answer inverts to the labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pose_training_images import (
    Augmentation,
    augment,
    choose_resize,
    draw_centre,
    load_sized,
    read_image,
    resize_frame,
)
from analysis.pose_training_labels import read_folders
from analysis.pose_training_maps import make_maps, read_maps
from analysis.pose_training_net import step_size_at
from core.errors import InputError
from tests.support.labelled import HEAD, frames, names, write_folder


def spot(points, height, width):
    """Return an image that is dark but for a Gaussian at each point."""
    rows, columns = np.mgrid[:height, :width]
    light = sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) for x, y in points)
    return np.repeat(np.clip(200 * light, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def light_at(image):
    """Return the centre of the light in an image."""
    weight = image[:, :, 0].astype(float)
    weight -= np.median(weight)
    weight[weight < 20] = 0
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@given(
    seed=st.integers(0, 10_000),
    x=st.floats(20, 76),
    y=st.floats(20, 60),
    turn=st.sampled_from([0.0, 20.0, 180.0]),
    canvas=st.sampled_from([(96, 80), (64, 80), (64, 48)]),
)
def test_augmentation_keeps_labels_on_their_pixels(seed, x, y, turn, canvas):
    points = np.array([[x, y], [np.nan, np.nan]])
    image = spot(points[:1], 80, 96)
    changed, moved = augment(image, points, canvas, Augmentation(turn_deg=turn), np.random.default_rng(seed))
    assert (changed.shape, changed.dtype) == ((*canvas[::-1], 3), np.uint8)
    assert np.isnan(moved[1]).all()
    if np.isfinite(moved[0]).all() and (moved[0] > 10).all() and (moved[0] < np.array(canvas) - 11).all():
        assert np.linalg.norm(light_at(changed) - moved[0]) < 0.5


def test_labels_that_leave_the_image_are_not_known():
    far = Augmentation(turn_deg=0, scale=0, shift=0.99)
    rng = np.random.default_rng(3)
    seen = [augment(spot([(2, 2)], 40, 40), np.array([[2.0, 2.0]]), (40, 40), far, rng)[1] for _ in range(40)]
    known = [point for [point] in seen if np.isfinite(point).all()]
    assert 0 < len(known) < 40
    assert all((point > -0.5).all() and (point < 39.5).all() for point in known)


def test_light_and_its_bounds():
    still = Augmentation(turn_deg=0, scale=0, shift=0)
    grey = np.full((32, 32, 3), 100, np.uint8)
    nowhere, seeds = np.full((1, 2), np.nan), map(np.random.default_rng, range(200))
    levels = {int(augment(grey, nowhere, (32, 32), still, rng)[0][0, 0, 0]) for rng in seeds}
    assert 45 <= min(levels) < 60
    assert 135 < max(levels) <= 155


@given(st.integers(0, 999), st.floats(0, 99), st.floats(0, 79))
def test_the_part_that_is_learnt_from_lies_in_the_image(seed, x, y):
    rng = np.random.default_rng(seed)
    low = draw_centre(np.array([[x, y]]), (100, 80), (60, 50), rng) - (29.5, 24.5)
    assert (low >= 0).all()
    assert (low <= (40, 30)).all()
    whole = draw_centre(np.array([[x, y]]), (100, 80), (100, 80), rng)
    assert whole.tolist() == [49.5, 39.5]


@pytest.mark.parametrize(
    ("original", "size", "factor"),
    [
        ((640, 480), None, 0.5),
        ((320, 240), None, 1.0),
        ((160, 120), None, 1.0),
        ((1440, 1080), None, 0.125),
        ((640, 480), (320, 240), 0.5),
        ((640, 480), (160, 120), 0.25),
        ((832, 747), (208, 187), 0.25),
    ],
)
def test_sizes(original, size, factor):
    assert choose_resize(original, size) == factor


@pytest.mark.parametrize(
    ("size", "said"),
    [((320, 200), "a size of their shape is 320x240"), ((1280, 960), "no size is larger"), ((24, 18), "32 px")],
)
def test_sizes_that_are_refused(size, said):
    with pytest.raises(InputError, match=said):
        choose_resize((640, 480), size)


def test_points_follow_the_size(tmp_path):
    import cv2

    folder = write_folder(tmp_path / "v", HEAD + "a.png,41,31,99,99\n")
    cv2.imwrite(str(folder / "a.png"), spot([(41, 31)], 64, 96))
    sized = load_sized(read_folders([folder]), (48, 32))
    assert (sized.resize, sized.original, sized.images.shape, sized.outside) == (0.5, (96, 64), (1, 32, 48, 3), 1)
    assert np.linalg.norm(light_at(sized.images[0]) - sized.points[0, 0]) < 0.1
    assert np.isnan(sized.points[0, 1]).all()


def test_colours_are_those_that_a_model_sees(tmp_path):
    import cv2

    folder = write_folder(tmp_path / "v", HEAD + "a.png,1,2,3,4\n")
    cv2.imwrite(str(folder / "a.png"), np.full((32, 32, 3), (250, 0, 9), np.uint8))
    assert load_sized(read_folders([folder]), None).images[0, 0, 0].tolist() == [9, 0, 250]


def test_images_that_cannot_be_used(tmp_path):
    folder = write_folder(tmp_path / "v", HEAD + frames(2), names(1))
    with pytest.raises(InputError, match=r"img001\.png: is missing"):
        load_sized(read_folders([folder]), None)
    (folder / "img001.png").write_text("no image", encoding="utf-8")
    with pytest.raises(InputError, match=r"img001\.png: is no image"):
        load_sized(read_folders([folder]), None)
    write_folder(tmp_path / "other", HEAD, ["img001.png"], (96, 128))
    (tmp_path / "other" / "img001.png").rename(folder / "img001.png")
    with pytest.raises(InputError, match=r"128x96, but .* is 64x48"):
        load_sized(read_folders([folder]), None)


def test_a_frame_is_resized_as_dlclive_does():
    image = spot([(20, 30)], 47, 63)
    assert resize_frame(image, 0.5).shape == (23, 31, 3)
    assert resize_frame(image, 1.0) is image


@given(
    st.lists(st.tuples(st.floats(-0.5, 319.5), st.floats(-0.5, 239.5)), min_size=1, max_size=5),
)
def test_they_invert_to_the_labels(points):
    labels = np.array(points)
    maps = make_maps(labels, 31, 41, 8)
    np.testing.assert_allclose(read_maps(maps.heat, maps.offset, 8), labels, atol=1e-3)
    best = maps.heat.reshape(len(labels), -1).argmax(1)
    assert (maps.heat.max((1, 2)) == 1).all()
    assert (maps.near[::2].reshape(len(labels), -1)[np.arange(len(labels)), best] == 1).all()


def test_a_part_that_is_not_seen_is_nowhere():
    maps = make_maps(np.array([[np.nan, np.nan], [20.0, 20.0]]), 8, 8, 8)
    assert not maps.heat[0].any()
    assert not maps.near[:2].any()
    assert maps.near[2:].any()
    assert all(np.isfinite(part).all() for part in maps)


@given(st.floats(0, 1))
def test_the_step_size_rises_and_falls(done):
    assert 0 <= step_size_at(done) <= 1
    assert step_size_at(0.1) == pytest.approx(1)
    assert step_size_at(1.0) == pytest.approx(0)


def test_an_image_is_bgr(tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 4, 3), (1, 2, 3), np.uint8))
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [1, 2, 3]
