"""Coloured markers: where they are found, to what part of a pixel, and how much they are trusted."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from behavior.markers import MarkerPose
from behavior.pose_settings import PoseBackend, PoseSettings
from core.errors import InputError
from core.values import Frame
from tests.behavior.films import GREEN, RED, disc, fur

HEIGHT, WIDTH = 60, 80
SHAPE = (HEIGHT, WIDTH, 3)
RADIUS = 4.0
PLACE = st.tuples(st.floats(8, WIDTH - 9), st.floats(8, HEIGHT - 9))


def markers(text="fl_l green, fl_r red", dtype="uint8", **changes):
    made = MarkerPose(PoseSettings(pose_backend=PoseBackend.markers, markers=text, **changes), SHAPE, dtype)
    made.open(lambda stage: True)
    return made


def points(image, text="fl_l green, fl_r red", **changes):
    return markers(text, str(image.dtype), **changes).estimate(Frame(image, 1, 0), lambda: None).points


def one(column, row, radius=RADIUS, colour=GREEN):
    return disc(fur(HEIGHT, WIDTH), column, row, radius, colour)


@settings(max_examples=60)
@given(place=PLACE, radius=st.floats(2, 7), colour=st.sampled_from([GREEN, RED]))
def test_a_disc_is_found_within_half_a_pixel(place, radius, colour):
    row = 0 if colour == GREEN else 1
    found = points(one(*place, radius, colour))
    assert np.abs(found[row, :2] - place).max() < 0.5
    assert found[row, 2] == 1.0
    assert found[1 - row, 2] == 0.0
    assert np.isnan(found[1 - row, :2]).all()


@settings(max_examples=40)
@given(place=st.tuples(st.floats(10, 30), st.floats(10, 25)), step=st.tuples(st.integers(0, 40), st.integers(0, 25)))
@example(place=(10.3, 11.9), step=(1, 0))
def test_a_disc_that_moves_by_whole_pixels_moves_its_point_by_as_much(place, step):
    before = points(one(*place))[0, :2]
    after = points(one(place[0] + step[0], place[1] + step[1]))[0, :2]
    np.testing.assert_allclose(after - before, step, atol=1e-9)


@settings(max_examples=40)
@given(place=PLACE, step=st.floats(0, 1))
def test_a_disc_that_moves_by_less_moves_its_point_by_as_much(place, step):
    column, row = min(place[0], WIDTH - 10.5), place[1]
    before, after = points(one(column, row))[0, :2], points(one(column + step, row))[0, :2]
    assert abs(after[0] - before[0] - step) < 0.5
    assert abs(after[1] - before[1]) < 0.5


def test_two_equal_blobs_are_trusted_by_half():
    image = disc(one(20, 20), 50, 30, RADIUS, GREEN)
    assert points(image)[0, 2] == pytest.approx(0.5, abs=0.02)


def test_the_largest_blob_is_the_marker_and_likelihood_its_share():
    image = fur(HEIGHT, WIDTH)
    image[16:24, 20:28] = GREEN
    image[40:44, 50:54] = GREEN
    assert points(image)[0].tolist() == [23.5, 19.5, 0.8]


def test_a_blob_of_too_few_pixels_is_not_seen():
    image = fur(HEIGHT, WIDTH)
    image[10:12, 10:13] = GREEN
    assert points(image, marker_area_px=6)[0].tolist() == [11.0, 10.5, 1.0]
    assert points(image, marker_area_px=7)[0, 2] == 0.0


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0, 0, 255), "red"),
        ((0, 128, 255), "orange"),
        ((0, 255, 255), "yellow"),
        ((0, 255, 0), "green"),
        ((255, 255, 0), "cyan"),
        ((255, 0, 0), "blue"),
        ((255, 0, 255), "magenta"),
    ],
)
def test_each_pure_colour_is_what_its_name_says_and_nothing_else(colour, name):
    names = ["red", "orange", "yellow", "green", "cyan", "blue", "magenta"]
    found = points(one(30, 30, colour=colour), ", ".join(f"{each} {each}" for each in names))
    assert [each for each, likelihood in zip(names, found[:, 2], strict=True) if likelihood > 0.9] == [name]


def test_hues_that_go_over_the_end_of_the_scale():
    for colour in ((20, 0, 255), (0, 20, 255)):
        assert points(one(30, 30, colour=colour), "fl_l 170-10")[0, 2] > 0.9
        assert points(one(30, 30, colour=colour), "fl_l 11-169")[0, 2] == 0.0


@pytest.mark.parametrize(
    ("colour", "changes"), [((120, 200, 120), {"marker_saturation": 150}), ((20, 90, 20), {"marker_value": 120})]
)
def test_pale_and_dark_are_no_marker(colour, changes):
    assert points(one(30, 30, colour=colour), **dict.fromkeys(changes, 10))[0, 2] == 1.0
    assert points(one(30, 30, colour=colour), **changes)[0, 2] == 0.0


def test_frames_of_16_bits_give_the_points_of_8():
    image = disc(one(20.3, 21.7), 50.2, 30.4, 5.0, RED)
    assert (points(image.astype(np.uint16) * 256 + 77) == points(image)).all()


def test_what_cannot_be_read_names_the_key():
    with pytest.raises(InputError, match="markers = fl_l mauve: 'mauve' is no colour"):
        markers("fl_l mauve")


def test_facts_say_what_is_looked_for():
    facts = markers().facts
    assert facts["bodyparts"] == ["fl_l", "fl_r"]
    assert facts["hues"] == {"fl_l": "36-85", "fl_r": "170-10"}
