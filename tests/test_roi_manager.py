"""ROIs: text round trip, masks, bounds."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helper import Position
from roi_manager import MAX_COORDINATE_PX, Circle, Polygon, Rect, parse_roi

GOOD = [
    ("10,20,30,40", Rect(10, 20, 30, 40)),
    (" 10, 20 ,30, 40 ", Rect(10, 20, 30, 40)),
    ("-3,0,5,5", Rect(-3, 0, 5, 5)),
    ("circle 10,20,4.5", Circle(10, 20, 4.5)),
    ("Circle 10.25, 20, 4", Circle(10.25, 20, 4)),
    ("polygon 0,0 8,0 8,8", Polygon(((0, 0), (8, 0), (8, 8)))),
    ("polygon 0, 0  8, 0  8, 8  0, 8", Polygon(((0, 0), (8, 0), (8, 8), (0, 8)))),
    ("circle 1e1,.5,3.", Circle(10, 0.5, 3)),
]

BAD = [
    ("", "write"),
    ("10", "write"),
    ("10,20,30", "write"),
    ("10,20,30,40,50", "write"),
    ("10,20,30.5,40", "round"),
    ("10,20,0,40", "1 or more"),
    ("10,20,-1,40", "1 or more"),
    ("1_0,2,3,4", "write"),
    ("١,2,3,4", "write"),
    ("1,2,99999,4", "inside the image"),
    ("1,2,16384,16384", "inside the image"),
    ("circle 1,2", "write"),
    ("circle 1,2,3 4,5", "write"),
    ("circle 1,2,nan", "write"),
    ("circle 1,2,1e400", "give px between"),
    ("circle 1,2,1e300", "give px between"),
    ("circle 1,2,0", "above 0"),
    ("circle 1,2,-3", "above 0"),
    ("circle 1,2,0.1", "make it larger"),
    ("polygon 1,1 5,5", "give 3 to"),
    ("polygon", "give 3 to"),
    ("polygon 1,1 5,5 5", "write"),
    ("polygon 1,1 5,1 9,1", "make it larger"),
    ("polygon " + "1,1 9,1 9,9 " * 400, "give 3 to"),
    ("square 1,2,3,4", "write"),
    ("__import__('os')", "write"),
]

COORDINATES = st.floats(-50, 300, allow_subnormal=False)
CIRCLES = st.builds(Circle, COORDINATES, COORDINATES, st.floats(1, 60))
RECTANGLES = st.builds(Rect, st.integers(-20, 300), st.integers(-20, 300), st.integers(1, 60), st.integers(1, 60))


@st.composite
def polygons(draw):
    points = draw(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=8))
    try:
        return Polygon(tuple(points))
    except ValueError:
        return Polygon(((0, 0), (3, 0), (3, 3)))


SHAPES = RECTANGLES | CIRCLES | polygons()


@pytest.mark.parametrize(("text", "shape"), GOOD)
def test_texts(text, shape):
    assert parse_roi(text) == shape


@pytest.mark.parametrize(("text", "cure"), BAD)
def test_a_bad_text_is_an_error_with_a_cure(text, cure):
    with pytest.raises(ValueError, match=cure):
        parse_roi(text)


@given(st.text(max_size=40) | st.text(alphabet="circlepolygon 0123456789,.-e", max_size=40))
def test_any_text_is_a_shape_or_a_value_error(text):
    try:
        shape = parse_roi(text)
    except ValueError:
        return
    assert shape.area_px >= 1


@given(SHAPES)
def test_text_round_trip(shape):
    assert parse_roi(shape.text()) == shape


@given(SHAPES)
def test_a_mask_fills_the_bounds(shape):
    x0, y0, x1, y1 = shape.bounds()
    mask = shape.mask()
    assert mask.shape == (y1 - y0, x1 - x0)
    assert mask.dtype == np.bool_
    assert shape.area_px == np.count_nonzero(mask) >= 1
    assert shape.fits(400, 400) == (x0 >= 0 and y0 >= 0 and x1 <= 400 and y1 <= 400)


@given(CIRCLES)
def test_a_pixel_is_in_a_circle_when_its_centre_is(circle):
    x0, y0, _, _ = circle.bounds()
    for (row, column), inside in np.ndenumerate(circle.mask()):
        distance = math.hypot(column + x0 + 0.5 - circle.x, row + y0 + 0.5 - circle.y)
        if abs(distance - circle.r) > 1e-9:
            assert inside == (distance < circle.r)


@given(RECTANGLES)
def test_a_rectangle_as_a_polygon_has_the_same_pixels(rect):
    x0, y0, x1, y1 = rect.bounds()
    polygon = Polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
    assert polygon.bounds() == rect.bounds()
    assert polygon.mask().all()
    assert polygon.area_px == rect.area_px


@given(polygons(), st.integers(0, 7))
@example(Polygon(((0, 0), (1, 0), (41, 41))), 1)
@example(Polygon(((0.1, 0.1), (0.7, 0.1), (41.1, 41.1))), 2)
def test_a_polygon_may_begin_at_any_corner_and_run_either_way(polygon, start):
    start %= len(polygon.points)
    turned = polygon.points[start:] + polygon.points[:start]
    for points in (turned, polygon.points[::-1], turned[::-1]):
        assert (Polygon(points).mask() == polygon.mask()).all()


def whole_mask(points):
    """Return the mask on an image that holds all of the test's polygons; empty where no pixel is covered."""
    image = np.zeros((140, 140), np.bool_)
    try:
        polygon = Polygon(tuple(points))
    except ValueError:
        return image
    x0, y0, x1, y1 = polygon.bounds()
    image[y0:y1, x0:x1] = polygon.mask()
    return image


def turn(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


GRID = st.integers(0, 1024).map(lambda eighths: eighths / 8)
"""Pixel centres, edges and points between them, exact in binary: many sides pass through centres."""
CORNERS = st.tuples(GRID, GRID)


@given(CORNERS, CORNERS, CORNERS, CORNERS, st.booleans())
@example((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), False)
@example((0.5, 0.5), (0.5, 1.5), (41.5, 41.5), (60.0, 7.0), True)
def test_triangles_that_share_a_side_share_no_pixel_and_cover_their_quadrilateral(a, b, c, d, backwards):
    one = whole_mask((a, b, c))
    other = whole_mask((c, a, d) if backwards else (a, c, d))
    assert ((one ^ other) == whole_mask((a, b, c, d))).all()
    if turn(a, c, b) * turn(a, c, d) <= 0:  # on either side of the side they share
        assert not (one & other).any()


@pytest.mark.parametrize("step", [0.1, 1 / 3, 2.7])
def test_a_fan_of_triangles_tiles_its_polygon(step):
    rim = [(60 + 55 * math.cos(k * step), 60 + 55 * math.sin(k * step)) for k in range(int(2 * math.pi / step) + 1)]
    parts = [whole_mask((a, (61.3, 58.9), b)) for a, b in zip(rim, rim[1:] + rim[:1], strict=True)]
    assert (np.sum(parts, axis=0) == whole_mask(rim)).all()


def test_a_centre_on_a_side_belongs_to_the_polygon_on_its_right():
    left = Polygon(((0, 0), (10, 0), (0, 10)))
    right = Polygon(((10, 0), (10, 10), (0, 10)))
    assert (left.mask() ^ right.mask()).all()
    assert np.flipud(right.mask()).diagonal().all()


def test_a_star_follows_the_even_odd_rule():
    star = Polygon(tuple((50 + 40 * math.sin(a), 50 - 40 * math.cos(a)) for a in np.arange(5) * 4 * math.pi / 5))
    x0, y0, _, _ = star.bounds()
    assert not star.mask()[50 - y0, 50 - x0]
    assert star.mask()[20 - y0, 50 - x0]


@pytest.mark.parametrize(
    ("position", "size", "expected"),
    [
        (Position(128, 128), (8, 8), Rect(124, 124, 8, 8)),
        (Position(row=60, col=100), (10, 4), Rect(95, 58, 10, 4)),
        (Position(128, 128), (7, 7), Rect(124, 124, 7, 7)),
        (Position(20.9, 30.2), (4, 4), Rect(28, 18, 4, 4)),
        (Position(1, 1), (8, 8), Rect(-3, -3, 8, 8)),
    ],
)
def test_around(position, size, expected):
    assert Rect.around(position, *size) == expected


def test_around_nan():
    with pytest.raises(ValueError, match="finite"):
        Rect.around(Position(math.nan, 3), 8, 8)


def test_values_of_a_shape_are_checked():
    with pytest.raises(ValueError, match="whole px"):
        Rect(1.5, 2, 3, 4)
    with pytest.raises(ValueError, match="give px between"):
        Circle(math.nan, 2, 3)
    with pytest.raises(ValueError, match="give x,y"):
        Polygon(((1, 2, 3), (1, 2), (3, 4)))
    with pytest.raises(ValueError, match="give px between"):
        Polygon(((0, 0), (MAX_COORDINATE_PX + 1, 0), (5, 5)))


def test_numpy_integers_and_lists_become_plain_values():
    rect = Rect(*np.array([1, 2, 3, 4]))
    assert rect == Rect(1, 2, 3, 4)
    assert type(rect.x) is int
    assert Polygon([[0, 0], [4, 0], [4, 4]]).points == ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0))


def test_shapes_are_values():
    assert len({Rect(1, 2, 3, 4), Rect(1, 2, 3, 4), Circle(1, 2, 3), parse_roi("circle 1,2,3")}) == 2
