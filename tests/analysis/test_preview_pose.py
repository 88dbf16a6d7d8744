"""The picture of a movement preview: the pose where it is, its words, and that it is a whole PNG of the right size."""

import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.preview_images import whole_shares
from analysis.preview_page import DPI, WIDTH_IN
from analysis.preview_pose import PosePreview, bar_mm, layout
from analysis.preview_pose_text import MOST_ROWS, body_parts, screen_line, table
from behavior.pipeline import part_names
from core.errors import RecordingError
from core.values import Frame, Signal
from session.preview import NO_MAP, Sight
from tests.support.movement_settings import PARTS, movement_settings

NAMES = part_names(PARTS)
SNOUT, TAIL = (30.0, 20.0, 0.98), (10.0, 40.0, 0.91)
LOST = (math.nan, math.nan, 0.0)
LONG = "snout has not been seen for so long that nobody knows any more where in the image it may have gone " * 3


def image_of(height=48, width=64, dtype="uint8", gain=1.0):
    image = np.random.default_rng(1).integers(60, 120, (height, width, 3))
    return np.clip(image * gain, 0, np.iinfo(dtype).max).astype(dtype)


def sight_of(image, poses=(SNOUT, TAIL), value=12.5, waits="", reason="", **more):
    parts = (value, 3.0, *(number for pose in poses for number in pose))
    told = {"fps": 15.0, "lost": 0, "recent": ((1.0, value), (2.0, value)), **more}
    signal = Signal(value, not reason, reason, parts, waits)
    return Sight(Frame(image, 31, 2_000_000_000), 2.0, signal=signal, exposures=(), dff=NO_MAP, **told)


def figure_of(tmp_path, height=48, width=64, names=NAMES, **more):
    settings = movement_settings(tmp_path, resolution=f"{width}, {height}", **more)
    return PosePreview(settings, names, (height, width, 3), tmp_path / "preview.png")


@pytest.mark.parametrize(
    ("width", "height", "dtype"), [(64, 48, "uint8"), (320, 160, "uint8"), (64, 48, "uint16"), (40, 120, "uint8")]
)
@pytest.mark.parametrize("how", ["seen", "lost", "outside"])
def test_it_is_a_whole_png_of_the_size_that_was_laid_out(tmp_path, width, height, dtype, how):
    import cv2

    figure = figure_of(tmp_path, height, width, start_center="20, 20", target_center="30, 30")
    poses = {"seen": (SNOUT, TAIL), "lost": (LOST, LOST), "outside": ((-9.0, 7000.0, 1.0), TAIL)}[how]
    for gain in (1.0, 0.01, 4.0):
        figure.draw(sight_of(image_of(height, width, dtype, gain), poses))
        picture = cv2.imread(str(tmp_path / "preview.png"))
        assert picture.shape == (int(layout(width, height, 2).height * DPI), int(WIDTH_IN * DPI), 3)
    assert not list(tmp_path.glob("*.tmp")), "no draft is left"


def test_marks_lie_on_the_pose_and_doubt_is_a_cross(tmp_path):
    figure = figure_of(tmp_path)
    figure.draw(sight_of(image_of(), ((30.0, 20.0, 0.98), (10.0, 40.0, 0.2))))
    snout, tail = figure._marks["snout"], figure._marks["tail"]
    assert (snout.get_xdata(), snout.get_ydata(), snout.get_marker()) == ([30.0], [20.0], "o")
    assert (tail.get_xdata(), tail.get_ydata(), tail.get_marker()) == ([10.0], [40.0], "x")
    assert snout.get_markersize() > tail.get_markersize()
    assert figure._labels["tail"].get_text() == "tail"
    figure.draw(sight_of(image_of(), (LOST, TAIL)))
    assert not snout.get_visible()
    assert not figure._labels["snout"].get_visible()
    assert tail.get_visible()


@pytest.mark.parametrize(
    ("more", "circles"),
    [
        ({}, 0),
        ({"trial_start": "start_roi"}, 1),
        ({"reward_by": "target"}, 1),
        ({"reward_by": "target", "trial_start": "start_roi"}, 2),
    ],
)
def test_the_circles_that_play_a_part_are_drawn(tmp_path, more, circles):
    figure = figure_of(tmp_path, **more)
    assert len(figure._axis.patches) == circles
    figure.draw(sight_of(image_of()))


def test_the_trace_forgets_what_is_long_past(tmp_path):
    figure = figure_of(tmp_path)
    for second in range(60):
        sight = sight_of(image_of(), recent=tuple((second + k / 10, 5.0 * second) for k in range(10)))
        figure.draw(replace(sight, time_s=second + 0.9)) if second % 20 == 19 else figure._draw_trace(
            replace(sight, time_s=second + 0.9)
        )
    times = figure._trace.get_xdata()
    assert len(times) == 201
    assert (times[0], times[-1]) == pytest.approx((-20, 0))
    assert figure._trace_axis.get_ylim()[1] > 5.0 * 59


def test_distance_is_shown_as_a_distance(tmp_path):
    figure = figure_of(tmp_path, reward_by="target")
    figure.draw(sight_of(image_of(), value=-3.0))
    assert list(figure._trace.get_ydata()) == [3.0, 3.0]
    assert figure._signal.get_text() == "snout is 3.0 mm from the target (radius 1 mm)"


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    settings = movement_settings(tmp_path)
    figure = PosePreview(settings, NAMES, (48, 64, 3), tmp_path / "gone" / "a.png")
    with pytest.raises(RecordingError, match="cannot write"):
        figure.draw(sight_of(image_of()))


@pytest.mark.parametrize("n_parts", [1, 4, MOST_ROWS, 40])
@pytest.mark.parametrize("words", [{}, {"waits": LONG, "reason": LONG}, {"waits": "n" * 300}])
def test_no_words_leave_the_picture_or_meet(tmp_path, n_parts, words):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    names = ("snout", *(f"part{number}" for number in range(1, n_parts)))
    figure = figure_of(tmp_path, 48, 96, part_names(names))
    poses = [(2.0 * number, 20.0, 0.3 if number % 3 else 0.9) for number in range(n_parts)]
    figure.draw(sight_of(image_of(48, 96), poses, lost=12, skipped=100_000, **words))
    drawn = figure._figure
    renderer = FigureCanvasAgg(drawn).get_renderer()
    texts = [text for text in drawn.texts if text.get_text().strip() and text is not figure._bad_rows]
    boxes = [text.get_window_extent(renderer) for text in texts]
    boxes += [axis.get_tightbbox(renderer) for axis in drawn.axes]
    for number, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= drawn.bbox.x1
        assert box.y1 <= drawn.bbox.y1
        for other in boxes[:number]:
            assert not box.overlaps(other), (number, box, other)


@pytest.mark.parametrize(
    ("more", "sight", "line"),
    [
        ({}, {}, "snout 12.5 mm/s (threshold 20 mm/s)  likelihood 0.98  a trial could begin"),
        (
            {"reward_by": "target"},
            {"value": -4.25, "waits": "it moves"},
            "snout is 4.2 mm from the target (radius 1 mm)  likelihood 0.98  no trial could begin: it moves",
        ),
        (
            {},
            {"reason": "snout: not seen", "waits": "snout: not seen", "poses": (LOST, TAIL), "value": math.nan},
            "snout: NO SIGNAL (snout: not seen)  likelihood 0.00  no trial could begin: snout: not seen",
        ),
        ({}, {"fps": math.nan}, "snout 12.5 mm/s (threshold 20 mm/s)  likelihood 0.98  a trial could begin"),
    ],
    ids=["speed", "target", "not seen", "first"],
)
def test_the_line_on_the_screen(tmp_path, more, sight, line):
    rate = "" if "fps" in sight else "15.0 frames/s  "
    found = screen_line(sight_of(image_of(), **sight), NAMES, movement_settings(tmp_path, **more))
    assert found == f"frame 31  2.0 s  {rate}{line}"


def test_lost_and_skipped_frames_are_told_apart(tmp_path):
    line = screen_line(sight_of(image_of(), lost=3, skipped=40), NAMES, movement_settings(tmp_path))
    assert "  3 lost  40 skipped by pose estimation  " in line


def test_the_table_has_a_row_for_each_part_and_counts_the_rest():
    few = table(body_parts(sight_of(image_of(), (SNOUT, LOST)), NAMES, 0.6))
    assert [row.split() for row, _ in few[1:]] == [["snout", "30.0", "20.0", "0.98"], ["tail", "-", "-", "0.00"]]
    assert [good for _, good in few] == [True, True, False]
    names = part_names(tuple(f"p{number}" for number in range(30)))
    poses = [(1.0, 2.0, 0.9)] * 25 + [LOST] * 5
    many = table(body_parts(sight_of(image_of(), poses), names, 0.6))
    assert len(many) == 1 + MOST_ROWS + 1
    assert many[1] == (many[1][0], False)
    assert many[-1][0] == "and 14 more"


def test_what_is_saturated_or_dark_is_counted_over_the_whole_image():
    image = np.full((4, 5, 3), 100, np.uint8)
    image[0, :, 1] = 255
    image[1, :2] = 3
    image[1, 3, 0] = 3
    assert whole_shares(image, 254) == (0.25, 0.1)


@pytest.mark.parametrize(("width", "ppmm", "length"), [(640, 8.0, 10.0), (64, 6.0, 1.0), (30, 1.0, 10.0)])
def test_the_bar_fits_the_image(width, ppmm, length):
    assert bar_mm(width, ppmm) == length
