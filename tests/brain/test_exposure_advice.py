"""What is advised of shutter time and sensitivity."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.exposure import Channel
from brain.exposure_advice import AIM, HIGHEST_ISO, LOWEST_ISO, Advice, advise, brightness, clipped_pixels
from roi_manager import Circle, Rect

BOTH = (Channel.green, Channel.blue)


@pytest.mark.parametrize(
    ("share", "saturated", "shutter", "iso", "framerate", "advice"),
    [
        (0.5, False, 20_000, 200, 15, Advice(1.0)),
        (1.0, True, 20_000, 400, 15, Advice(0.5, None, 200)),
        (1.0, True, 20_000, 100, 15, Advice(0.5, 10_000, None)),
        (1.0, True, 20_000, 150, 15, Advice(0.5, 15_000, 100)),
        (1.0, True, 20_000, 0, 15, Advice(0.5, 10_000, None)),
        (1.0, True, 0, 100, 15, Advice(0.5)),
        (0.175, False, 10_000, 200, 15, Advice(4.0, 40_000, None)),
        (0.07, False, 10_000, 200, 15, Advice(4.0, 40_000, None)),
        (0.175, False, 30_000, 200, 15, Advice(4.0, 60_000, 400)),
        (0.175, False, 60_000, 800, 15, Advice(4.0)),
        (0.175, False, 0, 200, 15, Advice(4.0, None, 800)),
        (0.175, False, 70_000, 200, 15, Advice(4.0, None, 800)),
        (0.175, False, 0, 0, 15, Advice(4.0)),
        (0.0, False, 1_000, 100, 30, Advice(4.0, 4_000, None)),
        (math.nan, False, 1_000, 100, 30, Advice(1.0)),
    ],
)
def test_what_is_advised(share, saturated, shutter, iso, framerate, advice):
    assert advise(share, saturated, shutter, iso, framerate) == advice


@given(
    share=st.floats(0, 1.2),
    saturated=st.booleans(),
    shutter=st.integers(0, 10_000_000),
    iso=st.integers(0, 6400),
    framerate=st.floats(0.1, 1000),
)
def test_what_is_advised_can_be_set_and_does_not_overshoot(share, saturated, shutter, iso, framerate):
    found = advise(share, saturated, shutter, iso, framerate)
    made = 1.0
    if found.shutter_speed is not None:
        assert 1 <= found.shutter_speed <= 10_000_000
        assert found.shutter_speed <= max(shutter, 1e6 / framerate)
        made *= found.shutter_speed / shutter
    if found.iso is not None:
        assert min(iso, LOWEST_ISO) <= found.iso <= max(iso, HIGHEST_ISO)
        made *= found.iso / iso
    if found.factor > 1:
        assert 1 <= made <= found.factor * 1.001
        assert share * made <= AIM * 1.001
    elif found.factor < 1:
        assert saturated
        assert made <= 1
    else:
        assert made == 1


def test_brightness_is_that_of_the_brightest_roi_less_its_hot_pixels():
    image = np.full((20, 30, 3), 10, np.uint8)
    image[:10, :10, 1] = 127
    image[0, 0] = 255
    rois = {"A": Rect(0, 0, 10, 10), "B": Circle(20.0, 10.0, 4.0)}
    assert brightness(image, rois, BOTH) == pytest.approx(127 / 254)
    assert brightness(image, {"B": rois["B"]}, BOTH) == pytest.approx(10 / 254)
    assert math.isnan(brightness(image, {}, BOTH))


def test_pixels_that_tell_nothing_are_those_of_the_channels_that_are_used():
    image = np.full((4, 5, 3), 100, np.uint8)
    image[0, 0, 1], image[1, 1, 0], image[2, 2, 2], image[3, 3, 0] = 255, 254, 255, 2
    lost = clipped_pixels(image, BOTH)
    assert np.argwhere(lost.saturated).tolist() == [[0, 0], [1, 1]]
    assert np.argwhere(lost.dark).tolist() == [[3, 3]]
    green = clipped_pixels(image, (Channel.green,))
    assert np.argwhere(green.saturated).tolist() == [[0, 0]]
    assert not green.dark.any()
    deep = clipped_pixels(image.astype(np.uint16) * 4, BOTH)
    assert not deep.saturated.any()
    assert np.argwhere(deep.dark).tolist() == [[3, 3]]
