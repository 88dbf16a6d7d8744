"""The picture of a preview: its images, its words, and that it is a whole PNG of the right size."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.preview_figure import DPI, WIDTH_IN, PreviewFigure, layout
from analysis.preview_images import DARK_RGB, LIMITS, SATURATED_RGB, as_seen, box_px, clipping, map_limit, smooth
from analysis.preview_text import MOST_ROWS, head_line, screen_line, table
from brain.dff_map import DffMap
from brain.exposure import Channel, judge_exposure, used_channels
from brain.settings import DffMode, DffSettings
from core.errors import RecordingError
from core.values import Frame, Signal
from roi_manager import Rect
from session.preview import Sight
from tests.support.sessions import settings_for

BOTH = (Channel.green, Channel.blue)


def image_of(height=48, width=64, dtype="uint8", gain=1.0):
    image = np.random.default_rng(1).integers(60, 120, (height, width, 3))
    return np.clip(image * gain, 0, np.iinfo(dtype).max).astype(dtype)


def sight_of(settings, image, number=31, parts=(0.012,), dff=None):
    mode = settings.dff.dff_mode
    return Sight(
        frame=Frame(image, number, 2_000_000_000),
        time_s=2.0,
        fps=15.0,
        lost=0,
        signal=Signal(parts[0], True, "", parts),
        exposures=judge_exposure(image, settings.rois, mode),
        dff=np.full(image.shape[:2], 0.01, np.float32) if dff is None else dff,
    )


def many(count):
    return {f"R{number}": Rect(2 * number, 4, 2, 2) for number in range(count)}


@pytest.mark.parametrize("mode", list(DffMode))
@pytest.mark.parametrize(
    ("width", "height", "dtype"), [(64, 48, "uint8"), (170, 170, "uint8"), (64, 48, "uint16"), (40, 120, "uint8")]
)
def test_it_is_a_whole_png_of_the_size_that_was_laid_out(tmp_path, mode, width, height, dtype):
    import cv2

    settings = settings_for(tmp_path, resolution=f"{width}, {height}", bregma="24, 20", dff_mode=mode.value)
    path = tmp_path / "preview.png"
    figure = PreviewFigure(settings, ("M1_L",), (height, width, 3), path)
    for gain in (1.0, 0.01, 4.0):
        figure.draw(sight_of(settings, image_of(height, width, dtype, gain)))
        picture = cv2.imread(str(path))
        high = int(layout(width, height, 1).height * DPI)
        assert picture.shape == (high, int(WIDTH_IN * DPI), 3)
    assert [other.name for other in tmp_path.iterdir()] == ["preview.png"], "no draft is left"


def test_the_first_picture_has_no_map_yet(tmp_path):
    settings = settings_for(tmp_path)
    figure = PreviewFigure(settings, ("M1_L",), (48, 64, 3), tmp_path / "a.png")
    image = image_of()
    figure.draw(sight_of(settings, image, dff=DffMap(DffSettings(), image.shape).against_baseline(image)))
    assert figure._no_baseline.get_visible()
    figure.draw(sight_of(settings, image))
    assert not figure._no_baseline.get_visible()


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    settings = settings_for(tmp_path)
    figure = PreviewFigure(settings, ("M1_L",), (48, 64, 3), tmp_path / "gone" / "a.png")
    with pytest.raises(RecordingError, match="cannot write"):
        figure.draw(sight_of(settings, image_of()))


@pytest.mark.parametrize("n_rois", [1, MOST_ROWS, MOST_ROWS + 1, 40])
def test_no_words_leave_the_picture_or_meet(tmp_path, n_rois):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    settings = replace(settings_for(tmp_path, resolution="128, 64"), rois=many(n_rois), formula="+".join(many(n_rois)))
    names = tuple(settings.rois)
    figure = PreviewFigure(settings, names, (64, 128, 3), tmp_path / "a.png")
    figure.draw(sight_of(settings, image_of(64, 128, gain=0.1), parts=(0.01,) * n_rois))
    drawn = figure._figure
    renderer = FigureCanvasAgg(drawn).get_renderer()
    texts = [text for text in drawn.texts if text.get_text().strip() and text is not figure._bad_rows]
    boxes = [text.get_window_extent(renderer) for text in texts]
    boxes += [axis.title.get_window_extent(renderer) for axis in drawn.axes]
    boxes += [axis.get_window_extent(renderer) for axis in drawn.axes]
    boxes = [box for box in boxes if box.width > 0]
    for number, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= drawn.bbox.x1
        assert box.y1 <= drawn.bbox.y1
        for other in boxes[:number]:
            assert not box.overlaps(other), (number, box, other)


def test_what_is_clipped_is_coloured_and_counted_by_channel():
    image = np.full((4, 5, 3), 100, np.uint8)
    image[0, :, 1] = 255
    image[1, :2, 0] = 3
    image[0, 0, 0] = 3
    shown, shares = clipping(image, 254, BOTH)
    assert (shown[0] == SATURATED_RGB).all()
    assert (shown[1, :2] == DARK_RGB).all()
    assert (shown[1, 2:] == 100).all()
    assert [(share.channel, share.saturated, share.dark) for share in shares] == [
        (Channel.green, 0.25, 0.0), (Channel.blue, 0.0, 0.15),
    ]  # fmt: skip
    shown, _ = clipping(image, 254, used_channels(DffMode.green))
    assert (shown[1] == 100).all()


@pytest.mark.parametrize("mode", list(DffMode))
def test_an_image_is_seen_in_colour_or_in_green(mode):
    image = np.zeros((2, 2, 3), np.uint8)
    image[:] = (10, 20, 30)
    wanted = (20, 20, 20) if mode is DffMode.green else (30, 20, 10)
    assert (as_seen(image, 254, mode) == wanted).all()
    deep = image.astype(np.uint16) * 4
    assert np.abs(as_seen(deep, 1023, mode).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize(("reach", "limit"), [(0.001, 0.02), (0.04, 0.05), (0.3, 0.5), (7.0, 1.0)])
def test_the_scale_of_the_map_has_few_ends(reach, limit):
    dff = np.linspace(-reach, reach, 1000, dtype=np.float32).reshape(20, 50)
    assert map_limit(dff) == limit
    assert map_limit(np.full((3, 3), np.nan, np.float32)) == LIMITS[0]


@given(st.integers(0, 2**32), st.integers(8, 260), st.floats(0, 0.6))
def test_smoothing_is_the_mean_of_what_is_known_around(seed, width, unknown):
    rng = np.random.default_rng(seed)
    dff = rng.normal(0, 0.1, (12, width)).astype(np.float32)
    dff[rng.random(dff.shape) < unknown] = np.nan
    ours, half = smooth(dff), box_px(width) // 2
    assert ours.dtype == np.float32
    for row, column in ((0, 0), (5, width // 2), (11, width - 1)):
        box = dff[max(0, row - half) : row + half + 1, max(0, column - half) : column + half + 1]
        wanted = np.nan if np.isnan(box).all() else np.nanmean(box)
        assert ours[row, column] == pytest.approx(wanted, abs=1e-6, nan_ok=True)


def test_the_line_on_the_screen_begins_with_what_is_bad(tmp_path):
    settings = settings_for(tmp_path, "DEMO2", **{"roi.BC_L": "2,2,6,6", "roi.BC_R": "40,2,6,6"})
    image = image_of()
    image[2:8, 40:46, 1] = 255
    line = screen_line(sight_of(settings, image, parts=(0.01, -0.02)))
    assert line.startswith("frame 31  2.0 s  15.0 frames/s  BC_R SATURATED in green (green 255 with 100.0 % saturated")
    assert "BC_L good (green 9" in line
    assert "\n" not in line


def test_the_table_has_a_row_for_each_roi_and_counts_the_rest(tmp_path):
    settings = settings_for(tmp_path)
    rows = table(sight_of(settings, image_of()), ("M1_L",))
    assert [good for _, good in rows] == [True, True]
    assert rows[1][0].split()[0] == "M1_L"
    assert "+1.2 %" in rows[1][0]
    assert rows[1][0].endswith("good")
    settings = replace(settings, rois=many(30))
    image = image_of()
    image[:, 50:52] = 0
    rows = table(sight_of(settings, image), tuple(many(30)))
    assert len(rows) == 1 + MOST_ROWS + 1
    assert rows[1][0].startswith("R25")
    assert rows[1][1] is False
    assert rows[-1][0] == "and 18 more"


def test_the_head_says_why_a_signal_does_not_count(tmp_path):
    sight = sight_of(settings_for(tmp_path), image_of())
    assert head_line(sight, "M1_L") == "frame 31  ·  2.0 s  ·  15.0 frames/s  ·  signal M1_L = +1.2 %"
    early = replace(sight, signal=Signal(float("nan"), False, "warm-up", ()), fps=float("nan"), lost=3)
    assert head_line(early, "M1_L") == "frame 31  ·  2.0 s  ·  3 lost  ·  signal M1_L = - (warm-up)"
    assert len(head_line(sight, "A+" * 200)) < 160
