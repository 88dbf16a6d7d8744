"""Makes the camera that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from camera.pace import Paced
from camera.replay import open_replay
from camera.scene import SceneSettings
from camera.settings import CameraKind, CameraSettings
from camera.synthetic import SyntheticCamera
from core.errors import InputError
from core.ports import Camera, Clock


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """All that a loader may need to make a camera.

    Attributes
    ----------
    settings : CameraSettings
    source : str
        Path of the recording, for replay.
    clock : Clock
    pace_real : bool
        Whether an offline source is to run at its own pace, or as fast as it is read.
    scene : SceneSettings or None
        For synthetic; None for the default scene.
    seed : int
    plant : Camera or None
        The simulated mouse, which is its own camera.
    """

    settings: CameraSettings
    source: str
    clock: Clock
    pace_real: bool
    scene: SceneSettings | None
    seed: int
    plant: Camera | None


Loader = Callable[[CameraRequest], Camera]


@dataclass(frozen=True, slots=True)
class Driver:
    """What drives one kind of hardware camera.

    Attributes
    ----------
    device : str
        The camera, in words.
    module : str
        Python module the driver stands on.
    install : str
        How to get that module.
    """

    device: str
    module: str
    install: str


DRIVERS: Mapping[CameraKind, Driver] = {
    CameraKind.pi: Driver(
        "the Raspberry Pi camera",
        "picamera2",
        "on a Raspberry Pi: sudo apt-get install python3-picamera2, then make clean setup",
    ),
    CameraKind.genicam: Driver(
        "GenICam (Sentech) cameras",
        "gi",
        "on Debian or Ubuntu: sudo apt-get install python3-gi gir1.2-aravis-0.8",
    ),
    CameraKind.jetson: Driver(
        "the CSI cameras of a Jetson",
        "gi",
        "on a Jetson: sudo apt-get install python3-gi gir1.2-gst-plugins-base-1.0",
    ),
    CameraKind.usb: Driver("USB cameras", "cv2", "pip install opencv-python-headless"),
}
"""Kinds whose driver is not in this version; a driver takes its kind's place in LOADERS and leaves this table."""


def _replay(request: CameraRequest) -> Camera:
    return _at_pace(open_replay(request.source, request.settings.framerate), request)


def _synthetic(request: CameraRequest) -> Camera:
    width, height = request.settings.resolution
    scene = request.scene or SceneSettings()
    return _at_pace(SyntheticCamera(scene, height, width, request.settings.framerate, request.seed), request)


def _simulated(request: CameraRequest) -> Camera:
    if request.plant is None:
        raise InputError(
            "vid_source = simulated: no simulated mouse was made; make one (insilico.plant.Plant) and hand it over"
        )
    return request.plant  # it answers to what the rig does, so it keeps the pace itself


def _at_pace(camera: Camera, request: CameraRequest) -> Camera:
    return Paced(camera, request.clock) if request.pace_real else camera


LOADERS: Mapping[CameraKind, Loader] = {
    CameraKind.replay: _replay,
    CameraKind.synthetic: _synthetic,
    CameraKind.simulated: _simulated,
}


class CameraFactory:
    """Makes cameras by kind.

    Parameters
    ----------
    loaders : mapping of CameraKind to callable
        One per kind that this version can make; tests and later drivers add theirs.
    """

    def __init__(self, loaders: Mapping[CameraKind, Loader] = LOADERS) -> None:
        self._loaders = loaders

    def create(
        self,
        settings: CameraSettings,
        *,
        source: str,
        clock: Clock,
        pace_real: bool,
        scene: SceneSettings | None,
        seed: int,
        plant: Camera | None = None,
    ) -> Camera:
        """Return the camera, not yet started; the caller closes it. Parameters as in CameraRequest.

        Raises
        ------
        InputError
            If this version has no driver for ``settings.vid_source``, saying what is missing.
        SourceError
            If the recording cannot be replayed.
        """
        loader = self._loaders.get(settings.vid_source)
        if loader is None:
            raise InputError(self.missing(settings.vid_source))
        return loader(CameraRequest(settings, source, clock, pace_real, scene, seed, plant))

    def missing(self, kind: CameraKind) -> str | None:
        """Return what a camera of this kind lacks on this machine and in this version, or None when it can be made."""
        if kind in self._loaders:
            if kind is not CameraKind.simulated or find_spec("brian2") is not None:
                return None
            return f"vid_source = simulated: Brian2 is not installed; run make setup, or {_INSTEAD}"
        driver = DRIVERS.get(kind)
        if driver is None:
            return f"vid_source = {kind.value}: this version has no driver for it; {_INSTEAD}"
        present = find_spec(driver.module) is not None
        library = f"{driver.module} is installed" if present else f"nor is {driver.module} installed ({driver.install})"
        return f"vid_source = {kind.value}: this version has no driver for {driver.device} yet; {library}; {_INSTEAD}"


_INSTEAD = "use --camera replay with a recording, or --camera synthetic"
