"""Makes the camera that is recorded beside the session's own."""

from __future__ import annotations

from collections.abc import Callable

from camera.factory import CameraFactory
from camera.settings import OFFLINE, CameraKind
from core.errors import InputError
from core.ports import Camera, Clock
from insilico.limb_settings import LimbSceneSettings
from session.camera_start import connect_camera
from session.second_section import SecondSection
from session.settings import Settings


def check_second(settings: Settings, live: bool) -> None:
    """Look for what a second camera needs; ``live`` tells whether frames keep the host's time.

    Raises InputError for one that does not go with the session's pace, MissingError for a library it lacks.
    """
    second = settings.camera2
    if second is None:
        return
    CameraFactory().check(second.camera)
    if not live and second.camera.vid_source not in OFFLINE:
        raise InputError(
            f"--pace max: the second camera ({second.section}, {second.camera.vid_source.value}) keeps the host's "
            "time; use --pace real, or leave second_camera empty"
        )


def open_second(settings: Settings, live: bool, seed: int, clock: Clock, go_on: Callable[[str], bool]) -> Camera | None:
    """Return the second camera, opened and not started; None where there is none. The caller closes it.

    A made-up scene is a brain or a mouse, by the kind of its section, with other noise than the first camera's.

    Raises InputError, CameraError, and Interrupted where ``go_on("")``, asked ten times a second, returned False.
    """
    if settings.camera2 is None:
        return None
    camera = CameraFactory().create(
        settings.camera2.camera,
        source=settings.camera2.camera.vid_root,
        clock=clock,
        pace_real=live,
        scene=_scene(settings.camera2),
        seed=seed + 1,
    )
    try:
        connect_camera(camera, lambda: go_on(""))
    except BaseException:
        camera.close()
        raise
    return camera


def _scene(second: SecondSection) -> LimbSceneSettings | None:
    """Return a mouse that fills the frame, for the synthetic camera of a movement section; None: its own scene."""
    if second.camera.vid_source is not CameraKind.synthetic or second.kind != "clmf":
        return None
    width, height = second.camera.resolution
    return LimbSceneSettings((0.4 * width, 0.72 * height), (0.5 * width, 0.38 * height), ppmm=height / 20)
