"""Whether an exposure fits into a frame. Pure."""

from __future__ import annotations

from camera.settings import CameraSettings
from core.errors import InputError

_US = 1e6


def check_exposure_fits(settings: CameraSettings) -> None:
    """Raise InputError when a frame is to be exposed for longer than it lasts."""
    frame_us = _US / settings.framerate
    if settings.shutter_speed > frame_us:
        raise InputError(
            f"shutter_speed = {settings.shutter_speed}: an exposure of {settings.shutter_speed} us does not fit into "
            f"a frame at framerate = {settings.framerate:g} ({frame_us:.0f} us); set shutter_speed to {int(frame_us)} "
            f"or less, or framerate to {_US / settings.shutter_speed:.4g} or less"
        )
