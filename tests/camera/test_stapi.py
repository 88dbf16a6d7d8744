"""The driver that uses stapipy, over the module that stands for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from threading import Thread
from typing import Any

import numpy as np
import pytest

from camera.fake_stapi import make_library
from camera.fake_stapi_bench import Bench
from camera.fake_stapi_nodes import Node, number
from camera.settings import CameraKind, CameraSettings
from camera.stapi import StapiDriver, stapi_lacking
from core.clock import VirtualClock
from core.errors import CameraError, InputError
from tests.support.drivers import S, check_opens_again, check_refused, check_silence, grab_in_vain, losses, next_frame

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
    next_frame(driver)
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
    check_opens_again(started(bench), bench, "is not started")


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
    first, second = next_frame(driver), next_frame(driver)
    assert (first.image.shape, first.image.dtype) == expected
    assert np.all(first.image == 0)
    assert np.all(second.image == 1)
    assert second.time_ns - first.time_ns == pytest.approx(INTERVAL_NS, abs=2)


def test_ids_tell_what_was_lost_also_where_they_come_round() -> None:
    driver = started(new_bench(first_id=65_533, lost={2, 3}, incomplete={5}, empty={7}))
    told = [(0, ""), (0, ""), (2, "transport"), (1, "incomplete"), (0, ""), (1, "incomplete"), (0, "")]
    assert losses(driver, 7) == told


def test_what_is_missing_before_a_broken_frame_was_lost_on_its_way() -> None:
    driver = started(new_bench(lost={1, 2, 3}, incomplete={4}))
    assert losses(driver, 4) == [(0, ""), (3, "transport"), (1, "incomplete"), (0, "")]
    assert next_frame(driver).lost == 0


def test_a_broken_frame_is_not_told_of_after_a_new_start() -> None:
    bench = new_bench(lost={1}, incomplete={2})
    driver = started(bench)
    assert losses(driver, 2) == [(0, ""), (1, "transport")]
    driver.close()
    bench.lost, bench.incomplete = set(), set()
    driver.open()
    driver.start()
    assert losses(driver, 2) == [(0, "")] * 2


def test_the_camera_that_was_lost_is_opened_again_and_no_other() -> None:
    bench = new_bench()
    driver = started(bench)
    assert driver.identity == "OMRON SENTECH STC-MCS163 21M1234"
    driver.close()
    bench.serials = ("0A", "21M1234")
    assert driver.open()["serial"] == "21M1234"
    driver.close()
    bench.serials = ("0A",)
    check_refused(driver, bench, r"SENTECH STC-MCS163 21M1234 was lost; OMRON SENTECH STC-MCS163 0A answers, which is")
    assert bench.calls.count("create_device") == 2


def test_a_late_grabber_is_told_what_it_lost() -> None:
    bench = new_bench()
    driver = started(bench)
    next_frame(driver)
    bench.clock.sleep_until_ns(bench.clock.now_ns() + 40 * INTERVAL_NS)
    first = next_frame(driver)
    assert 20 < first.lost < 30  # 16 buffers waited


@pytest.mark.parametrize("events", [True, False])
def test_an_unplugged_camera_is_lost_at_once(events: bool) -> None:
    bench = new_bench(events=events, gone_from=2)
    driver = make(bench)
    assert driver.open()["loss_told_by"] == ("event" if events else "retrieve_buffer")
    driver.start()
    next_frame(driver)
    next_frame(driver)
    begin_ns = bench.clock.now_ns()
    with pytest.raises(CameraError, match=r"was unplugged, or its network is gone; see to its power and cable"):
        grab_in_vain(driver, 2)
    assert bench.clock.now_ns() - begin_ns < 0.2 * S
    driver.close()
    bench.check_empty()


def test_a_silent_camera_is_lost_after_camera_timeout_s() -> None:
    bench = new_bench(silent_from=1)
    driver = started(bench)
    next_frame(driver)
    check_silence(driver, bench, r"no frame for 5\.\d s \(GC_ERR_TIMEOUT")


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
    "format": (new_bench, {"camera_format": "Mono12"}, r"camera_format = Mono12 is not one that .*BayerRG8, BayerRG12"),
    "colours": (stubborn("BalanceRatio"), {"colour_gains": (2.0, 1.0)}, r"red gain is 1, wanted is 2 \(colour_gains\)"),
    "feature": (lacking("ExposureTime"), {}, r"it has no feature ExposureTime"),
}  # fmt: skip


@pytest.mark.parametrize(("bench", "changes", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_the_session(bench: Callable[[], Bench], changes: dict[str, Any], says: str) -> None:
    standing = bench()
    check_refused(make(standing, replace(SETTINGS, **changes)), standing, says)


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


def test_settings_that_no_genicam_camera_keeps() -> None:
    with pytest.raises(InputError, match="does not fit into a frame"):
        make(new_bench(), replace(SETTINGS, framerate=30.0))
    assert make(new_bench(), replace(SETTINGS, shutter_speed=0)).open()["exposure_us"] == 10_000.0


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
