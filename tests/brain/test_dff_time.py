"""The history of dF/F is a span of time: gaps, drops, changes of the frame rate, frames that are not used."""

import math

import numpy as np
import pytest

from brain.dff import NOT_LATER, TOO_FEW_FRAMES, WRONG_IMAGE
from brain.settings import DffMode, DffSettings
from core.values import WARM_UP, as_ns
from tests.brain.reference import ReferenceDff
from tests.brain.streams import FRAME_SHAPE, PERIOD, SHAPES, make, make_images


def test_a_history_is_a_span_of_time():
    dff = make(SHAPES[2:3], history=0.5, mode=DffMode.green)
    times = [0, 100, 200, 300, 400, 450, 500, 550, 900]
    image = np.zeros(FRAME_SHAPE, np.uint8)
    for number, milliseconds in enumerate(times):
        image[...] = 10 * (number + 1)
        step = dff.update(image, milliseconds * 1_000_000)
    # At 900 ms the frames from 400 ms on count, the one at 400 ms included: 50, 60, 70 and 80, mean 65.
    assert step.values[0] == pytest.approx((90 - 65) / 65, abs=1e-15)


def test_a_gap_is_invalid_until_half_of_the_frames_are_back():
    dff = make(SHAPES[:1], history=1.0)
    image = make_images(1, 1)[0]
    for number in range(30):
        assert dff.update(image, number * PERIOD).reason == (WARM_UP if number < 20 else "")
    later = 29 * PERIOD + as_ns(5)
    reasons = [dff.update(image, later + number * PERIOD).reason for number in range(20)]
    assert reasons == [TOO_FEW_FRAMES] * 10 + [""] * 10


def test_scattered_drops_and_a_new_frame_rate_are_no_gap():
    dff = make(SHAPES[:1], history=1.0)
    image = make_images(1, 1)[0]
    now, reasons = 0, []
    for number in range(400):
        now += PERIOD * (1 if number < 200 else 2) * (2 if number % 4 == 0 else 1)
        reasons.append(dff.update(image, now).reason)
    assert set(reasons) == {WARM_UP, ""}
    assert reasons.index("") < 20
    assert WARM_UP not in reasons[20:]


def test_odd_frames_are_not_used():
    images = make_images(5, 40)
    plain, pestered = make(SHAPES), make(SHAPES)
    odd = [
        (images[0], -1, NOT_LATER),
        (images[0][:, :-1], 0, WRONG_IMAGE),
        (images[0][..., 0], 0, WRONG_IMAGE),
        (images[0].astype(np.uint16), 0, WRONG_IMAGE),
        (images[0].astype(np.float64), 0, WRONG_IMAGE),
        (None, 0, WRONG_IMAGE),
        ([[1, 2], [3]], 0, WRONG_IMAGE),
    ]
    for number, image in enumerate(images):
        time_ns = number * PERIOD
        assert repr(plain.update(image, time_ns)) == repr(pestered.update(image, time_ns))
        assert pestered.update(image, time_ns).reason == NOT_LATER
        for bad, offset, reason in odd:
            step = pestered.update(bad, time_ns + (offset or 1))
            assert step.reason == reason
            assert all(math.isnan(value) for value in step.values)


def test_more_frames_than_foreseen():
    dff = make(SHAPES[3:4], rate=2.0)
    reference = ReferenceDff(SHAPES[3], DffSettings(0.5), 2.0)
    for number, image in enumerate(make_images(8, 400)):
        time_ns = number * 3_000_000
        expected = reference.update(image, time_ns)[0]
        assert dff.update(image, time_ns).values[0] == pytest.approx(expected, abs=1e-12, nan_ok=True)
