"""Whether a camera that comes back is taken for the one that was lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from camera import v4l2
from camera.same_camera import Opened, difference
from camera.v4l2 import serial_of

FACTS: dict[str, object] = {
    "exposure_us": 60_000.0, "gain": 18.06, "gain_unit": "dB", "colour_gains": [1.0, 1.5], "focus": 30.0,
    "address": "10.0.0.5", "packet_bytes": 9000, "sensor_temperature": 41.0,
}  # fmt: skip


def again(changes: dict[str, object], identity: str = "Maker Fast 1", adapting: bool = False) -> str:
    lost, back = Opened("cam", "Maker Fast 1", FACTS), Opened("cam", identity, {**FACTS, **changes})
    return difference(lost, back, adapting)


@pytest.mark.parametrize(
    "changes",
    [{}, {"address": "10.0.0.6", "packet_bytes": 1500}, {"sensor_temperature": 20.0}, {"exposure_us": 59_998.0},
     {"colour_gains": (1.0, 1.501)}],
)  # fmt: skip
def test_what_the_picture_does_not_depend_on_may_differ(changes: dict[str, object]) -> None:
    assert again(changes) == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"gain": 17.76}, "gain 17.76 (was 18.06); give iso a value"),
        ({"gain": "none"}, "gain none (was 18.06)"),
        ({"gain_unit": "factor"}, "gain_unit factor (was dB)"),
        ({"exposure_us": None}, "exposure_us None (was 60000.0); give shutter_speed a"),
        ({"exposure_us": 10_000.0, "gain": 0.0}, "give iso and shutter_speed a value that is not 0, or begin"),
        ({"colour_gains": [1.0]}, "colour_gains [1.0] (was [1.0, 1.5])"),
        ({"focus": 0.0}, "focus 0.0 (was 30.0); set it by hand to what it was"),
        ({"pixel_format": "Mono8"}, "pixel_format Mono8 (was None)"),
    ],
)  # fmt: skip
def test_what_it_depends_on_must_not(changes: dict[str, object], says: str) -> None:
    assert says in again(changes)


def test_a_white_balance_that_is_left_to_the_camera_may_move() -> None:
    assert again({"colour_gains": [2.0, 2.0]}, adapting=True) == ""
    assert "gain" in again({"colour_gains": [2.0, 2.0], "gain": 0.0}, adapting=True)


def test_another_camera_is_told_with_the_one_that_was_lost() -> None:
    assert again({}, "Maker Fast 2").startswith(
        "cam: another camera answers in its place: Maker Fast 2, lost was Maker"
    )


def test_a_usb_cameras_serial_number_is_the_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usb = tmp_path / "devices" / "1-1"
    (usb / "1-1:1.0").mkdir(parents=True)
    (tmp_path / "class" / "video2").mkdir(parents=True)
    (tmp_path / "class" / "video2" / "device").symlink_to(usb / "1-1:1.0")
    link = tmp_path / "by-id"
    link.symlink_to("/dev/video2")
    monkeypatch.setattr(v4l2, "SYSFS", tmp_path / "class")
    assert serial_of("/dev/video2") == ""
    (usb / "serial").write_text("46D0825\n")
    assert serial_of("/dev/video2") == serial_of(str(link)) == "46D0825"
    assert serial_of("/dev/video3") == ""
