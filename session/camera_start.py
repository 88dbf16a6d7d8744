"""Opening and starting a camera, either of which may take seconds, until somebody asks for the end."""

from __future__ import annotations

from collections.abc import Callable

from camera.grabber import Grabber
from core.ports import Camera


def connect_camera(camera: Camera, go_on: Callable[[], bool]) -> None:
    """Open a camera that has hardware; ``go_on`` is asked ten times a second. Raises CameraError, Interrupted."""
    if isinstance(camera, Grabber):
        camera.connect(go_on)


def start_camera(camera: Camera, go_on: Callable[[], bool]) -> None:
    """Start any camera; ``go_on`` is asked ten times a second of one that has hardware.

    Raises CameraError, Interrupted.
    """
    if isinstance(camera, Grabber):
        camera.start(go_on)
    else:
        camera.start()
