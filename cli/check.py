"""``rigloop check``: every problem of config.ini at once, or that it is good and what each mouse would run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from cli.screen import say

if TYPE_CHECKING:
    from session.settings import Settings


def run(args: argparse.Namespace) -> int:
    """Print each problem on a line and return 2, or print the mice and return 0."""
    from camera.factory import CameraFactory
    from camera.find_source import probe_source
    from session.config_file import read_config
    from session.settings import check_config, load_settings

    problems = check_config(args.config, args.mouse, probe_source)
    if problems:
        for line in problems:
            say(line, error=True)
        say(f"{len(problems)} problem{'s' * (len(problems) > 1)} in {args.config}", error=True)
        return 2
    for mouse in (
        [args.mouse] if args.mouse else [section.title[6:] for section in read_config(args.config).mice.values()]
    ):
        settings = load_settings(args.config, mouse, experiment=None, overrides={}, probe=None)
        cameras = [settings.camera] if settings.camera2 is None else [settings.camera, settings.camera2.camera]
        lacking = [CameraFactory().missing(camera.vid_source, camera.genicam_library) for camera in cameras]
        lacking.append(_pose_lacks(settings))
        notes = "".join(f"  ({each})" for each in dict.fromkeys(lacking) if each)
        kinds = " and ".join(camera.vid_source.value for camera in cameras)
        say(f"{mouse}: {settings.experiment}, signal {_signal(settings)}, camera {kinds}{notes}")
    say(f"{args.config}: good")
    return 0


def _pose_lacks(settings: Settings) -> str:
    """Return what the pose estimator lacks on this computer, empty where nothing; a config may be checked elsewhere."""
    from behavior.pose_open import check_pose
    from core.errors import RigError

    try:
        if settings.pose is not None:
            check_pose(settings.pose)
    except RigError as error:
        return str(error)
    return ""


def _signal(settings: Settings) -> str:
    """Return what drives the tone, in words."""
    if settings.movement is None or settings.pose is None:
        return settings.formula
    what = "speed of" if settings.movement.reward_by.value == "speed" else "distance to the target of"
    return f"{what} {settings.movement.control_point} (pose: {settings.pose.pose_backend.value})"
