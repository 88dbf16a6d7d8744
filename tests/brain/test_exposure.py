"""Exposure of an image: what is saturated, what is dark, in which channel, and what is said of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.exposure import (
    DARK_COUNTS,
    MAX_SATURATED,
    Verdict,
    exposure_facts,
    exposure_problems,
    judge_exposure,
    saturation_counts,
    used_channels,
)
from brain.settings import DffMode
from roi_manager import Circle, Rect
from tests.brain.streams import FRAME_SHAPE, SHAPES

ROI = {"M1_L": Rect(2, 2, 8, 8)}
GOOD, SATURATED, DARK = Verdict.good, Verdict.saturated, Verdict.dark


def flat(green, blue, dtype="uint8", red=10):
    image = np.empty(FRAME_SHAPE, dtype)
    image[:] = (blue, green, red)
    return image


def verdicts(image, mode=DffMode.green_minus_blue, rois=ROI):
    return [found.verdict for found in judge_exposure(image, rois, mode)]


@pytest.mark.parametrize(
    ("green", "blue", "dtype", "expected"),
    [
        (120, 100, "uint8", [GOOD, GOOD]),
        (254, 100, "uint8", [SATURATED, GOOD]),
        (253, 255, "uint8", [GOOD, SATURATED]),
        (8, 7, "uint8", [GOOD, DARK]),
        (0, 0, "uint8", [DARK, DARK]),
        (500, 400, "uint16", [GOOD, GOOD]),
        (1023, 400, "uint16", [SATURATED, GOOD]),
        (1022, 400, "uint16", [GOOD, GOOD]),
        (1023, 4095, "uint16", [GOOD, SATURATED]),
        (16383, 4095, "uint16", [SATURATED, GOOD]),
        (65535, 16383, "uint16", [SATURATED, GOOD]),
        (1023 * 64, 4095 * 16, "uint16", [SATURATED, SATURATED]),
        (1022 * 64, 30_000, "uint16", [GOOD, GOOD]),
        (32, 31, "uint16", [GOOD, DARK]),
    ],
)
def test_verdicts(green, blue, dtype, expected):
    assert verdicts(flat(green, blue, dtype)) == expected


def test_the_depth_of_uint16_is_that_of_its_brightest_channel():
    """Red at 4095 tells that 1023 in green is not the top."""
    assert verdicts(flat(1023, 400, "uint16", red=4095)) == [GOOD, GOOD]


@pytest.mark.parametrize("mode", list(DffMode))
def test_only_channels_that_the_mode_uses_are_judged(mode):
    found = judge_exposure(flat(120, 255), ROI, mode)
    assert tuple(one.channel for one in found) == used_channels(mode)
    assert [one.verdict for one in found] == ([GOOD] if mode is DffMode.green else [GOOD, SATURATED])


@pytest.mark.parametrize(("pixels", "expected"), [(0, GOOD), (1, GOOD), (2, SATURATED), (64, SATURATED)])
def test_a_hot_pixel_is_let_pass_a_saturated_part_is_not(pixels, expected):
    image = flat(120, 100)
    for pixel in range(pixels):
        image[2 + pixel // 8, 2 + pixel % 8, 1] = 255
    [green, _] = judge_exposure(image, ROI, DffMode.green_minus_blue)
    assert (green.verdict, green.saturated) == (expected, pixels / 64)


def test_what_lies_outside_an_roi_does_not_matter():
    image = flat(120, 100)
    shape = Circle(10, 6, 4)
    outside = np.ones(FRAME_SHAPE[:2], bool)
    x0, y0, x1, y1 = shape.bounds()
    outside[y0:y1, x0:x1] = ~shape.mask()
    image[outside] = 255
    [green, blue] = judge_exposure(image, {"DISC": shape}, DffMode.green_minus_blue)
    assert (green.mean, green.saturated, green.verdict) == (120, 0, GOOD)
    assert (blue.mean, blue.verdict) == (100, GOOD)


@given(
    st.integers(0, 2**32),
    st.sampled_from(["uint8", "uint16"]),
    st.sampled_from(SHAPES),
    st.integers(1, 65536),
)
def test_facts_are_those_of_the_pixels(seed, dtype, shape, high):
    image = np.random.default_rng(seed).integers(0, min(high, np.iinfo(dtype).max + 1), FRAME_SHAPE, dtype=dtype)
    before = image.copy()
    x0, y0, x1, y1 = shape.bounds()
    for found in judge_exposure(image, {"R": shape}, DffMode.green_minus_blue):
        pixels = image[y0:y1, x0:x1, found.channel.value][shape.mask()].astype(float)
        assert found.mean == pytest.approx(pixels.mean())
        assert found.saturated == pytest.approx((pixels >= saturation_counts(image)).mean())
        assert (found.verdict is SATURATED) == (found.saturated > MAX_SATURATED)
        assert (found.verdict is DARK) == (found.saturated <= MAX_SATURATED and found.mean < DARK_COUNTS[dtype])
    assert (image == before).all()


@given(st.integers(0, 65535))
def test_no_pixel_of_a_uint16_image_is_above_a_top_that_it_is_not_counted_at(brightest):
    image = flat(0, 0, "uint16", red=brightest)
    top = saturation_counts(image)
    assert top in (1023, 4095, 16383, 65472)
    assert brightest <= top or top == 65472


def test_a_problem_names_roi_channel_value_and_cure():
    image = flat(255, 3)
    found = judge_exposure(image, ROI, DffMode.green_minus_blue)
    bright, dim = exposure_problems(found, "M7")
    for words in ("ROI M1_L", "saturated in green", "100.0 %", "2 %", "lower shutter_speed, iso", "--accept-exposure",
                  "rigloop preview --mouse M7"):  # fmt: skip
        assert words in bright
    for words in ("ROI M1_L", "dark in blue", "3.0 counts", "less than 8", "raise shutter_speed, iso"):
        assert words in dim
    assert all("\n" not in line for line in (bright, dim))
    assert exposure_facts(found) == [line.partition(";")[0] for line in (bright, dim)]
    assert exposure_problems(judge_exposure(flat(120, 100), ROI, DffMode.green), "M7") == []


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), "uint8"), np.zeros((4, 4, 3), "float32"), np.zeros((4, 4, 4), "u1")]
)
def test_an_image_of_another_kind_is_no_image(image):
    with pytest.raises(ValueError, match="give BGR"):
        judge_exposure(image, ROI, DffMode.green)
