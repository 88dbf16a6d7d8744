"""Which camera is picked, and how one is set up that has what Aravis' fake camera has not: automatics, dB, steps."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from camera.genicam_find import Found, pick
from camera.genicam_setup import GenicamSetup
from camera.settings import CameraKind, CameraSettings
from core.errors import CameraError

SETTINGS = CameraSettings(vid_source=CameraKind.genicam, framerate=30.0, shutter_speed=20_000, iso=800)
ARAVIS = SimpleNamespace(
    AcquisitionMode=SimpleNamespace(CONTINUOUS="continuous"), Auto=SimpleNamespace(OFF="off", CONTINUOUS="continuous")
)
BOUNDS = {"width": (16, 1440), "height": (16, 1080), "x_offset": (0, 0), "y_offset": (0, 0), "gain": (0.0, 24.0)}


class Nodes:
    """A camera as Aravis shows it, with the features of ``has`` and the whims of a method replaced by a test."""

    def __init__(self, **has: Any) -> None:
        self.has = {
            "BalanceWhiteAuto": "Continuous",
            "GammaEnable": True,
            "BalanceRatio": {"Red": 1.9, "Blue": 2.2},
            **has,
        }
        self.colour = "Red"
        self.set: dict[str, Any] = {"exposure_time_auto": "continuous", "gain_auto": "continuous", "binning": (1, 1)}
        self.running = True

    def __getattr__(self, name: str) -> Any:
        verb, _, what = name.partition("_")
        if name.endswith("_bounds"):
            return lambda: BOUNDS.get(what.removesuffix("_bounds"), (1.0, 1e6))
        if name.endswith("_increment"):
            return lambda: 4
        if name.startswith("is_"):
            return lambda: True
        if verb == "set":
            assert not self.running, f"{name} while it acquires"
            return lambda *values: self.set.__setitem__(what, values if len(values) > 1 else values[0])
        if verb == "get":
            return lambda: self.set[what]
        raise AttributeError(name)

    def stop_acquisition(self) -> None:
        self.running = False

    def clear_triggers(self) -> None:
        self.set["triggers"] = None

    def dup_available_pixel_formats_as_strings(self) -> list[str]:
        return ["Mono8", "BayerRG8", "BayerRG12"]

    def set_pixel_format_from_string(self, name: str) -> None:
        self.set["pixel_format_as_string"] = name

    def set_region(self, *region: int) -> None:
        self.set["region"] = (*region[:2], *(side // 4 * 4 for side in region[2:]))

    def is_feature_available(self, name: str) -> bool:
        return name in self.has or name == "Gain"

    def get_device(self) -> Any:
        return SimpleNamespace(get_feature=lambda name: SimpleNamespace(get_unit=lambda: "dB"))

    def set_string(self, name: str, value: str) -> None:
        if name == "BalanceRatioSelector":
            self.colour = value
        else:
            self.has[name] = value

    def get_string(self, name: str) -> str:
        return self.has[name]

    def set_boolean(self, name: str, value: bool) -> None:
        self.has[name] = value

    def get_boolean(self, name: str) -> bool:
        return self.has[name]

    def set_float(self, name: str, value: float) -> None:
        self.has[name][self.colour] = value

    def get_float(self, name: str) -> float:
        value = self.has[name]
        return value[self.colour] if isinstance(value, dict) else value

    def get_float_bounds(self, name: str) -> tuple[float, float]:
        return 0.5, 4.0

    def is_gv_device(self) -> bool:
        return False


def run(camera: Nodes, **changes: object) -> dict[str, object]:
    setup = GenicamSetup(ARAVIS, camera, "genicam X", replace(SETTINGS, **changes))
    setup.run()
    return setup.facts


def test_all_that_a_camera_changes_by_itself_is_turned_off() -> None:
    camera = Nodes()
    facts = run(camera)
    assert (camera.set["exposure_time_auto"], camera.set["gain_auto"]) == ("off", "off")
    assert (camera.has["BalanceWhiteAuto"], camera.has["GammaEnable"]) == ("Off", False)
    assert camera.set["acquisition_mode"] == "continuous"
    assert "triggers" in camera.set
    assert camera.has["BalanceRatio"] == {"Red": 1.0, "Blue": 1.0}
    assert facts == {
        "pixel_format": "BayerRG8",
        "region_px": [592, 412, 256, 256],
        "binning": 1,
        "exposure_us": 20_000.0,
        "framerate": 30.0,
        "gain": pytest.approx(20 * math.log10(8)),
        "gain_unit": "dB",
        "colour_gains": [1.0, 1.0],
    }


def test_colour_gains_of_0_and_iso_0_are_left() -> None:
    camera = Nodes()
    camera.set["gain"] = 3.5
    facts = run(camera, colour_gains=(0.0, 0.0), iso=0)
    assert (facts["colour_gains"], facts["gain"], facts["gain_unit"]) == ([1.9, 2.2], 3.5, "as it was")


def test_grey_has_no_colour_gains() -> None:
    assert run(Nodes(), camera_format="Mono8")["colour_gains"] == "none"


REFUSED = {
    "automatic exposure": ({"get_exposure_time_auto": lambda: "continuous"}, {}, "automatic exposure cannot be turned"),
    "automatic gain": ({"get_gain_auto": lambda: "continuous"}, {}, "automatic gain cannot be turned off"),
    "white balance": ({"get_string": lambda name: "Continuous"}, {}, "automatic white balance cannot be turned off"),
    "gamma": ({"get_boolean": lambda name: True}, {}, "gamma cannot be turned off"),
    "steps": (
        {},
        {"resolution": (250, 256)},
        "resolution is 248, 256, wanted is 250, 256; its width goes in steps",
    ),
    "size": (
        {},
        {"resolution": (2000, 256)},
        "resolution = 2000, 256 is not to be had, it has 16 to 1440 by 16",
    ),
    "binning": ({"get_binning": lambda: (1, 1)}, {"camera_binning": 2}, "binning is 1x1, wanted is 2x2"),
    "exposure": ({"get_exposure_time": lambda: 16_000.0}, {}, "exposure is 16000 us, wanted is 20000; it has"),
    "rate": ({"get_frame_rate": lambda: 24.0}, {}, "frame rate is 24, wanted is 30; it has"),
    "gain": ({}, {"iso": 3200}, r"gain is 30.103 dB, wanted is 30.103 \(iso = 3200, .* it has 0 to 24"),
    "colour": ({"get_float": lambda name: 1.6}, {}, "red gain is 1.6, wanted is 1; it has 0.5 to 4"),
    "format": ({"get_pixel_format_as_string": lambda: "Mono8"}, {}, "pixel format is Mono8, wanted is BayerRG8"),
}


@pytest.mark.parametrize(("whims", "changes", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_a_camera_does_not_keep_is_refused(whims: dict, changes: dict, says: str) -> None:
    camera = Nodes()
    for name, whim in whims.items():
        setattr(camera, name, whim)
    with pytest.raises(CameraError, match=f"^genicam X: {says}") as caught:
        run(camera, **changes)
    assert "\n" not in str(caught.value)


def test_the_rate_that_results_counts_where_it_is_told() -> None:
    with pytest.raises(CameraError, match=r"frame rate is 21\.5, wanted is 30"):
        run(Nodes(ResultingFrameRate=21.5))
    assert run(Nodes(ResultingFrameRate=29.9))["framerate"] == 29.9


def test_what_the_library_raises_names_the_key() -> None:
    camera = Nodes()

    def refuse(value: float) -> None:
        raise RuntimeError("write error\non port")

    camera.set_exposure_time = refuse
    with pytest.raises(CameraError, match="shutter_speed = 20000: the camera says: write error on port; see"):
        run(camera)


ONE = Found("Maker-123", "Maker", "Fast", "123", "10.0.0.5")
TWO = Found("Maker-124", "Maker", "Fast", "124", "10.0.0.6")


@pytest.mark.parametrize("camera_id", ["Maker-124", "124", "10.0.0.6"])
def test_a_camera_is_picked_by_id_serial_or_address(camera_id: str) -> None:
    assert pick([ONE, TWO], camera_id) == TWO


def test_a_camera_is_picked_by_model_where_there_is_one_and_the_first_without_a_name() -> None:
    assert pick([ONE], "Fast") == pick([ONE, TWO], "") == ONE


def test_cameras_that_cannot_be_told_apart_or_are_not_there_are_named() -> None:
    with pytest.raises(CameraError, match=r"camera_id = Fast fits more than one camera: Maker Fast 123 at 10"):
        pick([ONE, TWO], "Fast")
    with pytest.raises(CameraError, match=r"camera_id = 9 fits no camera that answers: Maker Fast 123 at"):
        pick([ONE, TWO], "9")
    with pytest.raises(CameraError, match="none answers"):
        pick([], "")
