"""Frames in, points out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from behavior.pose_points import check_frame, copy_8_bits, not_found, tidy
from core.errors import PoseError
from core.values import Frame, black

ANY = st.floats(allow_nan=True, allow_infinity=True, width=32)


@given(st.lists(st.tuples(ANY, ANY, ANY, ANY), min_size=1, max_size=8))
def test_whatever_a_model_says_comes_out_as_the_port_has_it(rows):
    points = tidy(np.array(rows, np.float32))
    assert points.dtype == np.float64
    assert points.shape == (len(rows), 3)
    lost = points[:, 2] == 0
    assert np.isnan(points[lost, :2]).all()
    assert np.isfinite(points[~lost]).all()
    assert ((points[:, 2] >= 0) & (points[:, 2] <= 1)).all()


def test_what_is_whole_stays_as_it_is_and_is_copied():
    given_points = np.array([(1.5, -2.0, 0.25), (3.0, 4.0, 1.0)])
    points = tidy(given_points)
    assert (points == given_points).all()
    assert not np.shares_memory(points, given_points)


def test_not_found():
    assert repr(not_found(2).tolist()) == repr([[math.nan, math.nan, 0.0]] * 2)


@pytest.mark.parametrize(
    ("value", "dtype", "expected"), [(7, "uint8", 7), (65_535, "uint16", 255), (255, "uint16", 0), (256, "uint16", 1)]
)
def test_of_16_bits_the_upper_8_are_taken(value, dtype, expected):
    into = black(2, 3)
    copy_8_bits(np.full((2, 3, 3), value, dtype), into)
    assert (into == expected).all()


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (black(4, 6), r"frame 7 is \(4, 6, 3\) uint8, and not \(4, 5, 3\) uint8"),
        (np.zeros((4, 5, 3), np.uint16), r"frame 7 is \(4, 5, 3\) uint16"),
        (np.zeros((4, 5), np.uint8), r"frame 7 is \(4, 5\) uint8"),
    ],
)
def test_a_frame_that_is_not_as_it_should_be_is_named(image, says):
    with pytest.raises(PoseError, match=says):
        check_frame(Frame(image, 7, 0), (4, 5, 3), "uint8")
