"""Waiting for a frame in short looks, so that a stop is heard at once, and no longer than a camera may be silent."""

from __future__ import annotations

from collections.abc import Callable

from camera.settings import CameraKind, CameraSettings
from core.errors import CameraTimeout
from core.ports import Camera, Clock
from core.values import Frame, as_ns
from session.stop import StopRequest

LOOK_S = 0.2
"""How long one wait for a frame lasts before the stop request is looked at again, s."""


def wait_s(camera: CameraSettings, silent_ns: int) -> float:
    """Return how long to wait for a frame, s: a look, but no longer than a camera may still be silent."""
    return max(0.001, min(LOOK_S, camera.camera_timeout_s - silent_ns / 1e9))


def check_silence(camera: CameraSettings, silent_ns: int) -> None:
    """Raise CameraTimeout once the camera has been silent for too long (``silent_ns``, ns)."""
    if silent_ns >= as_ns(camera.camera_timeout_s):
        simulated = camera.vid_source is CameraKind.simulated
        cure = "make the network smaller" if simulated else "check its cable and power"
        raise CameraTimeout(
            f"camera {camera.vid_source.value}: no frame for {silent_ns / 1e9:.1f} s (camera_timeout_s is "
            f"{camera.camera_timeout_s:g}); {cure}, or raise camera_timeout_s"
        )


def next_frame(
    camera: Camera,
    settings: CameraSettings,
    clock: Clock,
    stop: StopRequest,
    alive: Callable[[], None],
    last: Frame | None = None,
) -> Frame | None:
    """Wait for the frame after ``last``; return None as soon as a stop is asked for.

    ``alive`` is called at least every ``LOOK_S``: it tells the keeper of the lines that somebody waits. A frame that
    the camera gives again counts as none, as in the loop. Raises EndOfSource, CameraTimeout after ``camera_timeout_s``
    without a frame, and CameraError.
    """
    began_ns = clock.now_ns()
    while not stop:
        alive()
        try:
            frame = camera.read(LOOK_S)
        except CameraTimeout:
            pass
        else:
            if last is None or (frame.number > last.number and frame.time_ns > last.time_ns):
                return frame
        if not stop:
            check_silence(settings, clock.now_ns() - began_ns)
    return None
