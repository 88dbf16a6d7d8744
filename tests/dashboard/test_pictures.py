"""Pictures of a session: as large and as bright as they may be, and dF/F from which the colours of any range follow."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dashboard.pictures import DFF_END, WIDEST_PX, Pictures, dff_code

S = 10**9


def pictures(shape=(32, 32, 3), kind="clnf", mode="green_minus_blue"):
    return Pictures({"shape": shape, "kind": kind, "settings": {"dff_history": 6, "dff_mode": mode}})


def decoded(data):
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def dff_of(code):
    """What the browser makes of a grey value (dff.js)."""
    root = (np.asarray(code, float) - 128) / 127
    return np.sign(root) * root**2 * DFF_END


def lit(green, blue=100.0, shape=(32, 32)):
    image = np.zeros((*shape, 3), np.uint8)
    image[..., 0], image[..., 1] = blue, green
    return image


@given(hnp.arrays(np.float32, 20, elements=st.floats(-DFF_END, DFF_END, width=32)))
def test_the_code_of_dff_is_true_to_half_a_step_and_grows_with_it(ratio):
    back = dff_of(dff_code(ratio))
    step = 2 * np.sqrt(np.abs(ratio) * DFF_END) / 127 + DFF_END / 127**2
    assert (np.abs(back - ratio) <= 0.5 * step + 1e-7).all()
    order = np.argsort(ratio)
    assert (np.diff(dff_code(ratio)[order].astype(int)) >= 0).all()


@given(hnp.arrays(np.float32, 5, elements=st.floats(-1e6, 1e6, width=32)))
def test_dff_beyond_the_end_stays_at_the_end(ratio):
    code = dff_code(ratio)
    assert ((code >= 1) & (code <= 255)).all()
    assert (code[ratio > DFF_END] == 255).all()
    assert (code[ratio < -DFF_END] == 1).all()
    assert (dff_code(-ratio) == 256 - code.astype(int)).all()


def test_the_codes_of_none_and_of_the_ends():
    assert dff_code(np.array([0, DFF_END, -DFF_END], np.float32)).tolist() == [128, 255, 1]


def test_the_map_is_green_less_blue_against_the_frames_before():
    shown = pictures()
    assert (np.abs(decoded(shown.dff(lit(100), 1 * S)).astype(int) - 128) <= 1).all()
    change = decoded(shown.dff(lit(110, blue=105), 2 * S))
    assert change.ndim == 2
    assert dff_of(change.mean()) == pytest.approx(0.05, abs=0.003)


def test_a_pixel_without_a_baseline_is_in_the_middle():
    shown = pictures()
    for time in (1, 2):
        assert (decoded(shown.dff(lit(0, blue=0), time * S)) == 128).all()


def test_a_movement_session_has_no_map():
    assert pictures(kind="clmf").dff(lit(100), S) is None


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((100, 200), (100, 200)),
        ((480, 640), (480, 640)),
        ((960, 1280), (480, 640)),
        ((1, 2000), (1, WIDEST_PX)),
        ((3, 641), (3, WIDEST_PX)),
    ],
)
def test_a_wide_image_is_made_smaller_and_keeps_its_shape(shape, size):
    shown = pictures((*shape, 3))
    assert decoded(shown.camera(lit(100, shape=shape))).shape == (*size, 3)
    assert decoded(shown.dff(lit(100, shape=shape), S)).shape == size


@pytest.mark.parametrize(("brightest", "white"), [(65535, 255), (1023, 255), (100, 100), (0, 0)])
def test_16_bits_are_stretched_to_their_range_unless_they_are_dark(brightest, white):
    image = np.full((16, 16, 3), brightest, np.uint16)
    assert decoded(pictures().camera(image)).max() == pytest.approx(white, abs=1)


def test_colours_stay_those_of_the_camera():
    picture = decoded(pictures().camera(lit(180, blue=60)))
    assert picture.reshape(-1, 3).mean(axis=0) == pytest.approx([60, 180, 0], abs=3)


def test_the_map_of_a_large_image_costs_what_it_shows():
    large = pictures((1024, 1280, 3))
    assert large._map._baseline.shape[1:] == (512, 640)
    assert decoded(large.dff(np.full((1024, 1280, 3), 9, np.uint8), 0)).shape[:2] == (512, 640)
