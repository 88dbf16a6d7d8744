"""What must hold before a trial begins, for each of the three conditions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from behavior.kinematics import Kinematics
from behavior.settings import MovementSettings, TrialStart
from behavior.start import StartCondition

PPMM = 4.0


def settings(start, **more):
    return MovementSettings(
        control_point="paw", trial_start=start, joint_history_sec=2.0, still_speed=10.0, start_center=(40.0, 40.0),
        start_radius_mm=3.0, max_gap_s=0.2, **more,
    )  # fmt: skip


def waits(made, points):
    """Feed (time in s, x, y, likelihood); return what each frame says."""
    track, start = Kinematics(made, PPMM), StartCondition(made, PPMM)
    said = []
    for seconds, x, y, likelihood in points:
        time_ns = round(seconds * 1e9)
        said.append(start.update(time_ns, track.update(time_ns, x, y, likelihood)))
    return said


def still_at(speed_mm_s, fps, seconds=4.0):
    """A paw that moves to and fro at this speed."""
    step = speed_mm_s * PPMM / fps
    return [(k / fps, 40 + step * (k % 2), 40.0, 1.0) for k in range(round(seconds * fps) + 1)]


@given(fps=st.sampled_from([5.0, 15.0, 30.0, 100.0]), speed=st.sampled_from([0.0, 5.0, 9.9, 10.1, 30.0]))
def test_still_is_a_mean_speed_over_the_whole_span_whatever_the_frame_rate(fps, speed):
    said = waits(settings(TrialStart.still), still_at(speed, fps))
    watched = round(2.0 * fps)
    assert all("has been followed for" in text for text in said[:watched])
    assert [text == "" for text in said[watched:]] == [speed < 10.0] * (len(said) - watched)


def test_a_movement_is_forgotten_after_the_span():
    points = still_at(0.0, 10.0, 8.0)
    points[30:33] = [(3.0 + k / 10, 40 + 100.0 * k, 40.0, 1.0) for k in range(3)]
    said = waits(settings(TrialStart.still), points)
    assert said[29] == ""
    assert said[31].startswith("paw moves: ")
    assert said[50].startswith("paw moves: ")
    assert said[-1] == ""


def test_a_paw_that_was_lost_has_to_be_watched_anew():
    points = still_at(0.0, 10.0, 8.0)
    points[40:44] = [(k / 10, 0.0, 0.0, 0.0) for k in range(40, 44)]
    said = waits(settings(TrialStart.still), points)
    assert said[41] == "", "within max_gap_s the paw is where it was"
    assert said[42] == "paw: not seen"
    assert "has been followed for" in said[45]
    assert said[-1] == ""


@pytest.mark.parametrize(("x", "inside"), [(40, True), (51.9, True), (52.1, False), (10, False)])
def test_inside_the_start_circle(x, inside):
    said = waits(settings(TrialStart.start_roi), [(0.0, x, 40.0, 1.0)])[0]
    assert (said == "") is inside
    assert inside or "from the start circle's centre, its radius is 3 mm" in said


def test_at_once_means_once_the_paw_has_been_seen():
    points = [(0.0, 0, 0, 0.0), (0.1, 99, 9, 1.0), (0.2, 0, 0, 0.0), (0.9, 0, 0, 0.0)]
    assert waits(settings(TrialStart.immediate), points) == ["paw: not seen", "", "", ""]


def test_a_hole_in_the_watching_begins_the_span_anew():
    points = still_at(0.0, 30.0, 3.0)
    later = [(seconds + 8.0, x, y, p) for seconds, x, y, p in still_at(0.0, 30.0, 3.0)]
    said = waits(settings(TrialStart.still), points + later)
    assert said[len(points) - 1] == ""
    assert said[len(points)] == "paw has been followed for 0.0 of 2 s"
    assert said[-1] == ""


@given(fps=st.sampled_from([0.5, 1.0, 2.0, 30.0]))
def test_slow_frames_are_no_hole(fps):
    made = settings(TrialStart.still)
    assert waits(made, [(k / fps, 40.0, 40.0, 1.0) for k in range(round(10 * fps) + 4)])[-1] == ""
