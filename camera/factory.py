"""Makes the camera that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from camera.driver import Driver
from camera.gi_import import aravis_lacking, gstreamer_lacking
from camera.grabber import Grabber
from camera.pace import Paced
from camera.replay import open_replay
from camera.scene import SceneSettings
from camera.settings import CameraKind, CameraSettings, GenicamLibrary
from camera.synthetic import SyntheticCamera
from camera.synthetic_limb import SyntheticLimbCamera
from core.errors import InputError, MissingError
from core.ports import Camera, Clock
from insilico.limb_settings import LimbSceneSettings


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
    scene : SceneSettings or LimbSceneSettings or None
        For synthetic: a brain, or a mouse that reaches; None for the default brain.
    seed : int
    plant : Camera or None
        The simulated mouse, which is its own camera.
    """

    settings: CameraSettings
    source: str
    clock: Clock
    pace_real: bool
    scene: SceneSettings | LimbSceneSettings | None
    seed: int
    plant: Camera | None


Loader = Callable[[CameraRequest], Camera]


@dataclass(frozen=True, slots=True)
class Hardware:
    """What drives one kind of hardware camera. The driver is imported where it is made, and its library where it opens.

    Attributes
    ----------
    lacking : callable
        Returns what its library lacks on this machine, with the cure, or "".
    make : callable
        Returns a driver that is not yet open, and the dtype of its frames.
    """

    lacking: Callable[[], str]
    make: Callable[[CameraSettings], tuple[Driver, str]]


def _genicam(settings: CameraSettings) -> tuple[Driver, str]:
    from camera.genicam import GenicamDriver
    from camera.pixel_formats import dtype_of

    return GenicamDriver(settings), dtype_of(settings.camera_format)


def _jetson(settings: CameraSettings) -> tuple[Driver, str]:
    from camera.jetson import jetson_driver

    return jetson_driver(settings), "uint8"


def _stapi(settings: CameraSettings) -> tuple[Driver, str]:
    from camera.pixel_formats import dtype_of
    from camera.stapi import StapiDriver

    return StapiDriver(settings), dtype_of(settings.camera_format)


def _stapi_lacking() -> str:
    from camera.stapi import stapi_lacking

    return stapi_lacking()


def _pi(settings: CameraSettings) -> tuple[Driver, str]:
    from camera.pi import PiDriver

    return PiDriver(settings), "uint8"


def _pi_lacking() -> str:
    from camera.pi import pi_lacking

    return pi_lacking()


def _usb(settings: CameraSettings) -> tuple[Driver, str]:
    from camera.usb import UsbDriver

    return UsbDriver(settings), "uint8"


def _usb_lacking() -> str:
    from camera.usb import usb_lacking

    return usb_lacking()


DRIVERS: Mapping[CameraKind, Hardware] = {
    CameraKind.genicam: Hardware(aravis_lacking, _genicam),
    CameraKind.jetson: Hardware(gstreamer_lacking, _jetson),
    CameraKind.pi: Hardware(_pi_lacking, _pi),
    CameraKind.usb: Hardware(_usb_lacking, _usb),
}
STAPI = Hardware(_stapi_lacking, _stapi)
"""For genicam cameras with ``genicam_library = stapi``."""


def hardware_of(kind: CameraKind, library: GenicamLibrary) -> Hardware:
    """Return what drives a kind of hardware camera; ``library`` is asked of genicam cameras only."""
    return STAPI if kind is CameraKind.genicam and library is GenicamLibrary.stapi else DRIVERS[kind]


def _replay(request: CameraRequest) -> Camera:
    return _at_pace(open_replay(request.source, request.settings.framerate), request)


def _synthetic(request: CameraRequest) -> Camera:
    width, height = request.settings.resolution
    scene = request.scene or SceneSettings()
    size = (height, width, request.settings.framerate, request.seed)
    if isinstance(scene, LimbSceneSettings):
        return _at_pace(SyntheticLimbCamera(scene, *size), request)
    return _at_pace(SyntheticCamera(scene, *size), request)


def _simulated(request: CameraRequest) -> Camera:
    if request.plant is None:
        raise InputError(
            "vid_source = simulated: no simulated mouse was made; make one (insilico.plant.Plant) and hand it over"
        )
    return request.plant  # it answers to what the rig does, so it keeps the pace itself


def _at_pace(camera: Camera, request: CameraRequest) -> Camera:
    return Paced(camera, request.clock, request.settings.camera_buffer) if request.pace_real else camera


def _hardware(request: CameraRequest) -> Camera:
    settings = request.settings
    driver, dtype = hardware_of(settings.vid_source, settings.genicam_library).make(settings)
    return Grabber(driver, settings, request.clock, dtype)


LOADERS: Mapping[CameraKind, Loader] = {
    CameraKind.replay: _replay,
    CameraKind.synthetic: _synthetic,
    CameraKind.simulated: _simulated,
    **dict.fromkeys(DRIVERS, _hardware),
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
        scene: SceneSettings | LimbSceneSettings | None,
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
        self._check_known(settings.vid_source)
        loader = self._loaders[settings.vid_source]
        return loader(CameraRequest(settings, source, clock, pace_real, scene, seed, plant))

    def check(self, settings: CameraSettings) -> None:
        """Raise MissingError for what this machine lacks for a camera, InputError for one that has no driver here."""
        self._check_known(settings.vid_source)
        if lacking := self.missing(settings.vid_source, settings.genicam_library):
            raise MissingError(lacking)

    def _check_known(self, kind: CameraKind) -> None:
        if kind not in self._loaders:
            raise InputError(self.missing(kind))

    def missing(self, kind: CameraKind, library: GenicamLibrary = GenicamLibrary.aravis) -> str | None:
        """Return what a camera of this kind lacks on this machine and in this version, or None when it can be made.

        ``library`` is what a genicam camera is to be driven through.
        """
        if kind not in self._loaders:
            return f"vid_source = {kind.value}: this version has no driver for it; {_INSTEAD}"
        if kind is CameraKind.simulated and find_spec("brian2") is None:
            return f"vid_source = simulated: Brian2 is not installed; run make setup, or {_INSTEAD}"
        lacking = hardware_of(kind, library).lacking() if self._loaders[kind] is _hardware else ""
        return f"vid_source = {kind.value}: {lacking}; or {_INSTEAD}" if lacking else None


_INSTEAD = "use --camera replay with a recording, or --camera synthetic"
