"""The driver of USB cameras, over a camera that stands for the kernel's and cv2's part."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from camera import v4l2
from camera.driver import Grabbed
from camera.fake_v4l2 import CONSTANTS, FakeCapture, WouldHang, fourcc_code, make_cv2
from camera.fake_v4l2_bench import Bench
from camera.setting_checks import usb_path
from camera.settings import CameraKind, CameraSettings
from camera.usb import UsbDriver
from camera.v4l2 import V4l2Node
from core.clock import VirtualClock
from core.errors import CameraError
from tests.support.drivers import (
    MS,
    S,
    check_opens_again,
    check_refused,
    check_silence,
    check_stamps_from_boot,
    grab_in_vain,
    losses,
    next_frame,
)

SETTINGS = replace(CameraSettings(), vid_source=CameraKind.usb, resolution=(34, 24))
SLEPT_NS = 3600 * S
INTERVAL_NS = 66_666_667


def new_bench(**features: Any) -> Bench:
    return Bench(VirtualClock(start_ns=100 * S), **features)


def make(bench: Bench, settings: CameraSettings = SETTINGS, slept_ns: int = 0) -> UsbDriver:
    return UsbDriver(settings, bench.clock, make_cv2(bench), bench.open_node, lambda: slept_ns)


def started(bench: Bench, settings: CameraSettings = SETTINGS) -> UsbDriver:
    driver = make(bench, settings)
    driver.open()
    driver.start()
    return driver


def number(frame: Grabbed) -> int:
    return int(frame.image[0, 0, 0])


@pytest.mark.parametrize("name", CONSTANTS)
def test_numbers_of_the_stand_in_are_opencvs(name: str) -> None:
    assert getattr(cv2, name) == CONSTANTS[name]


def test_names_of_the_stand_in_are_opencvs() -> None:
    for name in ("isOpened", "set", "get", "waitAny", "retrieve", "release"):
        assert hasattr(cv2.VideoCapture, name)
        assert hasattr(FakeCapture, name)
    assert fourcc_code(*"MJPG") == cv2.VideoWriter_fourcc(*"MJPG")


def test_what_was_asked_for_is_read_back() -> None:
    bench = new_bench()
    driver = make(bench)
    assert driver.open() == {
        "pixel_format": "YUYV",
        "framerate": 15.0,
        "buffers": 4,
        "exposure_us": 60_000.0,
        "gain": 8.0,
        "white_balance": "off",
        "white_balance_temperature": 4600.0,
        "focus": 30.0,
        "time_from": "monotonic",
        "drops_told_by": "stamp",
    }
    assert driver.name == "usb camera /dev/video0 (Fake Webcam)"
    adapting = (v4l2.EXPOSURE_AUTO_PRIORITY, v4l2.AUTO_WHITE_BALANCE, v4l2.FOCUS_AUTO)
    assert [bench.controls[control].value for control in adapting] == [0, 0, 0]
    assert bench.controls[v4l2.EXPOSURE_AUTO].value == v4l2.EXPOSURE_MANUAL
    driver.close()
    driver.close()
    bench.check_empty()


def test_jpeg_only_where_raw_pixels_are_too_slow() -> None:
    assert make(new_bench(), replace(SETTINGS, framerate=60.0, shutter_speed=5000)).open()["pixel_format"] == "MJPG"


def test_frames_have_the_kernels_times() -> None:
    bench = new_bench(jitter_ns=(0, 900_000, -700_000))
    driver = started(bench)
    frames = [next_frame(driver) for _ in range(30)]
    assert frames[0].image.shape == (24, 34, 3)
    assert frames[0].image[1, 1].tolist() == [40, 120, 200]
    assert all(frame.time_ns == frame.sensor_ns for frame in frames)
    assert np.allclose(np.diff([frame.time_ns for frame in frames]), INTERVAL_NS, atol=1_700_000)
    assert sum(frame.lost for frame in frames) == 0


def test_stamps_on_the_clock_that_runs_through_sleep() -> None:
    bench = new_bench(stamp_offset_ns=SLEPT_NS)
    check_stamps_from_boot(make(bench, slept_ns=SLEPT_NS), bench, SLEPT_NS)


@pytest.mark.parametrize("offset_ns", [None, 1_700_000_000 * S], ids=["never set", "time of day"])
def test_without_stamps_of_the_host_frames_have_the_time_of_their_arrival(offset_ns: int | None) -> None:
    bench = new_bench(stamp_offset_ns=offset_ns)
    driver = make(bench)
    facts = driver.open()
    assert (facts["time_from"], facts["drops_told_by"]) == ("arrival", "nothing")
    driver.start()
    frame = next_frame(driver)
    assert (frame.time_ns, frame.lost) == (bench.clock.now_ns(), 0)


def test_stamps_that_were_never_set_do_not_pass_for_those_of_a_host_that_has_just_started() -> None:
    bench = Bench(VirtualClock(start_ns=S // 10), stamp_offset_ns=None)
    assert make(bench).open()["time_from"] == "arrival"


def test_stamps_that_reckon_the_end_of_the_frame_are_taken_but_not_for_the_future() -> None:
    bench = new_bench(stamp_offset_ns=50 * MS)
    driver = make(bench)
    assert driver.open()["time_from"] == "monotonic"
    driver.start()
    frame = next_frame(driver)
    assert frame.time_ns == bench.clock.now_ns() < frame.sensor_ns


def test_frames_from_before_the_start_are_not_given() -> None:
    for offset_ns, phase_ms in [(None, 0), *((0, phase_ms) for phase_ms in range(0, 67, 7))]:
        bench = new_bench(stamp_offset_ns=offset_ns)
        driver = make(bench)
        driver.open()
        bench.clock.sleep_until_ns(bench.clock.now_ns() + 10 * S + phase_ms * MS)
        begin = bench.clock.now_ns()
        driver.start()
        frame = next_frame(driver)
        assert frame.time_ns >= begin
        assert frame.lost == 0
        assert number(frame) > 140  # 10 s at 15 frames/s


def test_lost_and_broken_frames_are_counted_apart() -> None:
    bench = new_bench(jitter_ns=(0, 9 * MS, -9 * MS))
    driver = started(bench)
    first = number(next_frame(driver))
    bench.lost.update({first + 2, first + 5, first + 6})
    bench.broken.update({first + 4, first + 7})
    # 1, (2) 3, 4 broken, (5 6), 7 broken, 8, 9
    told = [(0, ""), (1, "driver"), (1, "incomplete"), (2, "driver"), (1, "incomplete"), (0, ""), (0, "")]
    assert losses(driver, 7) == told


def test_a_late_grabber_loses_no_frame_that_had_a_buffer() -> None:
    bench = new_bench()
    driver = started(bench)
    before = next_frame(driver)
    bench.clock.sleep_until_ns(bench.clock.now_ns() + 4 * INTERVAL_NS)
    assert [next_frame(driver).lost for _ in range(4)] == [0] * 4
    bench.clock.sleep_until_ns(bench.clock.now_ns() + 20 * INTERVAL_NS)
    frames = [next_frame(driver) for _ in range(6)]
    assert number(frames[-1]) - number(before) == 10 + sum(frame.lost for frame in frames)
    assert sum(frame.lost for frame in frames) > 10


@pytest.mark.parametrize("hangs_up", [False, True])
def test_an_unplugged_camera_is_lost_at_once(hangs_up: bool) -> None:
    bench = new_bench(hangs_up=hangs_up)
    driver = started(bench)
    bench.gone_from = number(next_frame(driver)) + 2
    next_frame(driver)
    with pytest.raises(CameraError, match=r"\(Fake Webcam\): is gone .*; see to its plug and hub"):
        grab_in_vain(driver, 1)
    driver.close()
    bench.check_empty()


def test_a_silent_camera_is_lost_after_camera_timeout_s() -> None:
    bench = new_bench()
    driver = started(bench)
    bench.silent_from = number(next_frame(driver)) + 1
    check_silence(driver, bench, r"no frame for 5\.\d s; see to its plug")


def test_opens_again_after_close() -> None:
    bench = new_bench()
    check_opens_again(started(bench), bench, "is not open")


def without(*controls: int) -> Callable[[], Bench]:
    def bench() -> Bench:
        made = new_bench()
        for control in controls:
            del made.controls[control]
        return made

    return bench


def deaf(*controls: int) -> Callable[[], Bench]:
    return lambda: new_bench(deaf_to=set(controls))


REFUSED: dict[str, tuple[Callable[[], Bench], dict[str, Any], str]] = {
    "no device": (new_bench, {"camera_id": "3"}, r"/dev/video3: there is no such device; plug the camera in"),
    "busy": (lambda: new_bench(busy=True), {}, r"gives no stream; another program uses it \(fuser -v /dev/video0"),
    "silent": (lambda: new_bench(silent_from=0), {}, r"no frame within 2 s; give it a USB port of its own"),
    "size": (new_bench, {"resolution": (256, 256)}, r"gives 320x240 at 15 frames/s as YUYV, or .* wanted is 256x256"),
    "rate": (new_bench, {"framerate": 200.0, "shutter_speed": 1000}, r"as YUYV, or 34x24 at 120 frames/s as MJPG"),
    "formats": (lambda: new_bench(modes={"GREY": {(34, 24): 30}}), {}, r"gives neither YUYV nor MJPG; wanted is 34x24"),
    "exposure": (new_bench, {"framerate": 3.0, "shutter_speed": 300_000},
                 r"exposure is 204700 us, wanted is 300000 us .*\(it allows exposure 300 to 204700 us and gain 0 to"),
    "no exposure": (without(v4l2.EXPOSURE_ABSOLUTE), {}, r"exposure is not told by the camera, wanted is 60000 us"),
    "no gain": (without(v4l2.GAIN), {}, r"gain is not told by the camera, wanted is 8"),
    "always automatic": (deaf(v4l2.EXPOSURE_AUTO), {}, r"automatic exposure cannot be switched off"),
    "white balance": (deaf(v4l2.AUTO_WHITE_BALANCE), {}, r"automatic white balance cannot be switched off"),
    "focus": (deaf(v4l2.FOCUS_AUTO), {}, r"automatic focus cannot be switched off"),
}  # fmt: skip


@pytest.mark.parametrize(("bench", "changes", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_the_session(bench: Callable[[], Bench], changes: dict[str, Any], says: str) -> None:
    standing = bench()
    check_refused(make(standing, replace(SETTINGS, **changes)), standing, says)


def test_zero_leaves_exposure_and_gain_but_not_their_automatics() -> None:
    bench = new_bench()
    bench.controls[v4l2.AUTOGAIN] = type(bench.controls[v4l2.GAIN])(0, 1, 1)
    facts = make(bench, replace(SETTINGS, shutter_speed=0, iso=0)).open()
    assert (facts["exposure_us"], facts["gain"]) == (25_000.0, 40.0)
    assert bench.controls[v4l2.EXPOSURE_AUTO].value == v4l2.EXPOSURE_MANUAL
    assert bench.controls[v4l2.AUTOGAIN].value == 0


def test_a_camera_without_controls_is_taken_where_nothing_is_asked_of_it() -> None:
    bench = new_bench(controls={})
    facts = make(bench, replace(SETTINGS, shutter_speed=0, iso=0)).open()
    assert (facts["exposure_us"], facts["gain"], facts["focus"]) == (None, None, None)


PATHS = {"": "/dev/video0", "2": "/dev/video2", "/dev/v4l/by-id/usb-x": "/dev/v4l/by-id/usb-x"}


@pytest.mark.parametrize(("camera_id", "path"), PATHS.items())
def test_paths(camera_id: str, path: str) -> None:
    assert usb_path(camera_id) == path


def test_the_stand_in_refuses_what_crashes_or_hangs_opencv() -> None:
    bench = new_bench(silent_from=0)
    capture = make_cv2(bench).VideoCapture("/dev/video0", CONSTANTS["CAP_V4L2"])
    with pytest.raises(WouldHang, match="no time limit"):
        capture.waitAny([capture])
    capture.release()
    with pytest.raises(WouldHang, match="not open"):
        capture.waitAny([capture], 1)
    with pytest.raises(NotImplementedError):
        capture.get(999)
    assert not capture.set(CONSTANTS["CAP_PROP_FPS"], 15)


def test_real_nodes_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "NODES", tmp_path)
    with pytest.raises(CameraError, match=r"no such device; .*\(there is no /dev/video\* at all\)"):
        V4l2Node(str(tmp_path / "video7"))
    (tmp_path / "video3").write_text("")
    with pytest.raises(CameraError, match=r"video3: is not a video device .*\(there are .*video3\)"):
        V4l2Node(str(tmp_path / "video3"))


@pytest.mark.parametrize(
    ("number", "says"),
    [(13, "may not be opened; sudo usermod -aG video"), (16, "used by another program"), (6, "cannot be opened")],
)
def test_reasons_of_the_kernel(number: int, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(v4l2.os, "open", refuse)
    with pytest.raises(CameraError, match=says):
        V4l2Node("/dev/video0")
