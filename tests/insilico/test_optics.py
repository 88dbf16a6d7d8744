"""What activity, blood and vessels do to the light."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.dff import StreamingDff
from brain.settings import DffSettings
from core.errors import InputError
from insilico.haemodynamics import Haemodynamics, HaemodynamicSettings
from insilico.optics import OpticsSettings, Widefield
from roi_manager import Rect
from tests.insilico.cortices import PLAIN, SILENT, dense_activity, frames, make, patch, square_mask


def activity(optics, dff):
    optics._see(dff)
    return optics._activity.astype(np.float64)


@pytest.mark.parametrize("n", [1, 7, 100, 600])
@pytest.mark.parametrize(
    ("shape", "ppmm"), [((256, 256), 25.6), ((120, 200), 12.0), ((301, 97), 25.6), ((256, 256), 60.0)]
)
def test_a_region_of_even_activity_shows_contrast_times_dff_whatever_the_number_of_its_neurons(n, shape, ppmm):
    centre = (0.45 * shape[0] + 0.3, 0.5 * shape[1] - 0.2)
    neurons = patch(centre, n, 0.4 * ppmm)
    optics = make(shape, neurons, ppmm=ppmm, contrast=0.07)
    mask = square_mask(shape, neurons, ppmm)
    assert optics.truth(np.full(n, 0.6), mask) == pytest.approx(0.07 * 0.6, rel=0.01)
    assert (optics.square(0).mask(shape) == mask).all()


def test_a_neighbour_adds_its_tail_and_a_distant_region_nothing():
    neurons = np.concatenate(
        [patch(centre, 50, 6, seed) for seed, centre in enumerate([(30, 30), (30, 48), (30, 130)])]
    )
    region = np.repeat([4, 7, 9], 50).astype(np.int32)
    optics = make((64, 160), neurons, region)
    mask = optics.square(4).mask((64, 160))
    own, near, far = (optics.truth((region == label).astype(float), mask) for label in (4, 7, 9))
    assert own == pytest.approx(0.05, rel=0.01)
    assert 1e-5 < near < 0.2 * own
    assert far == 0
    assert optics.truth(np.ones(150), mask) == pytest.approx(own + near, rel=1e-5)


@given(st.integers(0, 2**32), st.floats(-2, 3), st.floats(-2, 3))
def test_activity_adds_up(seed, a, b):
    optics = LINEAR
    first, second = np.random.default_rng(seed).normal(size=(2, 20))
    mask = np.ones((64, 80), bool)
    expected = a * optics.truth(first, mask) + b * optics.truth(second, mask)
    assert optics.truth(a * first + b * second, mask) == pytest.approx(expected, abs=1e-7)


LINEAR = make()


def test_the_image_is_that_of_a_dense_renderer():
    shape, ppmm = (90, 70), 25.6
    neurons = np.concatenate([patch((30, 25), 40, 9), patch((60, 50), 25, 9), [(-3.0, 40.0), (45.0, 72.5)]])
    region = np.repeat([0, 1, 0, 1], [40, 25, 1, 1]).astype(np.int32)
    dff = np.random.default_rng(3).gamma(2, 0.5, 67) - 0.3
    optics = make(shape, neurons, region, **SILENT)
    dense = dense_activity(optics.settings, shape, neurons, region, ppmm, dff)
    assert np.abs(activity(optics, dff) - dense).max() < 1e-3 * np.abs(dense).max()
    blood = 0.1
    blue, green, red = optics.rest.astype(np.float64)
    green = green * (1 + dense) * (1 - 0.30 * blood * optics.vascular)
    blue = blue * (1 - 0.34 * blood * optics.vascular)
    [frame] = frames(optics, 1, dff, blood)
    assert np.abs(frame - np.stack([blue, green, red], axis=2)).max() < 0.52


@pytest.mark.parametrize(("scatter", "arbor"), [(200.0, 0.0), (200.0, 250.0), (400.0, 300.0)])
def test_one_neuron_is_as_wide_as_the_settings_say(scatter, arbor):
    optics = make((161, 161), np.array([[80.0, 80.0]]), ppmm=50.0, scatter_um=scatter, arbor_um=arbor)
    seen = activity(optics, np.ones(1))
    for profile in (seen[80], seen[:, 80]):
        half = profile[80] / 2
        beyond = 80 + int(np.argmax(profile[80:] < half))
        cross = beyond - (half - profile[beyond]) / (profile[beyond - 1] - profile[beyond])
        assert 2 * (cross - 80) / 50.0 * 1000 == pytest.approx(np.hypot(scatter, arbor), rel=0.01)


@pytest.mark.parametrize(
    "neurons",
    [
        np.zeros((0, 2)),
        np.array([[-500.0, -500.0], [-501.0, -500.0]]),
        np.array([[1e12, -1e12]]),
        np.array([[-2.0, 30.0], [-3.0, 31.0]]),
        np.array([[63.9, 79.9], [64.5, 80.2]]),
    ],
    ids=["none", "outside", "far", "above", "corner"],
)
@pytest.mark.parametrize("shape", [(64, 80), (1, 1), (3, 200)])
def test_neurons_may_lie_anywhere(neurons, shape):
    optics = make(shape, neurons, **SILENT)
    dff = np.ones(len(neurons))
    [frame] = frames(optics, 1, dff)
    row, col = np.mgrid[: shape[0], : shape[1]]
    near = any(np.hypot(row - r, col - c).min() < 9 for r, c in neurons)
    assert (activity(optics, dff).max() > 0) == near
    assert frame.max() < 180


def test_blood_takes_the_stated_part_of_green_and_blue_and_more_over_vessels():
    optics = make((128, 128), green_counts=200.0, blue_counts=250.0, texture=0.0, vignette=0.0, **SILENT)
    [rest] = frames(optics, 1).astype(float)
    [less, more] = [frames(optics, 1, blood=blood)[0].astype(float) for blood in (-0.05, 0.3)]
    tissue = optics.vascular == 1
    assert 0.2 < tissue.mean() < 0.95
    for channel, absorption in ((0, 0.34), (1, 0.30)):
        lost = 1 - more[..., channel] / rest[..., channel]
        assert lost[tissue].mean() == pytest.approx(0.3 * absorption, rel=0.02)
        assert lost[~tissue].mean() == pytest.approx(0.3 * absorption * optics.vascular[~tissue].mean(), rel=0.05)
        assert lost[optics.vascular > 2].mean() > 2 * lost[tissue].mean()
        assert (less[..., channel] / rest[..., channel])[tissue].mean() == pytest.approx(
            1 + 0.05 * absorption, abs=0.003
        )
    assert (more[..., 2] == rest[..., 2]).all()


def test_nothing_wraps_around():
    optics = make(green_counts=250.0, **PLAIN)
    for dff, blood, expected in [(1e9, 0, 255), (-1e9, 0, 0), (0, 1e9, 0), (0, -1e9, 255), (np.nan, 0, 0)]:
        [frame] = frames(optics, 1, np.full(20, dff, float), blood)
        assert frame[32, 40, 1] == expected
    assert frame[32, 40, 0] > 80
    bright = frames(make(green_counts=254.0, blue_counts=1.0, electrons_per_count=1.0, **PLAIN), 3)
    assert bright[..., 1].max() == 255
    assert bright[..., 1].min() > 180
    assert bright[..., 0].min() == 0
    assert bright[..., 0].max() < 30


def test_vessels_are_darker_and_the_sinus_runs_along_the_midline():
    optics = make((256, 256), vignette=0.0, texture=0.0)
    blue = optics.rest[0]
    vessel = optics.vascular > 1.3
    assert 0.05 < vessel.mean() < 0.4
    assert blue[vessel].max() < blue[optics.vascular == 1].min()
    assert abs(int(blue.mean(axis=0).argmin()) - 127) <= 4
    aside = make((256, 256), vignette=0.0, texture=0.0, midline=0.25)
    assert abs(int(aside.rest[0].mean(axis=0).argmin()) - 64) <= 4
    assert (make((256, 256), vignette=0.0, vessel_darkness=0.0, texture=0.0).rest[0] == 100).all()


def test_texture_has_the_stated_spread_and_is_in_green_only():
    flat = {**PLAIN, "texture": 0.1}
    spreads = [make((256, 256), seed=seed, **flat).rest[1].std() / 120 for seed in range(8)]
    assert np.mean(spreads) == pytest.approx(0.1, rel=0.2)
    assert (make(**flat).rest[0] == 100).all()


def test_a_session_reads_the_truth_out_of_the_frames():
    """Blood that moves 1 % leaves an eighth of 0.3 % behind; noise of the mean of 8 x 8 px and 10 frames is 0.1 %."""
    optics = make((64, 80), contrast=0.05)
    roi = optics.square(0)
    shape = Rect(roi.col, roi.row, roi.size, roi.size)
    dff = StreamingDff([shape], DffSettings(dff_history=2.0), 15.0, (64, 80, 3), "uint8")
    blood = Haemodynamics(HaemodynamicSettings(), np.random.default_rng(1))
    image, values = np.empty((64, 80, 3), np.uint8), []
    for number in range(45):
        active = np.full(20, 1.2 if number >= 35 else 0.0)
        optics.render(active, blood.step(1 / 15, 0.0), image)
        values.append(dff.update(image, round(number * 1e9 / 15)).values[0])
    truth = optics.truth(active, roi.mask((64, 80)))
    assert truth == pytest.approx(0.06, rel=0.01)
    # The baseline takes the first active frames in: on average 4.5 of 30.
    assert np.mean(values[35:]) == pytest.approx(truth * (1 - 4.5 / 30), abs=0.006)
    assert np.mean(values[20:35]) == pytest.approx(0, abs=0.004)


def test_a_frame_allocates_no_array():
    optics = make((128, 128))
    dff, out = np.zeros(20), np.empty((128, 128, 3), np.uint8)
    optics.render(dff, 0.0, out)
    tracemalloc.start()
    try:
        for _ in range(5):
            optics.render(dff, 0.01, out)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8192


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dff_of_both_precisions_is_taken(dtype):
    assert activity(make(), np.full(20, 0.5, dtype))[32, 40] == activity(make(), np.full(20, 0.5))[32, 40]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scatter_um", 0.0),
        ("arbor_um", -1.0),
        ("contrast", 0.0),
        ("contrast", float("nan")),
        ("roi_mm", -0.3),
        ("green_counts", 256.0),
        ("blue_counts", -1.0),
        ("red_counts", float("nan")),
        ("vignette", 1.0),
        ("texture", 0.5),
        ("vessel_darkness", 1.0),
        ("vessel_blood", float("inf")),
        ("midline", 1.1),
        ("blue_absorption", -0.1),
        ("green_absorption", float("inf")),
        ("electrons_per_count", 0.0),
        ("read_noise_e", -5.0),
    ],
)
def test_settings_refuse_nonsense_in_one_line(name, value):
    with pytest.raises(InputError, match=f"^optics: {name} is {value}; give [^\n]*$"):
        OpticsSettings(**{name: value})


def test_all_problems_of_settings_are_named_at_once():
    with pytest.raises(InputError, match=r"scatter_um is 0; .*midline is 2; "):
        OpticsSettings(scatter_um=0, midline=2)


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({"shape": (0, 5)}, "each 1 or more"),
        ({"neurons_px": np.zeros((3, 3))}, "give row and column"),
        ({"neurons_px": np.array([[0.0, np.nan]] * 2)}, "give row and column"),
        ({"region": np.zeros(3, np.int32)}, "for each of the 2 neurons"),
        ({"region": np.zeros(2)}, "give a whole number"),
        ({"ppmm": 0.0}, "above 0"),
        ({"neurons_px": np.array([[10.0, 10.0], [10.0, 60.0]])}, "give each cluster a region of its own"),
    ],
)
def test_cortices_that_cannot_be_are_refused_in_one_line(changes, cure):
    given = {
        "settings": OpticsSettings(),
        "shape": (64, 80),
        "neurons_px": np.array([[10.0, 10.0], [12.0, 12.0]]),
        "region": np.zeros(2, np.int32),
        "ppmm": 25.6,
        "rng": np.random.default_rng(1),
    }
    Widefield(**given)
    with pytest.raises(InputError, match=f"^[^\n]*{cure}[^\n]*$"):
        Widefield(**(given | changes))


def test_wrong_arrays_are_refused_before_compiled_code_sees_them():
    optics = make()
    good = np.empty((64, 80, 3), np.uint8)
    for dff in (np.zeros(19), np.zeros((20, 1))):
        with pytest.raises(ValueError, match="does not fit 20 neurons"):
            optics.render(dff, 0.0, good)
    for out in (good[:-1], good.astype(np.uint16), np.empty((64, 160, 3), np.uint8)[:, ::2], good.transpose(1, 0, 2)):
        with pytest.raises(ValueError, match="cannot be written"):
            optics.render(np.zeros(20), 0.0, out)
    for mask in (np.ones((64, 79), bool), np.zeros((64, 80), bool)):
        with pytest.raises(ValueError, match="ROI mask"):
            optics.truth(np.zeros(20), mask)
    with pytest.raises(KeyError):
        optics.square(1)
