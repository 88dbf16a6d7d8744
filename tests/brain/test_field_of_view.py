"""A known shift and rotation is found, whatever else differs from day to day; what shows something else is told so."""

import functools
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cortex_views import FIRST_DAY, Cortex, Day
from brain.field_of_view import SMALLEST_MATCH, View, compare_views, grey_of, is_same, view_text

SIDE = 160
NEAR_PX, NEAR_DEG = 0.5, 0.2
DAYS = {
    "the same": Day(),
    "one image": Day(images=1),
    "bright": Day(gain=1.8),
    "dim": Day(gain=0.2),
    "from one side": Day(tilt=0.3),
    "blood": Day(blood=0.06),
    "out of focus": Day(blur_px=1.0),
    "expression": Day(expression=0.33, widening=1.15),
}


@functools.cache
def cortex(seed):
    return Cortex(seed, SIDE)


@functools.cache
def first_of(seed):
    return cortex(seed).snap((0.0, 0.0), 0.0, FIRST_DAY, np.random.default_rng(seed))


def snap(seed, shift, deg, day=DAYS["the same"]):
    return cortex(seed).snap(shift, deg, day, np.random.default_rng(99))


def is_near(view, shift, deg):
    px = math.hypot(view.shift_px[0] - shift[0], view.shift_px[1] - shift[1])
    return px < NEAR_PX and abs(view.rotation_deg - deg) < NEAR_DEG


@pytest.mark.parametrize("day", DAYS.values(), ids=DAYS)
def test_what_differs_from_day_to_day_does_not_matter(day):
    view = compare_views(first_of(1), snap(1, (9.4, -6.2), 3.3, day))
    assert view.known
    assert is_near(view, (9.4, -6.2), 3.3)


@settings(max_examples=8)
@given(x=st.floats(-20, 20), y=st.floats(-20, 20), deg=st.floats(-5, 5))
def test_a_known_shift_and_rotation_is_found(x, y, deg):
    view = compare_views(first_of(2), snap(2, (x, y), deg))
    assert view.known
    assert is_near(view, (x, y), deg)


@settings(max_examples=5)
@given(x=st.floats(-12, 12), y=st.floats(-12, 12), deg=st.floats(-4, 4))
def test_back_is_there_the_other_way(x, y, deg):
    """The one turned and shifted by both in turn is where it was."""
    now = snap(3, (x, y), deg)
    there, back = compare_views(first_of(3), now), compare_views(now, first_of(3))
    angle = math.radians(back.rotation_deg)
    dx, dy = there.shift_px
    left = (
        math.cos(angle) * dx - math.sin(angle) * dy + back.shift_px[0],
        math.sin(angle) * dx + math.cos(angle) * dy + back.shift_px[1],
    )
    assert is_near(View(left, there.rotation_deg + back.rotation_deg, 1.0), (0, 0), 0)


@pytest.mark.parametrize("scale", [0.01, 1, 200])
def test_counts_may_be_of_any_range(scale):
    view = compare_views(first_of(1) * np.float32(scale), snap(1, (5, 4), -1) * np.float32(scale))
    assert view.known
    assert is_near(view, (5, 4), -1)


def test_a_large_image_is_measured_in_its_own_px():
    large = [cv2.resize(image, (SIDE * 4, SIDE * 4), interpolation=cv2.INTER_CUBIC) for image in
             (first_of(1), snap(1, (5, 4), -1))]  # fmt: skip
    assert is_near(compare_views(*large), (20, 16), -1)


@pytest.mark.parametrize("rows", [slice(0, 90), slice(30, 160)])
def test_an_image_need_not_be_square(rows):
    view = compare_views(first_of(1)[rows].copy(), snap(1, (5, -4), 0)[rows].copy())
    assert is_near(view, (5, -4), 0)


def test_real_pictures(shared_data):
    """Of a mouse from the side: shifted, turned, half as bright and with the noise of a dim camera."""
    rng = np.random.default_rng(3)
    angle = math.radians(-3.0)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    for path in sorted((shared_data / "reaching" / "labeled-data" / "reachingvideo1").glob("*.png"))[::20]:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        height, width = image.shape
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        matrix = np.hstack([turn, (np.array([14.5, -9.25]) + centre - turn @ centre)[:, None]])
        moved = 0.5 * cv2.warpAffine(image, matrix, (width, height)) + rng.normal(0, 2, image.shape)
        inner = (slice(40, -40), slice(40, -40))
        view = compare_views(image[inner].astype(np.float32), np.clip(moved, 0, 255)[inner].astype(np.float32))
        assert view.known
        assert is_near(view, (14.5, -9.25), -3.0)


def test_another_mouse_is_not_the_same():
    for other in (2, 3):
        assert compare_views(first_of(1), snap(other, (0, 0), 0)).match < SMALLEST_MATCH


NOTHING = np.zeros((SIDE, SIDE), np.float32)


@pytest.mark.parametrize(
    "image",
    [
        NOTHING,
        NOTHING + 100,
        NOTHING + 255,
        np.random.default_rng(1).normal(100, 3, NOTHING.shape).astype(np.float32),
        np.linspace(0, 200, NOTHING.size, dtype=np.float32).reshape(NOTHING.shape),
    ],
    ids=["black", "grey", "white", "noise", "ramp"],
)
def test_a_picture_of_nothing_tells_nothing(image):
    for one, other in ((first_of(1), image), (image, first_of(1))):
        view = compare_views(one, other)
        assert not view.known
        assert np.isfinite([*view.shift_px, view.rotation_deg, view.match]).all()
        assert "cannot tell" in view_text(view, 25.6)


def test_two_pictures_of_nothing_are_not_the_same():
    for image in (NOTHING, NOTHING + 100):
        assert not compare_views(image, image).known


@pytest.mark.parametrize("shape", [(160, 159), (31, 160), (160, 160, 3), (0, 0)])
def test_what_cannot_be_compared_is_refused(shape):
    with pytest.raises(ValueError, match="cannot be compared"):
        compare_views(first_of(1), np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match="cannot be compared"):
        compare_views(np.zeros((31, 160), np.float32), np.zeros((31, 160), np.float32))


def test_grey_is_the_mean_of_the_channels():
    image = np.zeros((2, 3, 3), np.uint16)
    image[:, :, 0], image[:, :, 1], image[:, :, 2] = 30_000, 60_000, 3
    assert (grey_of(image, (1,)) == 60_000).all()
    assert grey_of(image, (0, 1)).dtype == np.float32
    assert (grey_of(image, (0, 1)) == 45_000).all()


@pytest.mark.parametrize(
    ("view", "ppmm", "same", "text"),
    [
        (View((0.2, -0.1), 0.04, 0.98), 25.6, True,
         "the same field of view: 0.2 px (0.01 mm) and 0.0 deg apart (match 0.98)"),
        (View((0.9, 0.0), -0.5, 0.9), 3.0, True,
         "the same field of view: 0.9 px (0.30 mm) and 0.5 deg apart (match 0.90)"),
        (View((1.2, 0.0), 0.0, 0.9), 25.6, True,
         "the same field of view: 1.2 px (0.05 mm) and 0.0 deg apart (match 0.90)"),
        (View((1.2, 0.0), 0.0, 0.9), None, False,
         "move the mouse or the camera so that the picture goes 1.2 px left (match 0.90)"),
        (View((12.8, -6.4), 2.14, 0.9), 25.6, False,
         "move the mouse or the camera so that the picture goes 12.8 px (0.50 mm) left, 6.4 px (0.25 mm) down, "
         "2.1 deg anticlockwise (match 0.90)"),
        (View((-2.0, 3.0), -2.0, 0.9), None, False,
         "move the mouse or the camera so that the picture goes 2.0 px right, 3.0 px up, "
         "2.0 deg clockwise (match 0.90)"),
        (View((0.3, 0.0), 0.8, 0.9), 25.6, False,
         "move the mouse or the camera so that the picture goes 0.8 deg anticlockwise (match 0.90)"),
        (View((0.0, 0.0), 0.0, 0.5), 25.6, False,
         "cannot tell how the picture lies against the first day's (match 0.50, below 0.55): see whether it is this "
         "mouse, in focus, lit as before, and turned by less than 10 deg"),
    ],
)  # fmt: skip
def test_what_the_experimenter_reads(view, ppmm, same, text):
    assert is_same(view, ppmm) is same
    assert view_text(view, ppmm) == text
