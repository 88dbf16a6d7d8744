"""The figure of a movement session: all its panels whatever the session came to, and nothing of the movement lost."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.movement_data import merged, read_movement, scale_top, spans
from analysis.movement_figure import movement_figure
from analysis.movement_text import LONGEST, summary
from analysis.session_figure import draw_session
from analysis.session_panels import runs, thin
from analysis.trajectory import MOST_STEPS, drops_at, find_way, used_circles
from recording.reader import open_session
from tests.support.movement_sessions import SETTINGS, wander, write_session

IMAGE = np.full((480, 640, 3), 90, np.uint8)


def rng(seed=1):
    return np.random.default_rng(seed)


def never_seen(seconds=20):
    tracks = wander(rng(), seconds)
    tracks.points[:, :, :2], tracks.points[:, :, 2] = np.nan, 0
    return tracks


def quick(seconds=60):
    """A mouse that earns water now and then."""
    return wander(rng(3), seconds, reach=6000)


CASES = {
    "whole": (quick(), {"image": IMAGE}),
    "without images": (quick(), {}),
    "no trials": (quick(3), {"image": IMAGE}),
    "killed": (quick(), {"image": IMAGE, "until": 400}),
    "one frame": (quick(), {"image": IMAGE, "until": 1}),
    "never seen": (never_seen(), {"image": IMAGE}),
    "most frames skipped": (quick(), {"image": IMAGE, "skipped": np.arange(1800) % 3 > 0}),
    "all frames skipped": (quick(), {"image": IMAGE, "skipped": np.ones(1800, bool)}),
    "by target": (quick(), {"image": IMAGE, "reward_by": "target", "trial_start": "start_roi"}),
    "16 bits": (quick(5), {"image": IMAGE.astype(np.uint16) * 40}),
    "size unknown": (quick(), {"resolution": None}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_panel_has_its_share(tmp_path, case):
    tracks, how = CASES[case]
    folder = write_session(tmp_path / "20260101120000" / "S1", tracks, **how)
    with open_session(folder) as session:
        figure = movement_figure(session)
        trials = np.unique(session.frames.trial[session.frames.trial > 0])
    figure.savefig(tmp_path / "figure.png", dpi=100)
    speed, tone, bars, likelihood, way, *_ = figure.axes
    heights = [axis.get_position().height for axis in (speed, tone, bars, likelihood)]
    assert np.array(heights) / heights[2] == pytest.approx([3, 1.4, 1, 0.5], rel=0.02)
    assert heights[0] > 0.35
    assert way.get_position().width > 0.2
    assert len(bars.patches) == len(trials)
    assert len(way.images) == ("image" in how)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_session_without_frames_or_settings_has_a_figure(tmp_path):
    folder = write_session(tmp_path / "d" / "S1", quick(2))
    log = folder / "frames.csv"
    log.write_text(log.read_text().splitlines()[0] + "\n")
    (folder / "session.json").write_text(json.dumps({"kind": "clmf"}))
    assert draw_session(folder).read_bytes().startswith(b"\x89PNG")


def test_a_control_point_that_the_log_lacks_was_never_seen(tmp_path):
    folder = write_session(tmp_path / "d" / "S1", quick(5))
    meta = json.loads((folder / "session.json").read_text())
    meta["settings"]["control_point"] = "paw"
    (folder / "session.json").write_text(json.dumps(meta))
    with open_session(folder) as session:
        movement = read_movement(session)
        movement_figure(session).draw_without_rendering()
    assert not movement.trusted.any()
    assert np.isfinite(movement.speed).any()


def test_images_that_cannot_be_read_cost_only_the_picture(tmp_path):
    folder = write_session(tmp_path / "d" / "S1", quick(5), image=IMAGE)
    (folder / "behavior_video.mkv").write_bytes(b"not a recording")
    with open_session(folder) as session:
        figure = movement_figure(session)
    assert not figure.axes[4].images
    assert figure.axes[4].collections


def test_a_drop_lies_where_the_point_was_or_had_last_been_seen(tmp_path):
    folder = write_session(tmp_path / "d" / "S1", quick())
    with open_session(folder) as session:
        movement = read_movement(session)
        wet = np.flatnonzero(session.frames.water > 0)
        assert len(wet) > 2
        x, y = drops_at(session, movement)
        np.testing.assert_array_equal([x, y], [movement.x[wet], movement.y[wet]])
        lost = movement.trusted.copy()
        lost[wet[0] - 3 : wet[0] + 1] = False
        lost[: wet[0] - 4] = False
        x, _ = drops_at(session, replace(movement, trusted=lost))
        assert x[0] == movement.x[wet[0] - 4]
        x, _ = drops_at(session, replace(movement, trusted=np.zeros(len(lost), bool)))
        assert not len(x)


def test_skipped_frames_do_not_cut_the_trace(tmp_path):
    skipped = np.arange(1800) % 2 > 0
    folder = write_session(tmp_path / "d" / "S1", quick(), skipped=skipped)
    with open_session(folder) as session:
        movement = read_movement(session)
        figure = movement_figure(session)
    assert len(movement.rows) == (~skipped[: len(session.frames)]).sum()
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert np.isfinite(lines["speed"].get_ydata()).mean() > 0.9


def test_the_words_count_what_is_missing_by_cause(tmp_path):
    skipped = np.arange(1800) < 40
    folder = write_session(tmp_path / "d" / "S1", quick(), skipped=skipped, lost=3)
    with open_session(folder) as session:
        lines = summary(session, read_movement(session))
        drops, missing = int((session.frames.water > 0).sum()), int((~session.frames.valid[40:]).sum())
    assert "  40 skipped by pose estimation" in lines
    assert "  3 lost by the camera" in lines
    assert f"water: {drops} drops" in lines[0]
    assert any(line.startswith(f"  {missing} without signal: snout: likelihood below") for line in lines)
    assert max(map(len, lines)) <= LONGEST


def test_a_skipped_frame_behind_a_trial_does_not_hide_its_outcome(tmp_path):
    folder = write_session(tmp_path / "d" / "S1", quick())
    with open_session(folder) as session:
        frames = session.frames
    (end,) = np.flatnonzero((frames.trial == 1) & (frames.outcome != 0))
    frames.trial[end + 1] = 1
    assert runs(frames)[0].outcome == frames.outcome[end]
    assert runs(frames)[0].last == end + 1


def test_a_part_that_was_never_seen_is_said(tmp_path):
    folder = write_session(tmp_path / "d" / "S1", never_seen())
    with open_session(folder) as session:
        lines = summary(session, read_movement(session))
    assert "snout: never seen" in lines
    assert "speed: never known" in lines


def test_peaks_that_leave_the_axis_are_marked_and_counted(tmp_path):
    tracks = wander(rng(), 100, reach=100)
    tracks.points[1500, 0, :2] += 300
    tracks.points[:, 0, 2] = 0.9
    folder = write_session(tmp_path / "d" / "S1", tracks)
    with open_session(folder) as session:
        axis = movement_figure(session).axes[0]
        highest = np.nanmax(session.frames.signal)
    assert axis.get_ylim()[1] < highest / 3
    assert [text.get_text() for text in axis.texts] == [f"▲ 1 higher, up to {highest:.0f} mm/s"]


def test_circles_that_play_no_part_are_not_drawn():
    assert used_circles(SETTINGS) == {}
    both = used_circles({**SETTINGS, "reward_by": "target", "trial_start": "start_roi"})
    assert both == {"start": (320.0, 240.0, 32.0), "target": (400.0, 180.0, 48.0)}


def test_distance_is_shown_as_a_distance(tmp_path):
    folder = write_session(tmp_path / "d" / "S1", quick(), reward_by="target")
    with open_session(folder) as session:
        movement = read_movement(session)
    assert not movement.by_speed
    assert set(movement.threshold) == {6.0}
    assert np.nanmin(movement.value) >= 0


@given(st.integers(1, 400), st.integers(2, 60), st.floats(0, 1), st.integers(0, 2**32))
def test_thinning_keeps_the_extremes_and_the_order(n, most, unknown, seed):
    trace = rng(seed).normal(0, 1, n)
    trace[rng(seed + 1).random(n) < unknown] = np.nan
    times, kept = thin(np.arange(n, dtype=float), trace, most)
    assert len(kept) <= max(most, 2) + 2
    assert (np.diff(times) > 0).all()
    np.testing.assert_array_equal(kept, trace[times.astype(int)])
    if np.isfinite(trace).any():
        assert np.nanmax(kept) == np.nanmax(trace)
        assert np.nanmin(kept) == np.nanmin(trace)


def test_a_long_way_is_drawn_coarser_and_keeps_its_peaks(tmp_path):
    tracks = wander(rng(), 600, fps=100, reach=3000)
    tracks.points[:, 0, :2] += rng().normal(0, 20, (60_000, 2))
    folder = write_session(tmp_path / "d" / "S1", tracks, trials=2)
    with open_session(folder) as session:
        movement = read_movement(session)
    n = 60_000
    points = tracks.points[:, 0]
    long = replace(
        movement, x=points[:, 0], y=points[:, 1], speed=np.arange(n, dtype=float), trusted=np.ones(n, bool),
        trial=np.ones(n, np.int64),
    )  # fmt: skip
    way = find_way(long, 0.64)
    assert MOST_STEPS / 2 < len(way.steps) <= MOST_STEPS
    assert way.speed.max() == n - 1
    np.testing.assert_array_equal(way.steps[1:, 0], way.steps[:-1, 1])


def test_the_way_has_a_gap_where_the_point_was_missing(tmp_path):
    folder = write_session(tmp_path / "d" / "S1", quick(4))
    with open_session(folder) as session:
        movement = read_movement(session)
    n = len(movement.x)
    trusted = np.ones(n, bool)
    trusted[n // 2] = False
    x = np.arange(n, dtype=float) * 10
    way = find_way(replace(movement, x=x, y=x, trusted=trusted), 1.0)
    assert len(way.steps) == n - 3
    assert (np.diff(way.steps[:, :, 0], axis=1) == 10).all()


@pytest.mark.parametrize(
    ("value", "threshold", "top"),
    [
        ([], [], 1e-3),
        ([np.nan], [np.nan], 1e-3),
        ([], [100.0], 130.0),
        ([0.0] * 999 + [5000.0], [100.0], 130.0),
        ([0.0, 160.0], [100.0], 175.0),
        ([0.0] * 10, [], 1e-3),
    ],
)
def test_the_scale_shows_the_threshold_and_is_not_ruled_by_a_peak(value, threshold, top):
    found = scale_top(np.array(value, float), np.array(threshold, float))
    assert found == pytest.approx(top, rel=0.05)


def test_spans_and_their_merging():
    assert spans(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    assert spans(np.zeros(0, bool)) == []
    assert merged(np.array([0.0, 1.0, 5.0]), np.array([0.9, 2.0, 6.0]), 0.5) == [(0.0, 2.0), (5.0, 1.0)]
