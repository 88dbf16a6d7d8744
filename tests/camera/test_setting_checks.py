"""What is wrong with a camera's settings is known without one, and is what its driver refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.factory import DRIVERS, hardware_of
from camera.setting_checks import setting_problems
from camera.settings import CameraKind, CameraSettings, GenicamLibrary
from core.errors import InputError

PI, USB, JETSON, GENICAM = CameraKind.pi, CameraKind.usb, CameraKind.jetson, CameraKind.genicam

WRONG: dict[str, tuple[CameraKind, dict[str, Any], str, str]] = {
    "exposure": (GENICAM, {"framerate": 30.0}, "shutter_speed", "does not fit into a frame at framerate = 30"),
    "cures": (PI, {"framerate": 30.0}, "shutter_speed", "set shutter_speed to 33333 or less, or framerate to 16.67 or"),
    "no exposure": (GENICAM, {"shutter_speed": 0}, "shutter_speed", "needs an exposure; give it in us"),
    "format": (GENICAM, {"camera_format": "YUV8"}, "camera_format", "give one of BGR8, RGB8,"),
    "balance": (GENICAM, {"awb_mode": "auto"}, "awb_mode", "it must stay off with GenICam cameras; set awb_mode = off"),
    "Pi's balance": (PI, {"awb_mode": "sunny"}, "awb_mode", "give one of off, auto, incandescent, tungsten"),
    "odd": (PI, {"resolution": (256, 257)}, "resolution", "even sizes only; give 256, 256"),
    "one gain": (PI, {"colour_gains": (0.0, 1.5)}, "colour_gains", "both gains or none"),
    "rate": (USB, {"framerate": 0.4, "shutter_speed": 1000}, "framerate", "whole frames per second; give 1"),
    "half a frame": (USB, {"framerate": 12.5}, "framerate", "whole frames per second; give 12"),
    "path": (USB, {"camera_id": "Logitech"}, "camera_id", "is no USB camera; give a number"),
    "sensor": (JETSON, {"camera_id": "left"}, "camera_id", "give one, such as 0"),
    "open quotation": (JETSON, {"camera_pipeline": 'v4l2src device="/dev/video0'}, "camera_pipeline", "is not closed"),
    "gap": (JETSON, {"camera_pipeline": "v4l2src ! ! jpegdec"}, "camera_pipeline", "nothing between two '!'"),
    "sink": (JETSON, {"camera_pipeline": "v4l2src ! appsink name=x"}, "camera_pipeline", "leave the appsink out"),
}

GOOD: dict[str, tuple[CameraKind, dict[str, Any]]] = {
    **{kind.value: (kind, {}) for kind in CameraKind},
    "Pi leaves": (PI, {"shutter_speed": 0, "iso": 0, "colour_gains": (0.0, 0.0)}),
    "Pi's white balance, gains unused": (PI, {"awb_mode": "cloudy", "colour_gains": (0.0, 1.5)}),
    "Sentech leaves": (GENICAM, {"shutter_speed": 0, "genicam_library": GenicamLibrary.stapi}),
    "by id": (USB, {"camera_id": "/dev/v4l/by-id/usb-x"}),
    "a pipeline, keys unused": (JETSON, {"camera_pipeline": "v4l2src ! jpegdec !", "awb_mode": "x", "framerate": 90.0}),
    "quoted": (JETSON, {"camera_pipeline": "v4l2src ! textoverlay text=\"! ! appsink\" ! capsfilter caps='a ! !'"}),
}  # fmt: skip


def settings_of(kind: CameraKind, changes: dict[str, Any]) -> CameraSettings:
    return replace(CameraSettings(), vid_source=kind, **changes)


@pytest.mark.parametrize(("kind", "changes", "key", "says"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_and_refused_by_the_driver(
    kind: CameraKind, changes: dict[str, Any], key: str, says: str
) -> None:
    settings = settings_of(kind, changes)
    [problem] = setting_problems(settings)
    assert problem.keys[0] == key
    assert says in problem.text
    with pytest.raises(InputError) as caught:
        hardware_of(kind, settings.genicam_library).make(settings)
    assert str(caught.value).startswith(f"{key} = ")
    assert str(caught.value).endswith(problem.text)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("kind", "changes"), GOOD.values(), ids=GOOD.keys())
def test_what_is_good_is_taken(kind: CameraKind, changes: dict[str, Any]) -> None:
    settings = settings_of(kind, changes)
    assert setting_problems(settings) == []
    if kind in DRIVERS:
        hardware_of(kind, settings.genicam_library).make(settings)


def test_all_problems_come_at_once() -> None:
    wrong = settings_of(USB, {"framerate": 24.5, "camera_id": "A12", "awb_mode": "sunny"})
    assert [problem.keys[0] for problem in setting_problems(wrong)] == [
        "awb_mode", "shutter_speed", "camera_id", "framerate",
    ]  # fmt: skip


@given(st.sampled_from([PI, USB, JETSON, GENICAM]), st.integers(1, 1000), st.integers(1, 2_000_000))
def test_an_exposure_is_refused_when_it_is_longer_than_a_frame_and_the_cures_cure(
    kind: CameraKind, rate: int, us: int
) -> None:
    settings = settings_of(kind, {"framerate": float(rate), "shutter_speed": us})
    assert bool(setting_problems(settings)) == (us * rate > 1_000_000)
    assert not setting_problems(replace(settings, shutter_speed=min(us, 1_000_000 // rate)))


def test_offline_sources_are_asked_nothing() -> None:
    wrong = {"framerate": 90.5, "awb_mode": "x", "camera_id": "y", "camera_pipeline": "! !"}
    for kind in (CameraKind.replay, CameraKind.synthetic, CameraKind.simulated):
        assert setting_problems(settings_of(kind, wrong)) == []
