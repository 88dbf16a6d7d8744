"""Names of ROIs in a picture: as a law, none covers another, an ROI or what is to be kept clear."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.roi_labels import Box, place_labels
from roi_manager import Circle, Rect

FRAME = (256, 192)
LETTER = (5.0, 10.0)


@given(st.lists(st.tuples(st.integers(30, 220), st.integers(30, 150)), min_size=1, max_size=6, unique=True))
def test_names_do_not_overlap(places):
    rois = {f"ROI_{number}": Rect(x, y, 4, 4) for number, (x, y) in enumerate(places)}
    bregma = Box(120, 90, 130, 100)
    boxes = place_labels(rois, FRAME, LETTER, [bregma])
    assert list(boxes) == list(rois)
    for box, other in combinations(boxes.values(), 2):
        assert not box.meets(other)
    for name, box in boxes.items():
        assert box.x1 - box.x0 == pytest.approx(LETTER[0] * len(name))
        assert box.within(*FRAME)
        assert not box.meets(bregma)
        assert not any(box.meets(Box(*shape.bounds())) for shape in rois.values())


@pytest.mark.parametrize(
    ("shape", "where"),
    [
        (Rect(100, 100, 8, 8), "above"),
        (Rect(100, 0, 8, 8), "below"),
        (Rect(0, 0, 8, 192), "right"),
        (Rect(248, 0, 8, 192), "left"),
        (Circle(128, 96, 20), "above"),
    ],
)
def test_one_name_stands_beside_its_roi_where_there_is_room(shape, where):
    [box] = place_labels({"M1_L": shape}, FRAME, LETTER).values()
    x0, y0, x1, y1 = shape.bounds()
    assert {"above": box.y1 <= y0, "below": box.y0 >= y1, "right": box.x0 >= x1, "left": box.x1 <= x0}[where]
    assert box.within(*FRAME)


def test_a_name_without_a_place_stands_there_all_the_same():
    [box] = place_labels({"WHOLE": Rect(0, 0, 256, 192)}, FRAME, LETTER).values()
    assert box.y1 <= 0
