"""The keys ``markers`` and ``dlc_cropping``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from behavior.pose_text import COLOURS, HUES, Marker, Window, parse_cropping, parse_markers
from core.errors import InputError

HUE = st.integers(0, HUES - 1)


@pytest.mark.parametrize(
    ("text", "markers"),
    [
        ("fl_l green", [("fl_l", 36, 85)]),
        ("fl_l green, fl_r 170-10", [("fl_l", 36, 85), ("fl_r", 170, 10)]),
        ("  fl_l   green ,fl_r 90-90,", [("fl_l", 36, 85), ("fl_r", 90, 90)]),
        ("paw.left red", [("paw.left", 170, 10)]),
    ],
)
def test_markers_are_read(text, markers):
    assert parse_markers(text) == tuple(Marker(*marker) for marker in markers)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no marker; write each"),
        (" , ", "there is no marker"),
        ("fl_l", "'fl_l' is no marker"),
        ("fl_l green fl_r red", "'fl_l green fl_r red' is no marker"),
        ("fl_l mauve", "'mauve' is no colour; use red, orange, yellow, green, cyan, blue, magenta or hues such as"),
        ("fl_l 10", "'10' is no colour"),
        ("fl_l 170-180", "a hue above 179; hues of OpenCV are half the degrees"),
        ("fl_l green, fl_l red", "fl_l is there twice"),
        ("fl_l red, fl_r 5-20", "fl_l and fl_r would be the same marker: both have hue 5"),
    ],
)
def test_markers_that_cannot_be_read_say_what_to_write(text, says):
    with pytest.raises(InputError, match=says):
        parse_markers(text)


def test_no_two_colour_names_share_a_hue():
    assert len(parse_markers(", ".join(f"part_{name} {name}" for name in COLOURS))) == len(COLOURS)


@given(first=HUE, last=HUE)
def test_ranges_hold_the_hues_from_first_to_last_round_the_scale(first, last):
    marker = Marker("p", first, last)
    assert len(marker.hues) == (last - first) % HUES + 1
    assert {first, last} <= marker.hues
    assert all(0 <= a <= b < HUES for a, b in marker.ranges)


@pytest.mark.parametrize(
    ("text", "window"),
    [("", None), ("  ", None), ("0, 320, 100, 240", Window(0, 320, 100, 240)), ("1,2,3,4", Window(1, 2, 3, 4))],
)
def test_cropping_is_read(text, window):
    assert parse_cropping(text) == window


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1, 2, 3", "not four whole numbers; write x1, x2, y1, y2"),
        ("a, b, c, d", "not four whole numbers"),
        ("-1, 20, 0, 20", "not four whole numbers"),
        ("0.5, 20, 0, 20", "not four whole numbers"),
        ("20, 20, 0, 10", "is empty: x1 must be below x2"),
        ("0, 20, 10, 5", "is empty"),
    ],
)
def test_cropping_that_cannot_be_read_says_what_to_write(text, says):
    with pytest.raises(InputError, match=says):
        parse_cropping(text)
