"""The driver that uses stapipy, over the module that stands for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from threading import Thread
from typing import Any

import numpy as np
import pytest

from camera.driver import Grabbed, Lost
from camera.fake_stapi import Bench, make_library
from camera.fake_stapi_nodes import Node, number
from camera.settings import CameraKind, CameraSettings
from camera.stapi import StapiDriver, stapi_lacking
from core.clock import VirtualClock
from core.errors import CameraError, InputError

S = 1_000_000_000
SETTINGS = replace(CameraSettings(), vid_source=CameraKind.genicam, resolution=(32, 24))
INTERVAL_NS = 66_666_667


def new_bench(**features: Any) -> Bench:
    return Bench(VirtualClock(start_ns=100 * S), **features)


def make(bench: Bench, settings: CameraSettings = SETTINGS) -> StapiDriver:
    return StapiDriver(settings, bench.clock, make_library(bench))


def started(bench: Bench, settings: CameraSettings = SETTINGS) -> StapiDriver:
    driver = make(bench, settings)
    driver.open()
    driver.start()
    return driver


def next_given(driver: StapiDriver) -> Grabbed | Lost:
    for _ in range(5):
        if (given := driver.grab(0.1)) is not None:
            return given
    raise AssertionError("nothing came")


def grab_in_vain(driver: StapiDriver, times: int) -> None:
    for _ in range(times):
        driver.grab(0.1)


def test_what_was_asked_for_is_read_back() -> None:
    bench = new_bench()
    driver = make(bench)
    facts = dict(driver.open())
    assert driver.name == "genicam STC-MCS163 21M1234"
    assert facts["pixel_format"] == "BGR8"
    assert (facts["exposure_us"], facts["framerate"]) == (60_000.0, 15.0)
    assert (facts["gain"], facts["gain_unit"]) == (pytest.approx(18.06, abs=0.01), "dB")
    assert facts["colour_gains"] == [1.0, 1.0]
    assert (facts["library"], facts["loss_told_by"]) == ("stapipy", "event")
    automatic = ("TriggerMode", "ExposureAuto", "GainAuto", "BalanceWhiteAuto", "GammaEnable")
    assert [bench.nodes[name].stored for name in automatic] == ["Off"] * 4 + [False]
    assert bench.nodes["AcquisitionMode"].stored == "Continuous"
    driver.close()
    bench.check_empty()


def test_life_cycle_is_that_of_the_vendors_samples() -> None:
    bench = new_bench()
    driver = started(bench)
    next_given(driver)
    driver.close()
    driver.close()
    assert bench.calls == [
        "initialize", "create_system", "create_device", "start_event_acquisition", "create_datastream",
        "start_acquisition", "acquisition_start", "acquisition_stop", "stop_acquisition", "stop_event_acquisition",
        "terminate",
    ]  # fmt: skip
    bench.check_empty()


def test_opens_again_after_close() -> None:
    bench = new_bench()
    driver = started(bench)
    driver.close()
    with pytest.raises(CameraError, match="is not started"):
        driver.grab(0.1)
    driver.open()
    driver.start()
    next_given(driver)
    driver.close()
    bench.check_empty()


def test_a_close_from_another_thread_leaves_stapi_alone() -> None:
    bench = new_bench()
    driver = started(bench)
    other = Thread(target=driver.close)
    other.start()
    other.join(10)
    assert bench.initialised
    driver.close()
    bench.check_empty()


FORMATS = {"": ((24, 32, 3), np.uint8), "BayerRG8": ((24, 32, 3), np.uint8), "BayerRG12": ((24, 32, 3), np.uint16)}


@pytest.mark.parametrize(("camera_format", "expected"), FORMATS.items())
def test_images_are_copied_inside_the_with(camera_format: str, expected: tuple[Any, Any]) -> None:
    driver = started(new_bench(), replace(SETTINGS, camera_format=camera_format))
    first, second = next_given(driver), next_given(driver)
    assert isinstance(first, Grabbed)
    assert isinstance(second, Grabbed)
    assert (first.image.shape, first.image.dtype) == expected
    assert np.all(first.image == 0)
    assert np.all(second.image == 1)
    assert second.time_ns - first.time_ns == pytest.approx(INTERVAL_NS, abs=2)


def test_ids_tell_what_was_lost_also_where_they_come_round() -> None:
    bench = new_bench(first_id=65_533, lost={2, 3}, incomplete={5}, empty={7})
    driver = started(bench)
    given = [next_given(driver) for _ in range(7)]
    told = [(one.lost, one.cause) if isinstance(one, Grabbed) else (one.n, one.cause) for one in given]
    assert told == [(0, ""), (0, ""), (2, "transport"), (1, "incomplete"), (0, ""), (1, "incomplete"), (0, "")]


def test_a_late_grabber_is_told_what_it_lost() -> None:
    bench = new_bench()
    driver = started(bench)
    next_given(driver)
    bench.clock.sleep_until_ns(bench.clock.now_ns() + 40 * INTERVAL_NS)
    first = next_given(driver)
    assert isinstance(first, Grabbed)
    assert 20 < first.lost < 30  # 16 buffers waited


@pytest.mark.parametrize("events", [True, False])
def test_an_unplugged_camera_is_lost_at_once(events: bool) -> None:
    bench = new_bench(events=events, gone_from=2)
    driver = make(bench)
    assert driver.open()["loss_told_by"] == ("event" if events else "retrieve_buffer")
    driver.start()
    next_given(driver)
    next_given(driver)
    begin_ns = bench.clock.now_ns()
    with pytest.raises(CameraError, match=r"was unplugged, or its network is gone; see to its power and cable"):
        grab_in_vain(driver, 2)
    assert bench.clock.now_ns() - begin_ns < 0.2 * S
    driver.close()
    bench.check_empty()


def test_a_silent_camera_is_lost_after_camera_timeout_s() -> None:
    bench = new_bench(silent_from=1)
    driver = started(bench)
    next_given(driver)
    with pytest.raises(CameraError, match=r"no frame for 5\.\d s \(GC_ERR_TIMEOUT"):
        grab_in_vain(driver, 100)


def stubborn(name: str) -> Callable[[], Bench]:
    def bench() -> Bench:
        made = new_bench()
        made.nodes[name].deaf = True
        return made

    return bench


def lacking(name: str) -> Callable[[], Bench]:
    def bench() -> Bench:
        made = new_bench()
        del made.nodes[name]
        return made

    return bench


def with_node(name: str, node: Node) -> Callable[[], Bench]:
    def bench() -> Bench:
        made = new_bench()
        made.nodes[name] = node
        return made

    return bench


REFUSED: dict[str, tuple[Callable[[], Bench], dict[str, Any], str]] = {
    "no camera": (lambda: new_bench(serials=()), {}, r"none answers; see to its power and cable"),
    "not that one": (new_bench, {"camera_id": "X1"}, r"camera_id = X1 fits no camera .*STC-MCS163 21M1234"),
    "busy": (lambda: new_bench(busy=True), {}, r"controlled by another application; .* end other programs .*StViewer"),
    "exposure": (stubborn("ExposureTime"), {}, r"exposure is 10000 us, wanted is 60000 us \(shutter_speed\)"),
    "automatic": (stubborn("ExposureAuto"), {}, r"ExposureAuto is not Off"),
    "gamma": (stubborn("GammaEnable"), {}, r"GammaEnable is not off"),
    "trigger": (stubborn("TriggerMode"), {}, r"TriggerMode is not Off"),
    "width": (stubborn("Width"), {}, r"width is 1440 px, wanted is 32 px \(resolution\)"),
    "gain": (new_bench, {"iso": 6400}, r"iso asks for Gain = 36.1236, it allows 0 to 20.8 .*; change iso"),
    "rate": (new_bench, {"framerate": 200.0, "shutter_speed": 1000}, r"framerate asks for .* = 200, it allows 0.1 to"),
    "size": (new_bench, {"resolution": (2048, 24)}, r"resolution asks for Width = 2048, it allows 16 to 1440"),
    "format": (new_bench, {"camera_format": "YUV8"}, r"camera_format = YUV8 is not one that .*BayerRG8, BayerRG12"),
    "colours": (stubborn("BalanceRatio"), {"colour_gains": (2.0, 1.0)}, r"red gain is 1, wanted is 2 \(colour_gains\)"),
    "balance": (new_bench, {"awb_mode": "auto"}, r"awb_mode = auto; it must stay off here"),
    "feature": (lacking("ExposureTime"), {}, r"it has no feature ExposureTime"),
}  # fmt: skip


@pytest.mark.parametrize(("bench", "changes", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_the_session(bench: Callable[[], Bench], changes: dict[str, Any], says: str) -> None:
    standing = bench()
    driver = make(standing, replace(SETTINGS, **changes))
    with pytest.raises(CameraError, match=says) as caught:
        driver.open()
    assert "\n" not in str(caught.value)
    standing.check_empty()


def test_gain_is_a_factor_where_the_camera_says_no_db() -> None:
    facts = make(with_node("Gain", number(1, 1, 16))()).open()
    assert (facts["gain"], facts["gain_unit"]) == (8.0, "factor")


def test_a_grey_camera_has_no_white_balance() -> None:
    bench = new_bench()
    for name in ("BalanceRatio", "BalanceRatioSelector", "BalanceWhiteAuto", "GammaEnable"):
        del bench.nodes[name]
    bench.nodes["PixelFormat"].symbols = ["Mono8"]
    facts = make(bench).open()
    assert (facts["pixel_format"], facts["colour_gains"]) == ("Mono8", "none")


def test_the_serial_number_chooses_among_several() -> None:
    bench = new_bench(serials=("A", "B", "C"))
    assert make(bench, replace(SETTINGS, camera_id="B")).open()["serial"] == "B"


def test_an_exposure_longer_than_a_frame_is_refused() -> None:
    with pytest.raises(InputError, match="does not fit into a frame"):
        make(new_bench(), replace(SETTINGS, framerate=30.0))


def test_without_stapipy_the_cure_is_the_makers_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stapipy", None)
    assert "install Omron Sentech's SentechSDK" in stapi_lacking()
    with pytest.raises(CameraError, match=r"stapipy cannot be imported .*genicam_library = aravis"):
        StapiDriver(SETTINGS).open()


def test_the_stand_in_refuses_what_aborts_the_real_one() -> None:
    bench = new_bench()
    library = make_library(bench)
    with pytest.raises(AssertionError, match="not initialised"):
        library.create_system()
    library.initialize()
    device = library.create_system().get_interface(0).create_device_by_index(0)
    stream = device.create_datastream()
    with pytest.raises(AssertionError, match="before start_acquisition"):
        stream.retrieve_buffer(10)
    with pytest.raises(AssertionError, match="started first"):
        device.acquisition_start()
    stream.start_acquisition()
    device.acquisition_start()
    with pytest.raises(AssertionError, match="stopped first"):
        stream.stop_acquisition()
    with pytest.raises(AssertionError, match="not terminated"):
        bench.check_empty()
    bench.thread += 1
    with pytest.raises(AssertionError, match="second thread"):
        stream.retrieve_buffer(10)
