"""Frame -> Signal."""

import math

import numpy as np
import pytest

from brain.dff import NOT_LATER, WRONG_IMAGE
from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from brain.settings import DffMode, DffSettings
from core.values import WARM_UP, Frame, Signal
from roi_manager import Circle, Rect

FRAME_SHAPE = (30, 40, 3)
PERIOD = 100_000_000
ROIS = {"BC_L": Rect(2, 3, 8, 6), "bc_r": Rect(20, 3, 8, 6), "M2_L": Circle(15, 20, 4), "M2_R": Rect(30, 20, 3, 7)}


def make(rule, mode=DffMode.green, rois=ROIS):
    return BrainPipeline(parse_rule(rule), rois, DffSettings(0.5, mode), 10.0, FRAME_SHAPE, "uint8")


def run(pipeline, levels):
    """Feed uniform frames; ``levels`` maps a frame's number to {ROI: brightness}, 100 where nothing is said."""
    signals = []
    for number, level in enumerate(levels, 1):
        image = np.full(FRAME_SHAPE, 100, np.uint8)
        for name, value in level.items():
            x0, y0, x1, y1 = ROIS[name].bounds()
            image[y0:y1, x0:x1] = value
        signals.append(pipeline.update(Frame(image, number, number * PERIOD)))
    return signals


def test_the_rule_of_the_rois():
    pipeline = make("BC_L-BC_R")
    signals = run(pipeline, [{}] * 8 + [{"BC_L": 130, "bc_r": 110}])
    assert pipeline.names == ("BC_L", "BC_R")
    assert [s.reason for s in signals] == [WARM_UP] * 5 + [""] * 4
    assert [s.valid for s in signals] == [False] * 5 + [True] * 4
    assert signals[-1].parts == pytest.approx((0.3, 0.1), abs=1e-12)
    assert signals[-1].value == pytest.approx(0.2, abs=1e-12)


def test_clopy_fault_07_any_number_of_rois_with_times_and_divide():
    pipeline = make("(BC_L*2-BC_R)/(M2_L+M2_R)")
    signal = run(pipeline, [{}] * 8 + [{"BC_L": 130, "bc_r": 110, "M2_L": 120, "M2_R": 150}])[-1]
    assert pipeline.names == ("BC_L", "BC_R", "M2_L", "M2_R")
    assert signal.valid
    assert signal.value == pytest.approx((0.6 - 0.1) / (0.2 + 0.5), abs=1e-12)


def test_clopy_fault_07_a_rule_without_a_value_is_invalid_not_a_crash():
    signal = run(make("BC_L/BC_R"), [{}] * 8)[-1]
    assert math.isnan(signal.value)
    assert signal == Signal(signal.value, False, "BC_L/BC_R is not finite", (0.0, 0.0))


def test_clopy_fault_07_a_dark_roi_is_named():
    signals = run(make("BC_L-M2_R"), [{"M2_R": 0}] * 9)
    assert {s.reason for s in signals[5:]} == {"M2_R: dark ROI"}
    assert all(math.isnan(s.value) and not s.valid for s in signals)


def test_clopy_fault_09_a_warm_up_never_counts():
    signals = run(make("BC_L"), [{}] * 4 + [{"BC_L": 255}])
    assert signals[-1].value > 1
    assert not any(s.valid for s in signals)


def test_odd_frames_give_invalid_signals():
    pipeline = make("BC_L-BC_R")
    run(pipeline, [{}] * 8)
    assert pipeline.update(Frame(np.zeros((3, 3), np.uint8), 9, 9 * PERIOD)).reason == WRONG_IMAGE
    again = pipeline.update(Frame(np.zeros(FRAME_SHAPE, np.uint8), 9, 8 * PERIOD))
    assert (again.valid, again.reason, len(again.parts)) == (False, NOT_LATER, 2)
    assert pipeline.update(Frame(np.full(FRAME_SHAPE, 100, np.uint8), 10, 9 * PERIOD)).valid


def test_reflectance_is_taken_out():
    image = np.full(FRAME_SHAPE, 100, np.uint8)
    pipeline = make("BC_L", DffMode.green_minus_blue)
    run(pipeline, [{}] * 8)
    image[..., 0], image[..., 1] = 110, 115
    assert pipeline.update(Frame(image, 9, 9 * PERIOD)).value == pytest.approx(0.05, abs=1e-12)


def test_blue_regressed_removes_what_follows_blue():
    pipeline = make("BC_L", DffMode.blue_regressed)
    rng = np.random.default_rng(0)
    for number in range(1, 30):
        blue = int(rng.integers(-10, 11))
        image = np.full(FRAME_SHAPE, 100, np.uint8)
        image[..., 0] = 100 + blue
        image[..., 1] = 200 + 4 * blue
        signal = pipeline.update(Frame(image, number, number * PERIOD))
    assert signal.valid
    assert signal.value == pytest.approx(0.0, abs=0.01)


def test_a_rule_needs_its_rois():
    with pytest.raises(ValueError, match=r"names A1, which no ROI is called; known are BC_L, BC_R, M2_L, M2_R"):
        make("BC_L-A1")
