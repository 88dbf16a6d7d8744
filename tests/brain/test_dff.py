"""Streaming dF/F against its definition: any stream, and runs so long that sums could drift."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from brain.dff import DARK_ROI, StreamingDff
from brain.settings import DffMode, DffSettings
from core.values import WARM_UP
from roi_manager import Circle, Rect
from tests.brain.reference import ReferenceDff
from tests.brain.streams import FRAME_SHAPE, PERIOD, RATE, SHAPES, make, make_images, streams


@settings(max_examples=150)
@given(
    streams(),
    st.sampled_from(list(DffMode)),
    st.sampled_from(["uint8", "uint16"]),
    st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    st.sampled_from([0.1, 0.5, 1.3]),
    st.integers(0, 2**32),
)
def test_equals_the_definition(times, mode, dtype, shapes, history, seed):
    ours = make(shapes, history, mode, dtype)
    references = [ReferenceDff(shape, DffSettings(history, mode), RATE) for shape in shapes]
    for image, time_ns in zip(make_images(seed, len(times), dtype), times, strict=True):
        step = ours.update(image, time_ns)
        expected = [reference.update(image, time_ns) for reference in references]
        assert step.reason == expected[0][1]
        for value, (wanted, _), reference in zip(step.values, expected, references, strict=True):
            assert value == pytest.approx(wanted, rel=1e-12, abs=reference.error, nan_ok=True)


@settings(max_examples=50)
@given(st.sampled_from(list(DffMode)), st.integers(0, 2**32), st.integers(0, 3))
@example(DffMode.blue_regressed, 355649492, 1)
def test_dark_pixels_are_left_out_of_the_mean(mode, seed, brightest):
    ours = make([SHAPES[1]], mode=mode)
    reference = ReferenceDff(SHAPES[1], DffSettings(0.5, mode), RATE)
    images = make_images(seed, 40, low=0, high=brightest + 1) * (make_images(seed + 1, 1, low=0, high=2))
    for number, image in enumerate(images):
        step = ours.update(image, number * PERIOD)
        value, reason = reference.update(image, number * PERIOD)
        assert step.reason == reason
        assert step.values[0] == pytest.approx(value, rel=1e-12, abs=reference.error, nan_ok=True)


def test_clopy_fault_09_warm_up_is_marked_for_the_whole_history_and_its_baseline_holds_no_zeros():
    dff = make(SHAPES[:1], history=1.0)
    constant = np.full(FRAME_SHAPE, 100, np.uint8)
    steps = [dff.update(constant, 7 + number * PERIOD) for number in range(30)]
    assert [step.reason for step in steps] == [WARM_UP] * 20 + [""] * 10
    # Before there is any history there is no value; then the value is that of the frames there are.
    assert math.isnan(steps[0].values[0])
    assert all(step.values == (0.0,) for step in steps[1:])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("frame_shape", [(12, 20, 3), (20, 12, 3), (12, 300, 3)])
def test_clopy_fault_07_rois_and_frames_need_not_be_square(shape, frame_shape):
    if not shape.fits(frame_shape[1], frame_shape[0]):
        shape = Rect(0, 3, frame_shape[1], 5)
    dff = StreamingDff([shape], DffSettings(0.5), RATE, frame_shape, "uint8")
    reference = ReferenceDff(shape, DffSettings(0.5), RATE)
    rng = np.random.default_rng(3)
    for number in range(15):
        image = rng.integers(40, 200, frame_shape, dtype=np.uint8)
        expected, _ = reference.update(image, number * PERIOD)
        assert dff.update(image, number * PERIOD).values[0] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_clopy_fault_07_a_dark_roi_is_invalid_and_does_not_crash():
    dff = make([SHAPES[1], SHAPES[2]])
    images = make_images(1, 30)
    images[:, 11, 19, 0] = 0
    steps = [dff.update(image, number * PERIOD) for number, image in enumerate(images)]
    assert {(step.reason, step.roi) for step in steps[10:]} == {(DARK_ROI, 1)}
    assert all(math.isnan(step.values[1]) and not math.isnan(step.values[0]) for step in steps[1:])


def test_green_does_not_look_at_blue():
    dff = make(SHAPES[:1], mode=DffMode.green)
    images = make_images(1, 30)
    images[..., 0] = 0
    assert [dff.update(image, number * PERIOD).reason for number, image in enumerate(images)][10:] == [""] * 20


@pytest.mark.parametrize("mode", list(DffMode))
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_sums_stay_exact_over_a_long_run(mode, dtype):
    """After 20 000 frames the bits are those of a run that has seen the last ones only: nothing has drifted."""
    long = make(SHAPES[3:5], mode=mode, dtype=dtype)
    short = make(SHAPES[3:5], mode=mode, dtype=dtype)
    images = make_images(9, 97, dtype)
    count = 20_000
    for number in range(count):
        time_ns = number * PERIOD + (number * 7_919) % 1_000_000
        step = long.update(images[number % 97], time_ns)
        # The slope's pairs were computed against baselines of their own: two histories, and some more.
        if number >= count - 40:
            recent = short.update(images[number % 97], time_ns)
    assert step.reason == recent.reason == ""
    assert step.values == recent.values


def _in_the_order_of_the_kernel(values):
    lanes = [0.0] * 8
    whole = len(values) // 8 * 8
    for i, value in enumerate(values):
        lanes[i % 8 if i < whole else 0] += value
    a, b, c, d, e, f, g, h = lanes
    return ((a + e) + (c + g)) + ((b + f) + (d + h))


@pytest.mark.parametrize("shape", [Rect(0, 0, 60, 40), Rect(1, 1, 3, 5), Circle(30, 20, 15)])
def test_the_bits_are_those_of_plain_python(shape):
    """IEEE arithmetic in an order of our own: a session replayed on another computer makes the same decisions."""
    frame_shape = (40, 60, 3)
    dff = StreamingDff([shape], DffSettings(0.5), RATE, frame_shape, "uint8")
    images = np.random.default_rng(4).integers(0, 256, (8, *frame_shape), dtype=np.uint8)
    for number, image in enumerate(images):
        step = dff.update(image, number * PERIOD)
    x0, y0, x1, y1 = shape.bounds()
    past = images[:-1, y0:y1, x0:x1][:, shape.mask()].astype(int)
    now = images[-1, y0:y1, x0:x1][shape.mask()].astype(int)
    sums = past.sum(axis=0)
    means = []
    for channel in (1, 0):
        ratios = [(int(f) * 7 - int(s)) / int(s) for f, s in zip(now[:, channel], sums[:, channel], strict=True)]
        blocks = [_in_the_order_of_the_kernel(ratios[k : k + 1024]) for k in range(0, len(ratios), 1024)]
        means.append(sum(blocks))
    assert step.values[0] == (means[0] - means[1]) / len(now)


BITS = ["-0x1.0839d952910dap-6", "0x1.b4b24238463c7p-8", "-0x1.00685333bb3bbp-6"]


def test_bits_of_one_stream():
    """Written down on x86-64; every other machine has to find the same."""
    row, column, channel = np.indices(FRAME_SHAPE)
    dff = [make([SHAPES[3]], mode=mode) for mode in DffMode]
    for number in range(31):
        image = (60 + (row * 7 + column * 13 + channel * 5 + number * number * 3) % 101).astype(np.uint8)
        values = [d.update(image, number * PERIOD).values[0] for d in dff]
    assert [value.hex() for value in values] == BITS
