"""The figure of learning curves: what it shows, and that it is drawn only where something has changed."""

import numpy as np
import pytest

from analysis.learning_curve import MOST_ROWS, draw_learning_curves, learning_curves, with_gaps
from recording.index import SessionRow
from session.mouse_days import MouseDay


def day_of(mouse, day, successes=3, trials=12, threshold=0.05, unit="dF/F", rig="rig1", **facts):
    row = SessionRow(
        f"{mouse}/{day}/S1", mouse, day, f"{day}T09:00:00", 1, rig=rig, trials=trials, successes=successes,
        threshold_end=threshold, threshold_unit=unit,
    )  # fmt: skip
    return MouseDay(mouse, day, (row,), **facts)


def shown(axis):
    """Return the points of the axis' widest line with markers."""
    lines = [line for line in axis.get_lines() if line.get_marker() not in ("None", None, "")]
    return [(x, y) for line in lines for x, y in zip(*line.get_data(), strict=True)]


def test_a_mouse_has_a_row_and_a_day_its_place():
    days = [
        day_of("M1", "2026-11-20", successes=3, water_s=1.5, weight_g=21.0),
        day_of("M1", "2026-11-21", successes=6, threshold=0.06, water_s=2.0),
        MouseDay("M1", "2026-11-22", weight_g=20.0),
        day_of("M1", "2026-11-25", trials=0, successes=0, threshold=None),
        day_of("M2", "2026-11-29", successes=12, threshold=75, unit="mm/s"),
    ]
    figure = learning_curves(days)
    axes = np.array(figure.axes).reshape(2, 5)
    assert [axis.get_title(loc="left") for axis in axes[0]] == [
        "success (% of trials)", "threshold (dF/F)", "threshold (mm/s)", "water (s of open valve)", "weight (g)",
    ]  # fmt: skip
    assert shown(axes[0][0]) == [(1, 25), (2, 50)]
    assert shown(axes[0][1]) == [(1, 0.05), (2, 0.06)]
    assert shown(axes[0][3]) == [(1, 1.5), (2, 2.0)]
    assert shown(axes[0][4]) == [(1, 21.0), (3, 20.0)]
    assert shown(axes[1][0]) == [(1, 100)]
    assert shown(axes[1][2]) == [(1, 75)]
    assert axes[1][0].get_ylabel() == "M2\nday 1: 2026-11-29"


def test_water_is_a_volume_where_all_of_it_is_known():
    days = [day_of("M1", "2026-11-20", water_s=1.5, water_ul=15.0), day_of("M1", "2026-11-21")]
    assert learning_curves(days).axes[2].get_title(loc="left") == "water (ul)"
    days.append(day_of("M2", "2026-11-21", water_s=1.0))
    assert learning_curves(days).axes[2].get_title(loc="left") == "water (s of open valve)"


def test_a_line_breaks_where_days_are_missing():
    number, values = with_gaps(np.array([1.0, 2.0, 5.0, 6.0, 9.0]), np.arange(5.0))
    np.testing.assert_array_equal(number, [1, 2, np.nan, 5, 6, np.nan, 9])
    np.testing.assert_array_equal(values, [0, 1, np.nan, 2, 3, np.nan, 4])


def test_a_mouse_on_two_rigs_has_a_marker_for_each():
    days = [day_of("M1", f"2026-11-{day}", rig=("left", "right")[day % 2]) for day in range(20, 24)]
    axis = learning_curves(days).axes[0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["left", "right"]
    assert len(shown(axis)) == 4


def test_many_mice_are_laid_over_one_another_with_their_median():
    days = [
        day_of(f"M{mouse}", f"2026-11-{20 + day}", successes=mouse)
        for mouse in range(MOST_ROWS + 1)
        for day in range(1 + (mouse < 2))
    ]
    figure = learning_curves(days)
    assert len(figure.axes) == 2
    median = figure.axes[0].get_lines()[-1]
    # Day 2 has two mice, too few for a median.
    assert (list(median.get_xdata()), [round(y, 1) for y in median.get_ydata()]) == ([1], [33.3])


@pytest.mark.parametrize(
    "days",
    [
        [],
        [MouseDay("M1", "2026-11-20", (SessionRow("p", "M1", "2026-11-20", "", 1, outcome="damaged"),))],
        [day_of("M1", "9999999999")],
        [day_of(f"M{n}", "2026-11-20", trials=None) for n in range(MOST_ROWS + 1)],
    ],
)
def test_days_on_which_nothing_was_counted_are_drawn_too(days, tmp_path):
    assert draw_learning_curves(days, tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def damaged(mouse, day):
    return MouseDay(mouse, day, (SessionRow("p", mouse, day, "", 1, outcome="damaged"),))


@pytest.mark.parametrize("days", [[], ["20"], ["20", "21"], ["20", "21", "27"]])
def test_days_are_whole(days):
    figure = learning_curves([day_of("M1", f"2026-11-{day}", weight_g=20.0) for day in days])
    figure.draw_without_rendering()
    for axis in figure.axes:
        low, high = axis.get_xlim()
        ticks = [tick for tick in axis.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == round(tick) for tick in ticks)
        if len(days) < 2:
            assert ticks == [1]


def test_a_panel_with_one_point_leaves_the_others_theirs():
    """A weight of a later day, with nothing else: the axis that all panels share reaches it."""
    figure = learning_curves([day_of("M1", "2026-11-20"), MouseDay("M1", "2026-11-24", weight_g=20.0)])
    low, high = figure.axes[0].get_xlim()
    assert low < 1
    assert high > 5


def test_a_mouse_of_which_nothing_can_be_read_has_no_row():
    days = [damaged("M0", "2026-11-19"), damaged("M1", "2026-11-19"), day_of("M1", "2026-11-20")]
    [axis, _] = learning_curves(days).axes
    # Its first session counts as such all the same.
    assert axis.get_ylabel() == "M1\nday 1: 2026-11-19"
    assert shown(axis) == [(2, 25)]


def test_a_figure_that_shows_these_days_is_left_as_it_is(tmp_path):
    path = tmp_path / "curves.png"
    days = [day_of("M1", "2026-11-20")]
    first = draw_learning_curves(days, path).stat().st_ino
    assert draw_learning_curves(days, path).stat().st_ino == first
    content = path.read_bytes()
    draw_learning_curves([day_of("M1", "2026-11-20", successes=4)], path)
    assert path.read_bytes() != content
