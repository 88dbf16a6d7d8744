"""Speed from capture times: what frame rate, lost frames, missing points and filters do to it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from behavior.kinematics import Kinematics
from behavior.settings import MovementSettings, PoseFilter
from behavior.smoothing import MedianFilter, OneEuro
from core.values import WARM_UP

PLAIN = MovementSettings(control_point="paw", max_gap_s=0.2, min_likelihood=0.6, target_center=(0.0, 0.0))
PPMM = 4.0


def follow(points, settings=PLAIN, ppmm=PPMM):
    """Feed (time_ns, x, y, likelihood) and return the movements."""
    track = Kinematics(settings, ppmm)
    return [track.update(*point) for point in points]


rates = st.floats(3.0, 500.0)
velocities = st.floats(-400.0, 400.0)


@given(vx=velocities, vy=velocities, fps=rates, lost=st.sets(st.integers(1, 39)), x0=st.floats(-1e3, 1e3))
def test_neither_frame_rate_nor_lost_frames_change_the_speed_of_a_uniform_movement(vx, vy, fps, lost, x0):
    times = [round(k * 1e9 / fps) for k in range(41) if k not in lost]
    moved = follow([(t, x0 + vx * PPMM * t / 1e9, 7 + vy * PPMM * t / 1e9, 1.0) for t in times])
    assert moved[0].reason == WARM_UP
    speed = math.hypot(vx, vy)
    assert [m.speed_mm_s for m in moved[1:]] == pytest.approx([speed] * (len(moved) - 1), rel=1e-6, abs=1e-3)
    assert all(m.reason == "" for m in moved[1:])


@given(jitter=st.lists(st.integers(1, 50_000_000), min_size=3, max_size=40), v=st.floats(1.0, 300.0))
def test_nor_do_irregular_capture_times(jitter, v):
    times = np.cumsum(jitter).tolist()
    moved = follow([(t, v * PPMM * t / 1e9, 0.0, 1.0) for t in times])
    assert [m.speed_mm_s for m in moved[1:]] == pytest.approx([v] * (len(moved) - 1), rel=1e-6)


def at(ms, x=0.0, likelihood=1.0):
    return (ms * 1_000_000, x, 0.0, likelihood)


def test_a_missing_point_is_no_jump():
    """It moves at 100 mm/s throughout; what the model says of a frame that it does not trust is not used."""
    points = [at(0, 0.0), at(10, 4.0), at(20, 999.0, 0.1), at(30, math.nan, 0.9), at(40, 16.0), at(50, 20.0)]
    assert [m.speed_mm_s for m in follow(points)[1:]] == pytest.approx([100.0] * 5)


@pytest.mark.parametrize(("gap_ms", "valid"), [(100, True), (200, True), (201, False), (1000, False)])
def test_a_gap_is_bridged_for_max_gap_s(gap_ms, valid):
    points = [at(0, 0.0), at(10, 4.0), at(10 + gap_ms, 0.0, 0.0)]
    moved = follow(points)[-1]
    assert (moved.reason == "") is valid
    assert math.isfinite(moved.speed_mm_s) is valid
    assert not moved.trusted
    assert valid or moved.reason == "paw: not seen"


def test_a_point_that_comes_back_after_a_long_gap_begins_anew():
    points = [at(0, 0.0), at(10, 4.0), at(50, 0.0, 0.0), at(400, 4000.0), at(410, 4004.0)]
    moved = follow(points)
    assert moved[3].reason == WARM_UP
    assert math.isnan(moved[3].speed_mm_s)
    assert moved[4].speed_mm_s == pytest.approx(100.0)


def test_a_gap_that_is_found_out_only_when_the_point_is_back_counts_all_the_same():
    points = [at(0, 0.0), at(10, 4.0), at(20, 0.0, 0.0), at(500, 4000.0)]
    assert follow(points)[-1].reason == WARM_UP


def test_frames_that_never_came_are_no_gap():
    assert follow([at(0, 0.0), at(10, 4.0), at(1010, 404.0)])[-1].speed_mm_s == pytest.approx(100.0)


def test_a_point_that_was_never_seen():
    assert [m.reason for m in follow([at(0, 1.0, 0.0), at(10, 1.0, 0.5)])] == ["paw: not seen"] * 2


def test_the_held_speed_is_that_of_the_last_two_points_and_does_not_change():
    points = [at(0, 0.0), at(10, 4.0), *(at(10 + 10 * k, 500.0, 0.0) for k in range(1, 20))]
    moved = follow(points)[1:]
    assert [m.speed_mm_s for m in moved] == [moved[0].speed_mm_s] * len(moved)


@given(x=st.floats(-1e4, 1e4), y=st.floats(-1e4, 1e4), ppmm=st.floats(0.1, 100.0))
def test_distance_to_the_target(x, y, ppmm):
    settings = replace(PLAIN, target_center=(10.0, 20.0))
    moved = follow([(0, x, y, 1.0)], settings, ppmm)[0]
    assert moved.target_mm == pytest.approx(math.hypot(x - 10, y - 20) / ppmm, abs=1e-6)


def test_filters_are_off_unless_asked_for():
    assert MovementSettings().pose_filter is PoseFilter.none


def test_one_wrong_point_leaves_no_trace_in_the_median():
    points = [at(10 * k, 4.0 * k) for k in range(12)]
    points[6] = at(60, 900.0)
    plain, smooth = follow(points), follow(points, replace(PLAIN, pose_filter=PoseFilter.median))
    assert max(m.speed_mm_s for m in plain[1:]) > 20_000
    assert max(m.speed_mm_s for m in smooth[2:]) <= 250


def test_the_one_euro_filter_quietens_rest_and_follows_movement():
    rng = np.random.default_rng(1)
    rest = [(10_000_000 * k, *(100 + rng.normal(0, 1, 2)), 1.0) for k in range(200)]
    fast = [(10_000_000 * k, 100 + 12.0 * k, 100.0, 1.0) for k in range(200)]
    smooth = replace(PLAIN, pose_filter=PoseFilter.one_euro)
    noise, quiet = (np.mean([m.speed_mm_s for m in follow(rest, s)[50:]]) for s in (PLAIN, smooth))
    assert quiet < 0.4 * noise
    assert follow(fast, smooth)[-1].speed_mm_s == pytest.approx(300.0, rel=0.01)


@given(points=st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=1, max_size=30))
def test_filters_stay_within_what_they_were_given(points):
    for each in (OneEuro(1.0, 0.05), MedianFilter(3)):
        for k, point in enumerate(points):
            x, y = each.update(10_000_000 * (k + 1), point)
            assert min(p[0] for p in points) - 1e-9 <= x <= max(p[0] for p in points) + 1e-9
            assert min(p[1] for p in points) - 1e-9 <= y <= max(p[1] for p in points) + 1e-9


@given(angle=st.floats(0, 2 * math.pi))
def test_the_one_euro_filter_has_no_preferred_direction(angle):
    def final(turn):
        each = OneEuro(1.0, 0.05)
        for k in range(30):
            step = 3.0 * k + math.sin(k)
            x, y = each.update(10_000_000 * (k + 1), (step * math.cos(turn), step * math.sin(turn)))
        return math.hypot(x, y)

    assert final(angle) == pytest.approx(final(0.0), rel=1e-6)
