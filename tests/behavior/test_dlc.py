"""Cropping, dynamic cropping and resizing of what a DeepLabCut model sees, with a stand-in for the model."""

from pathlib import Path

import numpy as np
import pytest

from behavior.dlc import DlcModel, DlcOptions
from behavior.pose_text import Window
from core.values import black

HEIGHT, WIDTH = 240, 320
SHAPE = (HEIGHT, WIDTH, 3)


class BlueSpot:
    """Stands in for DLCLive: finds the centre of what is blue, and remembers the size of what it saw.

    As a network's heat map does, it takes the top left corner of its image for 0, 0.
    """

    def __init__(self):
        self.sizes = []

    def get_pose(self, frame):
        self.sizes.append(frame.shape[:2])
        weights = frame[:, :, 0].astype(float)
        if weights.sum() == 0:
            return np.zeros((1, 3), np.float32)
        rows, columns = np.indices(weights.shape)
        total = weights.sum()
        place = [(weights * (each + 0.5)).sum() / total for each in (columns, rows)]
        return np.array([[*place, 0.9]], np.float32)


def spot(column, row, half=5):
    """A frame with a blue square of 2 * ``half`` px round a corner of pixels."""
    image = black(HEIGHT, WIDTH)
    image[max(0, row - half) : row + half, max(0, column - half) : column + half, 0] = 200
    return image


def model(**options):
    live = BlueSpot()
    return live, DlcModel(live, ("spot",), {}, DlcOptions(Path("model.pt"), **options), SHAPE)


WAY = [(60 + 6 * k, 70 + 3 * k) for k in range(25)]
CROP = Window(33, 301, 17, 219)
CASES = {
    "plain": {},
    "resized": {"resize": 0.5},
    "resized by an odd factor": {"resize": 0.37},
    "enlarged": {"resize": 1.7},
    "cropped": {"cropping": CROP},
    "cropped and resized": {"cropping": CROP, "resize": 0.37},
    "dynamic": {"dynamic": True},
    "dynamic and resized": {"dynamic": True, "resize": 0.37},
    "dynamic and cropped": {"dynamic": True, "cropping": CROP},
    "all": {"dynamic": True, "cropping": CROP, "resize": 0.37},
}


@pytest.mark.parametrize("options", CASES.values(), ids=CASES.keys())
def test_whatever_is_seen_points_are_those_of_the_whole_frame(options):
    live, made = model(**options)
    for column, row in WAY:
        ((x, y, likelihood),) = made.estimate(spot(column, row))
        assert (x, y) == (pytest.approx(column, abs=0.5), pytest.approx(row, abs=0.5))
        assert likelihood == pytest.approx(0.9)
    if options.get("dynamic"):
        assert max(live.sizes[1:]) < live.sizes[0]


def test_a_spot_that_left_its_window_is_looked_for_in_the_whole_frame():
    live, made = model(dynamic=True, dynamic_margin=10)
    whole = SHAPE[:2]
    assert made.estimate(spot(60, 60))[0, 2] > 0
    lost = made.estimate(spot(250, 200))
    assert np.isnan(lost[0, :2]).all()
    assert lost[0, 2] == 0
    assert made.estimate(spot(250, 200))[0, 0] == pytest.approx(250)
    sizes = [size == whole for size in live.sizes]
    assert sizes == [True, False, True]
    made.estimate(spot(250, 200))
    assert live.sizes[-1] != whole


def test_a_pose_that_is_not_trusted_is_not_followed():
    live, made = model(dynamic=True, dynamic_likelihood=0.95)
    for _ in range(3):
        made.estimate(spot(100, 100))
    assert set(live.sizes) == {SHAPE[:2]}


def test_points_beyond_the_frame_leave_a_window_that_can_be_seen():
    class Astray(BlueSpot):
        def get_pose(self, frame):
            self.sizes.append(frame.shape[:2])
            return np.array([[-500.0, 9000.0, 1.0]])

    live = Astray()
    made = DlcModel(live, ("spot",), {}, DlcOptions(Path("m.pt"), dynamic=True, dynamic_margin=1, resize=0.5), SHAPE)
    for _ in range(4):
        made.estimate(spot(100, 100))
    assert min(min(size) for size in live.sizes) >= 28


def test_pose_is_the_callers_and_what_it_does_to_it_moves_no_window():
    _, made = model(dynamic=True)
    points = made.estimate(spot(100, 100))
    points[...] = np.nan
    assert made.estimate(spot(101, 100))[0, 0] == pytest.approx(101)


def test_more_columns_than_three_are_left_out_and_what_is_not_a_number_is_not_found():
    class Wide:
        def get_pose(self, frame):
            return np.array([[5.0, 6.0, 0.5, 1.0, 2.0], [np.nan, 6.0, 0.5, 1.0, 2.0]])

    points = DlcModel(Wide(), ("a", "b"), {}, DlcOptions(Path("m.pt")), SHAPE).estimate(spot(9, 9))
    assert points[0].tolist() == [5.0, 6.0, 0.5]
    assert np.isnan(points[1, :2]).all()
