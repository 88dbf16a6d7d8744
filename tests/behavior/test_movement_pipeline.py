"""Pose -> signal: what a lost pose does to speed and start, what the parts are."""

import math

import numpy as np
import pytest

from behavior.pipeline import MovementPipeline, part_names
from behavior.settings import MovementSettings, RewardBy, TrialStart
from core.errors import PoseError
from core.values import Frame
from tests.support.poses import ScriptedPose

IMAGE = np.zeros((9, 16, 3), np.uint8)
STILL = MovementSettings(joint_history_sec=1.0, still_speed=10.0, trial_start=TrialStart.still)


def frame(number, seconds):
    return Frame(IMAGE, number, round(seconds * 1e9))


def pipeline(pose, settings=STILL):
    return MovementPipeline(pose, settings, 4.0, lambda: None)


def test_a_pose_that_was_lost_begins_the_watching_anew():
    """The paw is where it was; what it did meanwhile is not known, so no trial may begin at once."""
    pose = ScriptedPose(lambda number: (5.0, 5.0, 1.0), lost={60: "it hangs"}, steps=1)
    made = pipeline(pose)
    signals = [made.update(frame(k, k / 30)) for k in range(1, 60)]
    assert signals[-1].waits == ""
    with pytest.raises(PoseError):
        made.update(frame(60, 2.0))
    pose.reconnect()
    after = [made.update(frame(k, k / 30)) for k in range(61, 120)]
    assert after[0].waits == "fl_l has been followed for 0.0 of 1 s"
    assert math.isnan(after[0].value)
    assert after[1].value == 0.0
    assert [signal.waits == "" for signal in after].index(True) == 30


def test_parts_are_speed_distance_and_pose_whatever_earns():
    assert part_names(("fl_l",)) == ("speed_mm_s", "target_mm", "fl_l_x", "fl_l_y", "fl_l_likelihood")
    for by in RewardBy:
        settings = MovementSettings(reward_by=by, target_center=(5.0, 9.0))
        made = pipeline(ScriptedPose(lambda number: (5.0 + 4 * number, 5.0, 0.75)), settings)
        made.update(frame(1, 0.1))
        signal = made.update(frame(2, 0.2))
        away = math.hypot(8, 4) / 4
        assert signal.parts == pytest.approx((10.0, away, 13.0, 5.0, 0.75))
        assert signal.value == pytest.approx(10.0 if by is RewardBy.speed else -away)
        assert made.names == part_names(("fl_l",))


def test_a_control_point_that_nobody_tracks():
    with pytest.raises(ValueError, match="no body part is called paw; known are fl_l"):
        pipeline(ScriptedPose(lambda number: (0.0, 0.0, 1.0)), MovementSettings(control_point="paw"))
