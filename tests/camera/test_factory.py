"""Which camera the settings get, and what is said of one that this version cannot make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from camera import factory
from camera.factory import DRIVERS, LOADERS, CameraFactory
from camera.pace import Paced
from camera.replay import ReplayCamera
from camera.scene import SceneSettings
from camera.settings import CameraKind, CameraSettings
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


def test_every_kind_has_a_loader_or_a_driver_to_name() -> None:
    assert set(LOADERS) | set(DRIVERS) == set(CameraKind)
    assert not set(LOADERS) & set(DRIVERS)


@pytest.mark.parametrize("kind", DRIVERS)
@pytest.mark.parametrize("installed", [True, False])
def test_hardware_kinds_say_what_is_missing(kind: CameraKind, installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "find_spec", lambda _: object() if installed else None)
    text = CameraFactory().missing(kind)
    assert text is not None
    assert text.startswith(f"vid_source = {kind.value}: this version has no driver")
    assert "--camera replay" in text
    assert ("is installed" in text) == installed
    assert (DRIVERS[kind].install in text) != installed
    with pytest.raises(InputError) as caught:
        create(kind)
    assert str(caught.value) == text
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("kind", LOADERS)
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
