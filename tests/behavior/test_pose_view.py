"""Windows on a frame, and points that come back from them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from behavior.pose_points import tidy
from behavior.pose_text import Window
from behavior.pose_view import GRID_PX, around, in_frame, inside, resized

FACTORS = st.sampled_from([0.25, 0.3, 0.5, 0.77, 1.0, 1.5, 4.0])
PLACE = st.floats(-2000, 3000)
POINTS = st.lists(st.tuples(PLACE, PLACE, st.floats(0, 1)), min_size=1, max_size=6).map(tidy)


@st.composite
def frames(draw):
    """A part of a frame in which windows may lie."""
    x1, y1 = draw(st.integers(0, 300)), draw(st.integers(0, 300))
    return Window(x1, x1 + draw(st.integers(1, 1000)), y1, y1 + draw(st.integers(1, 1000)))


@given(points=POINTS, trusted=st.floats(0, 1), margin=st.integers(1, 500), bounds=frames(), factor=FACTORS)
def test_a_dynamic_window_is_never_empty_and_lies_within_its_bounds(points, trusted, margin, bounds, factor):
    window = around(points, trusted, margin, bounds, factor)
    assert bounds.x1 <= window.x1 < window.x2 <= bounds.x2
    assert bounds.y1 <= window.y1 < window.y2 <= bounds.y2
    for side, whole in ((window.x2 - window.x1, bounds.x2 - bounds.x1), (window.y2 - window.y1, bounds.y2 - bounds.y1)):
        # A pixel less where the grid falls between two.
        assert side >= min(math.floor(GRID_PX / factor), whole)


@given(points=POINTS, trusted=st.floats(0.01, 1), margin=st.integers(1, 500), bounds=frames(), factor=FACTORS)
def test_a_dynamic_window_holds_all_trusted_points_and_the_margin(points, trusted, margin, bounds, factor):
    window = around(points, trusted, margin, bounds, factor)
    seen = points[points[:, 2] >= trusted]
    if not len(seen):
        assert window == bounds
        return
    # Rounding to whole pixels may take one.
    for column, row, _ in seen:
        if bounds.x1 <= column < bounds.x2:
            assert window.x1 <= max(bounds.x1, column - margin + 1)
            assert window.x2 >= min(bounds.x2, column + margin - 1)
        if bounds.y1 <= row < bounds.y2:
            assert window.y1 <= max(bounds.y1, row - margin + 1)
            assert window.y2 >= min(bounds.y2, row + margin - 1)


@pytest.mark.parametrize("points", [None, tidy([(5, 5, 0.4), (9, 9, 0)]), tidy([(math.nan, 5, 1.0)])])
def test_without_a_trusted_point_all_is_seen(points):
    bounds = Window(10, 500, 20, 400)
    assert around(points, 0.5, 20, bounds, 1.0) == bounds


def test_a_likelihood_of_zero_is_never_followed():
    bounds = Window(0, 500, 0, 400)
    assert around(tidy([(math.nan, math.nan, 0)]), 0.0, 20, bounds, 1.0) == bounds


@given(bounds=frames(), factor=FACTORS)
def test_points_of_a_window_come_back_to_where_they_are_in_the_frame(bounds, factor):
    height, width = resized(bounds, factor)
    corners = np.array([(0.0, 0.0, 1.0), (width, height, 0.5)])
    back = in_frame(corners, bounds, (height, width))
    np.testing.assert_allclose(back[:, :2], [(bounds.x1, bounds.y1), (bounds.x2, bounds.y2)])
    assert back[:, 2].tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (None, Window(0, 64, 0, 48)),
        (Window(8, 40, 4, 20), Window(8, 40, 4, 20)),
        (Window(8, 400, 4, 200), Window(8, 64, 4, 48)),
    ],
)
def test_a_window_lies_inside_its_frame(window, expected):
    assert inside(window, 48, 64) == expected
