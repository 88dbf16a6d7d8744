"""The parts that a movement session has and another has not: what finds the pose, and the pipeline behind it."""

from __future__ import annotations

import math
from dataclasses import replace

from behavior.pipeline import MovementPipeline
from behavior.pose_open import make_estimator
from behavior.pose_settings import PoseSettings
from camera.settings import CameraSettings
from core.errors import InputError
from core.ports import Camera, Pipeline, PoseEstimator
from hardware.rig import Rig
from session.config_file import nearest
from session.settings import Settings

POSE_PRIORITY = 10
"""Real-time priority of a pose process in a live session; below the loop's, which ends one that hangs."""
MOST_WAITING = 60
"""Frames that a camera's buffer is made to hold at most for slow poses; of 640x480 px they take 55 MB."""
UNHURRIED_S = 30.0
"""Least ``pose_timeout_s`` of a session that runs as fast as it goes, s."""


def with_room(camera: CameraSettings, pose: PoseSettings) -> CameraSettings:
    """Return a camera's settings with room for the frames that come while a pose is waited for at the longest."""
    frames = min(MOST_WAITING, math.ceil(pose.pose_timeout_s * camera.framerate) + 2)
    return replace(camera, camera_buffer=max(camera.camera_buffer, frames))


def make_pose(settings: Settings, camera: Camera, live: bool) -> PoseEstimator | None:
    """Return what finds the body parts in a movement session, not yet open; None in another."""
    if settings.pose is None:
        return None
    made = settings.pose
    if not live:
        # No mouse hears a rehearsal at full speed: a computer that is busy with other work loses no pose.
        made = replace(made, pose_timeout_s=max(made.pose_timeout_s, UNHURRIED_S))
    priority = min(POSE_PRIORITY, max(0, settings.faults.realtime_priority - 1)) if live else 0
    return make_estimator(made, camera.frame_shape, camera.frame_dtype, priority)


def check_point(settings: Settings, pose: PoseEstimator) -> None:
    """Raise InputError where the estimator does not know the control point."""
    movement = settings.movement
    if movement is not None and movement.control_point not in pose.names:
        near = nearest(movement.control_point, pose.names)
        raise InputError(
            f"control_point {movement.control_point}: the pose has no such body part, it has {', '.join(pose.names)}"
            f"{near or '; set control_point to one of them'}"
        )


def movement_pipeline(settings: Settings, pose: PoseEstimator | None, rig: Rig) -> Pipeline:
    """Return the pipeline of a movement session, whose control point has been checked."""
    if settings.movement is None or pose is None:
        raise TypeError(f"experiment {settings.experiment}: a {settings.kind} session has no pose")
    return MovementPipeline(pose, settings.movement, settings.geometry.ppmm, rig.alive)
