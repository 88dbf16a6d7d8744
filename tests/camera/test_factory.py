"""Which camera the settings get, and what is said of one that this version cannot make."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from camera import factory, gi_import
from camera.factory import DRIVERS, LOADERS, CameraFactory, hardware_of
from camera.grabber import Grabber
from camera.pace import Paced
from camera.replay import ReplayCamera
from camera.scene import SceneSettings
from camera.settings import CameraKind, CameraSettings, GenicamLibrary
from camera.synthetic import SyntheticCamera
from core.clock import VirtualClock
from core.errors import InputError, SourceError
from core.ports import Camera
from tests.camera import recordings as rec


def create(kind: CameraKind, source: str = "", pace_real: bool = False, plant: Camera | None = None) -> Camera:
    settings = replace(CameraSettings(), vid_source=kind, resolution=(96, 64))
    return CameraFactory().create(
        settings, source=source, clock=VirtualClock(), pace_real=pace_real, scene=None, seed=1, plant=plant
    )


def test_synthetic_has_the_resolution_as_width_and_height() -> None:
    camera = create(CameraKind.synthetic)
    assert isinstance(camera, SyntheticCamera)
    assert camera.frame_shape == (64, 96, 3)


def test_replay(tmp_path: Path) -> None:
    path = rec.write_hdf5(tmp_path / "image_stream.hdf5", rec.pictures(3))
    camera = create(CameraKind.replay, str(path))
    assert isinstance(camera, ReplayCamera)
    assert camera.frame_shape == (rec.HEIGHT, rec.WIDTH, 3)
    camera.close()


def test_replay_of_nothing() -> None:
    with pytest.raises(SourceError, match="no recording to replay is named"):
        create(CameraKind.replay)


def test_real_pace_is_a_wrapper() -> None:
    assert isinstance(create(CameraKind.synthetic, pace_real=True), Paced)


def test_the_plant_is_its_own_camera() -> None:
    plant = SyntheticCamera(SceneSettings(), 64, 96, 15.0, 1)
    assert create(CameraKind.simulated, pace_real=True, plant=plant) is plant
    with pytest.raises(InputError, match=r"vid_source = simulated: .*no simulated mouse was made"):
        create(CameraKind.simulated)


def test_hardware_cameras_are_grabbers_that_have_opened_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in DRIVERS:
        camera = create(kind)
        assert isinstance(camera, Grabber)
        assert (camera.frame_shape, camera.frame_dtype) == ((64, 96, 3), "uint8")
        camera.close()


def test_a_format_of_more_than_8_bits_makes_frames_of_16() -> None:
    settings = replace(CameraSettings(), vid_source=CameraKind.genicam, camera_format="Mono12")
    camera = CameraFactory().create(
        settings, source="", clock=VirtualClock(), pace_real=True, scene=None, seed=1, plant=None
    )
    assert camera.frame_dtype == "uint16"


def test_sentechs_own_library_is_chosen_by_its_key_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stapipy", None)
    lacking = CameraFactory().missing(CameraKind.genicam, GenicamLibrary.stapi) or ""
    assert lacking.startswith("vid_source = genicam: genicam_library = stapi: stapipy cannot be imported")
    assert "SentechSDK" in lacking
    assert hardware_of(CameraKind.genicam, GenicamLibrary.stapi).make(CameraSettings())[0].name == "genicam camera"
    assert hardware_of(CameraKind.genicam, GenicamLibrary.aravis) is DRIVERS[CameraKind.genicam]
    assert hardware_of(CameraKind.usb, GenicamLibrary.stapi) is DRIVERS[CameraKind.usb]


def test_usb_cameras_lack_nothing_on_linux() -> None:
    assert CameraFactory().missing(CameraKind.usb) is None


def test_the_pi_camera_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    assert "sudo apt-get install python3-picamera2" in (CameraFactory().missing(CameraKind.pi) or "")


@pytest.mark.parametrize("kind", DRIVERS)
def test_hardware_kinds_say_what_is_missing(kind: CameraKind, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(cure: str) -> CameraFactory:
        monkeypatch.setattr(factory, "DRIVERS", {kind: replace(DRIVERS[kind], lacking=lambda: cure)})
        return CameraFactory()

    assert lacking("").missing(kind) is None
    text = lacking("its library is not installed; sudo apt-get install it").missing(kind)
    assert text == (
        f"vid_source = {kind.value}: its library is not installed; sudo apt-get install it; "
        "or use --camera replay with a recording, or --camera synthetic"
    )


def test_libraries_that_are_not_there_are_named_with_their_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gi_import, "DEBIAN", Path("nowhere"))
    for module in [name for name in sys.modules if name.partition(".")[0] == "gi"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "gi", None)
    text = gi_import.aravis_lacking()
    assert text.startswith("Python's gi is not installed (")
    assert text.endswith("sudo apt-get install python3-gi gir1.2-aravis-0.8")
    assert "\n" not in text
    assert "gir1.2-gst-plugins-base-1.0" in gi_import.gstreamer_lacking()


@pytest.mark.parametrize("kind", sorted(set(LOADERS) - set(DRIVERS), key=str))
def test_kinds_that_work_lack_nothing(kind: CameraKind) -> None:
    assert CameraFactory().missing(kind) is None


def test_a_driver_is_added_by_kind() -> None:
    made = SyntheticCamera(SceneSettings(), 64, 96, 15.0, 1)
    cameras = CameraFactory({**LOADERS, CameraKind.usb: lambda request: made})
    settings = replace(CameraSettings(), vid_source=CameraKind.usb)
    assert cameras.missing(CameraKind.usb) is None
    assert cameras.create(settings, source="", clock=VirtualClock(), pace_real=False, scene=None, seed=1) is made


def test_a_kind_that_nobody_knows_is_said_so() -> None:
    assert "no driver for it" in (CameraFactory({}).missing(CameraKind.replay) or "")
