"""Streaming dF/F against its definition, and what it does at the edges."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from brain.dff import DARK_ROI, NOT_LATER, TOO_FEW_FRAMES, WRONG_IMAGE, StreamingDff, pixel_runs
from brain.settings import DffMode, DffSettings
from core.values import WARM_UP, as_ns
from roi_manager import Circle, Polygon, Rect
from tests.brain.reference import ReferenceDff

HEIGHT, WIDTH = 12, 20
FRAME_SHAPE = (HEIGHT, WIDTH, 3)
RATE = 20.0
PERIOD = 50_000_000
SHAPES = [
    Rect(0, 0, WIDTH, HEIGHT),
    Rect(3, 2, 9, 4),
    Rect(19, 11, 1, 1),
    Circle(10, 6, 4.2),
    Polygon(((1, 1), (18.5, 2), (9, 11))),
    Polygon(((0, 0), (4, 0), (4, 8), (8, 8), (8, 0), (12, 0), (12, 12), (0, 12))),
]


def make(shapes, history=0.5, mode=DffMode.green_minus_blue, dtype="uint8", rate=RATE):
    return StreamingDff(shapes, DffSettings(history, mode), rate, FRAME_SHAPE, dtype)


def make_images(seed, count, dtype="uint8", low=40, high=200):
    return np.random.default_rng(seed).integers(low, high, (count, *FRAME_SHAPE), dtype=dtype)


@st.composite
def streams(draw):
    """Frame times: a few stretches, each with a rate of its own, jitter, dropped frames and a gap before it."""
    times, now = [], draw(st.integers(-(10**9), 10**18))
    for _ in range(draw(st.integers(1, 4))):
        period = draw(st.sampled_from([PERIOD // 3, PERIOD, PERIOD * 2]))
        now += draw(st.sampled_from([1, period, 4 * period, 10**9]))
        jitter = draw(st.sampled_from([0, period // 10]))
        for step in draw(st.lists(st.integers(1, 3) | st.just(1), max_size=40)):
            times.append(now + (jitter if len(times) % 3 else 0))
            now += step * period
    return times


@settings(deadline=None, max_examples=150)
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


@settings(deadline=None, max_examples=50)
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


def test_any_memory_layout_gives_the_same_and_nothing_of_an_image_is_kept():
    images = make_images(6, 30, "uint16")
    plain, others = make(SHAPES, dtype="uint16"), make(SHAPES, dtype="uint16")
    for number, image in enumerate(images):
        padded = np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint16)
        raw = np.zeros(image.nbytes + 1, np.uint8)
        unaligned = raw[1:].view(np.uint16).reshape(FRAME_SHAPE)
        fixed = image.copy()
        layouts = [image.copy(), np.asfortranarray(image), padded[::2, ::2], unaligned, fixed]
        layout = layouts[number % len(layouts)]
        layout[...] = image
        fixed.flags.writeable = False
        expected = plain.update(image, number * PERIOD)
        assert repr(others.update(layout, number * PERIOD)) == repr(expected)
        if layout.flags.writeable:
            layout[...] = 65535


@pytest.mark.parametrize("view", ["unaligned", "strided", "fortran", "subclass"])
def test_the_kernel_is_given_plain_aligned_memory(view):
    """Compiled code may crash on, or misread, what x86 forgives."""
    image = make_images(6, 1, "uint16")[0]
    raw = np.zeros(image.nbytes + 1, np.uint8)
    images = {
        "unaligned": raw[1:].view(np.uint16).reshape(FRAME_SHAPE),
        "strided": np.zeros((HEIGHT, 2 * WIDTH, 3), np.uint16)[:, ::2],
        "fortran": np.asfortranarray(image),
        "subclass": image.view(np.recarray),
    }
    images[view][...] = image
    dff = make(SHAPES, dtype="uint16")
    given_to, run = [], dff._step

    def spy(pixels, *rest):
        given_to.append(pixels)
        return run(pixels, *rest)

    dff._step = spy
    dff.update(images[view], 0)
    dff.update(image, PERIOD)
    copied, passed_on = given_to
    assert type(copied) is np.ndarray
    assert copied.flags.aligned
    assert copied.flags.c_contiguous
    assert (copied == image).all()
    assert passed_on is image


def test_more_frames_than_foreseen():
    dff = make(SHAPES[3:4], rate=2.0)
    reference = ReferenceDff(SHAPES[3], DffSettings(0.5), 2.0)
    for number, image in enumerate(make_images(8, 400)):
        time_ns = number * 3_000_000
        expected = reference.update(image, time_ns)[0]
        assert dff.update(image, time_ns).values[0] == pytest.approx(expected, abs=1e-12, nan_ok=True)


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


def test_runs_cover_the_masks_in_order():
    runs, starts = pixel_runs(SHAPES)
    first = 0
    pixels = [(row, column + k) for row, column, length in runs.tolist() for k in range(length)]
    for shape, start, end in zip(SHAPES, starts, starts[1:], strict=False):
        assert start == first
        x0, y0, _, _ = shape.bounds()
        wanted = [(int(row) + y0, int(column) + x0) for row, column in np.argwhere(shape.mask())]
        assert pixels[start:end] == wanted
        first = int(end)
    assert first == len(pixels)


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        ({"shapes": []}, "at least one"),
        ({"shapes": [Rect(15, 0, 6, 6)]}, "move it inside"),
        ({"shapes": [Rect(-1, 0, 6, 6)]}, "move it inside"),
        ({"dtype": "float32"}, "uint8 or uint16"),
        ({"framerate": 0.0}, "above 0"),
        ({"framerate": math.nan}, "above 0"),
        ({"framerate": 1.0}, "make it longer"),
        ({"frame_shape": (12, 20, 1)}, "is needed"),
        ({"frame_shape": (12, 20)}, "is needed"),
    ],
)
def test_what_cannot_be_is_said_before_the_session(change, cure):
    arguments = {
        "shapes": SHAPES,
        "settings": DffSettings(0.5),
        "framerate": RATE,
        "frame_shape": FRAME_SHAPE,
        "dtype": "uint8",
    }
    with pytest.raises(ValueError, match=cure):
        StreamingDff(**arguments | change)


def test_nothing_is_compiled_in_the_loop():
    from brain.kernel import load_step

    make(SHAPES)
    step = load_step("uint8")
    assert len(step.signatures) == 1
    with pytest.raises(TypeError):
        step(1, 2)
    assert len(step.signatures) == 1


@pytest.mark.parametrize(
    "error", [RuntimeError("no locator available"), OSError(28, "disk full"), EOFError(), ValueError()]
)
def test_without_a_cache_it_compiles_anyway(monkeypatch, error):
    import numba

    from brain import kernel

    compile_ = numba.njit

    def refuse(*args, **options):
        if options.pop("cache", False):
            raise error
        return compile_(*args, **options)

    monkeypatch.setattr(numba, "njit", refuse)
    assert len(kernel.load_step.__wrapped__("uint8").signatures) == 1


def test_importing_is_quick():
    code = "import sys, brain.dff, brain.pipeline; print([m for m in ('numba', 'cv2', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
