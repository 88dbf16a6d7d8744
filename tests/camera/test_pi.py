"""The Raspberry Pi camera's driver, over the module that stands for picamera2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera import stamps_live
from camera.fake_pi_bench import Bench
from camera.fake_pi_requests import RELEASED
from camera.fake_pi_sensor import MODES
from camera.fake_picamera2 import make_library
from camera.pi import PiDriver
from camera.pi_setup import controls_for
from camera.setting_checks import PI_AWB_MODES
from camera.settings import CameraKind, CameraSettings
from core.clock import VirtualClock
from core.errors import CameraError
from tests.support.drivers import (
    MS,
    S,
    check_opens_again,
    check_refused,
    check_silence,
    check_stamps_from_boot,
    next_frame,
)

SETTINGS = replace(
    CameraSettings(), vid_source=CameraKind.pi, resolution=(34, 24), colour_gains=(1.5, 2.0), sensor_mode=7
)
SLEPT_NS = 3600 * S


def make(bench: Bench, settings: CameraSettings = SETTINGS, slept_ns: int = 0) -> PiDriver:
    return PiDriver(settings, bench.clock, make_library(bench), lambda: slept_ns)


def new_bench(**features: Any) -> Bench:
    return Bench(VirtualClock(start_ns=100 * S), **features)


def started(bench: Bench, settings: CameraSettings = SETTINGS, slept_ns: int = 0) -> PiDriver:
    driver = make(bench, settings, slept_ns)
    driver.open()
    driver.start()
    return driver


def test_what_was_asked_for_is_read_back_from_a_frame() -> None:
    bench = new_bench()
    driver = make(bench)
    facts = driver.open()
    assert driver.name == "Raspberry Pi camera 0 (imx219)"
    assert facts["exposure_us"] == pytest.approx(60_000, abs=15)
    assert (facts["analogue_gain"], facts["digital_gain"]) == (8.0, 1.0)
    assert facts["colour_gains"] == (1.5, 2.0)
    assert facts["frame_duration_us"] == 66_667
    assert facts["sensor_mode"] == "1920x1080 10 bit up to 47.57 frames/s"
    assert facts["time_from"] == "monotonic"
    driver.close()
    bench.check_empty()
    assert bench.calls == ["open 0", "configure", "start", "stop", "close"]


def test_what_adapts_by_itself_is_taken_out_of_the_tuning() -> None:
    bench = new_bench()
    driver = make(bench)
    facts = driver.open()
    assert bench.used_tuning is not None
    assert {"rpi.contrast": {"ce_enable": 0}} in bench.used_tuning["algorithms"]
    assert {"rpi.alsc": {"n_iter": 0}} in bench.used_tuning["algorithms"]
    assert facts["switched_off"] == "AeEnable, NoiseReductionMode, rpi.contrast, rpi.alsc"


MONO = {"version": 2.0, "algorithms": [{"rpi.contrast": {"ce_enable": 1}}, {"rpi.black_level": {"black_level": 3840}}]}


def test_a_sensor_without_colours_has_the_tuning_of_its_own_and_no_white_balance() -> None:
    bench = new_bench(mono=True, mono_tuning=MONO)
    driver = make(bench)
    facts = driver.open()
    assert bench.used_tuning == {
        "version": 2.0,
        "algorithms": [{"rpi.contrast": {"ce_enable": 0}}, {"rpi.black_level": {"black_level": 3840}}],
    }
    assert facts["switched_off"] == "AeEnable, NoiseReductionMode, rpi.contrast"
    assert facts["colour_gains"] is None
    driver.close()
    driver.open()  # after a loss: what it is, is known
    driver.close()
    bench.check_empty()
    assert [call for call in bench.calls if call.startswith("open")] == ["open 0"] * 3


def test_a_sensor_without_colours_never_has_the_tuning_of_its_coloured_sister() -> None:
    bench = new_bench(mono=True)
    assert make(bench).open()["switched_off"] == "AeEnable, NoiseReductionMode"
    assert bench.used_tuning is None


def test_without_a_tuning_file_the_facts_do_not_claim_it() -> None:
    bench = new_bench(tuning=None)
    assert make(bench).open()["switched_off"] == "AeEnable, NoiseReductionMode"
    assert bench.used_tuning is None


def test_frames_are_bgr_in_the_cameras_own_memory_until_the_next_call() -> None:
    bench = new_bench()
    driver = started(bench, replace(SETTINGS, iso=100))
    grabbed = driver.grab(1.0)
    assert grabbed is not None
    assert grabbed.image.shape == (24, 34, 3)
    assert grabbed.image[1, 1].tolist() == [120, 60, 90]  # blue gain 2, red 1.5
    kept = grabbed.image
    driver.grab(1.0)
    assert np.all(kept == RELEASED)
    driver.close()
    bench.check_empty()


def test_times_are_those_of_the_sensor() -> None:
    bench = new_bench(jitter_ns=(0, 40_000, -25_000))
    driver = started(bench)
    frames = [next_frame(driver) for _ in range(30)]
    assert all(frame.time_ns == frame.sensor_ns for frame in frames)
    assert all(100 * S < frame.time_ns < bench.clock.now_ns() for frame in frames)
    assert np.allclose(np.diff([frame.time_ns for frame in frames]), 66_667_000, atol=70_000)
    assert sum(frame.lost for frame in frames) == 0


def test_stamps_on_the_clock_that_runs_through_sleep_are_brought_to_the_hosts() -> None:
    bench = new_bench(stamp_offset_ns=SLEPT_NS)
    check_stamps_from_boot(make(bench, slept_ns=SLEPT_NS), bench, SLEPT_NS)


def test_stamps_of_an_unknown_clock_are_not_believed() -> None:
    bench = new_bench(stamp_offset_ns=-50 * S)
    driver = make(bench)
    assert driver.open()["time_from"] == "arrival"
    driver.start()
    assert next_frame(driver).time_ns == bench.clock.now_ns()


def test_frames_from_before_the_start_are_not_given() -> None:
    bench = new_bench()
    driver = make(bench)
    driver.open()
    bench.clock.sleep_until_ns(bench.clock.now_ns() + 10 * S)  # the session asks for the mouse's weight
    begin_ns = bench.clock.now_ns()
    driver.start()
    first = next_frame(driver)
    assert first.time_ns >= begin_ns
    assert first.lost == 0


def test_lost_frames_are_counted_by_stamp() -> None:
    bench = new_bench(jitter_ns=(0, 9_000_000, -9_000_000))
    driver = started(bench)
    first = int(next_frame(driver).image[0, 0, 0])
    bench.lost.update({first + 2, first + 5, first + 6})
    frames = [next_frame(driver) for _ in range(8)]
    assert [(frame.lost, frame.cause) for frame in frames if frame.lost] == [(1, "driver"), (2, "driver")]
    assert [int(frame.image[0, 0, 0]) - first for frame in frames] == [1, 3, 4, 7, 8, 9, 10, 11]


def test_a_grabber_that_is_late_by_two_frames_loses_none() -> None:
    """The job that waits has the first of them, the queue the second."""
    bench = new_bench()
    driver = started(bench)
    for _ in range(10):
        next_frame(driver)
        bench.clock.sleep_until_ns(bench.clock.now_ns() + 2 * 66_667_000 + MS)
        assert [next_frame(driver).lost for _ in range(2)] == [0, 0]


def test_a_grabber_that_stalls_loses_frames_and_is_told_how_many() -> None:
    bench = new_bench()
    driver = started(bench)
    before = next_frame(driver)
    bench.clock.sleep_until_ns(bench.clock.now_ns() + S)
    frames = [next_frame(driver) for _ in range(4)]
    assert sum(frame.lost for frame in frames) > 10
    assert int(frames[-1].image[0, 0, 0]) - int(before.image[0, 0, 0]) == 4 + sum(frame.lost for frame in frames)


def test_a_thousand_frames_give_all_buffers_back() -> None:
    bench = new_bench()
    driver = started(bench)
    for _ in range(1000):
        assert next_frame(driver).lost == 0
    driver.close()
    driver.close()
    bench.check_empty()


def test_opens_again_after_close() -> None:
    bench = new_bench()
    check_opens_again(started(bench), bench, "is not open")


def test_a_camera_that_falls_silent_is_lost() -> None:
    bench = new_bench()
    driver = started(bench)
    number = int(next_frame(driver).image[0, 0, 0])
    bench.silent_from = number + 2
    next_frame(driver)
    check_silence(driver, bench, r"camera 0 \(imx219\): no frame for 5\.\d s; push both ends")
    driver.close()  # does not hang behind the capture that waits
    bench.check_empty()


def ignored(control: str) -> Callable[[], Bench]:
    return lambda: new_bench(deaf_to={control})


REFUSED: dict[str, tuple[Callable[[], Bench], dict[str, Any], str]] = {
    "no camera": (lambda: new_bench(cameras=[]), {}, r"none was found; push .* rpicam-hello --list-cameras"),
    "not that one": (new_bench, {"camera_id": "imx708"}, r"camera_id = imx708 is none .*0: imx219 at /i2c@1a\); give"),
    "busy": (lambda: new_bench(busy=True), {}, r"resource busy; another program uses it: end it"),
    "silent": (lambda: new_bench(silent_from=0), {}, r"no frame within 2 s; push both ends of its ribbon cable"),
    "mode": (new_bench, {"sensor_mode": 9}, r"sensor_mode = 9, but this one has 8 \(1: 640x480 8 bit up to 206.65"),
    "exposure": (ignored("ExposureTime"), {}, r"after 12 frames exposure is \d+ us, wanted is 60000 us \(shutter_"),
    "gain": (ignored("AnalogueGain"), {}, r"analogue gain is 1, wanted is 8 \(iso\)"),
    "colour": (ignored("ColourGains"), {}, r"red gain is 1.6, wanted is 1.5 \(colour_gains\); blue gain is 1.9, want"),
    "rate": (ignored("FrameDurationLimits"), {}, r"frame duration is 33333 us, wanted is 66666\.7 us \(framerate\)"),
    "untold": (lambda: new_bench(untold={"AnalogueGain"}), {}, r"analogue gain is not told by the camera, wanted is 8"),
    "iso range": (new_bench, {"iso": 1600}, r"iso asks for 1600, this camera and sensor mode allow 100 to 1066\.67"),
    "rate range": (
        new_bench, {"framerate": 90.0, "shutter_speed": 5000, "sensor_mode": 8},
        r"framerate asks for 11111 us per frame, this camera and sensor mode allow 47192 to",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("bench", "changes", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_the_session(bench: Callable[[], Bench], changes: dict[str, Any], says: str) -> None:
    standing = bench()
    check_refused(make(standing, replace(SETTINGS, **changes)), standing, says)


def test_controls() -> None:
    mono = {"ExposureTime": (1, 10**6, 0), "FrameDurationLimits": (1, 10**6, 0), "AnalogueGain": (1.0, 8.0, 1.0)}
    advertised = {**mono, "AwbEnable": (False, True, True), "ColourGains": (0.0, 32.0, 1.0)}
    fixed = {
        "AeEnable": False,
        "AwbEnable": False,
        "FrameDurationLimits": (66_667, 66_667),
        "ExposureTime": 60_000,
        "AnalogueGain": 8.0,
        "ColourGains": (1.5, 2.0),
    }
    assert controls_for(SETTINGS, advertised) == fixed
    of_mono = {name: value for name, value in fixed.items() if name not in ("AwbEnable", "ColourGains")}
    assert controls_for(SETTINGS, mono) == of_mono, "a monochrome sensor has no white balance"
    with_noise_reduction = {**advertised, "NoiseReductionMode": (0, 4, 0)}
    assert controls_for(SETTINGS, with_noise_reduction) == {**fixed, "NoiseReductionMode": 0}
    left = controls_for(replace(SETTINGS, shutter_speed=0, iso=0, awb_mode="cloudy"), advertised)
    assert left == {
        "AeEnable": False, "AwbEnable": True, "AwbMode": 6, "FrameDurationLimits": (66_667, 66_667),
    }  # fmt: skip


def test_zero_leaves_gain_and_colour_gains_alone() -> None:
    facts = make(new_bench(), replace(SETTINGS, iso=0, colour_gains=(0.0, 0.0), sensor_mode=0)).open()
    assert facts["analogue_gain"] == 1.0
    assert facts["colour_gains"] == (1.6, 1.9)
    assert facts["sensor_mode"] == "chosen by the driver"


@pytest.mark.parametrize("mode", PI_AWB_MODES)
def test_documented_white_balances_are_taken(mode: str) -> None:
    make(new_bench(), replace(SETTINGS, awb_mode=mode)).open()


@given(st.integers(1, len(MODES)), st.integers(75, 60_000), st.integers(100, 1066), st.sampled_from([5.0, 12.5, 15.0]))
def test_whatever_fits_the_sensor_is_kept(mode: int, exposure_us: int, iso: int, framerate: float) -> None:
    settings = replace(SETTINGS, sensor_mode=mode, shutter_speed=exposure_us, iso=iso, framerate=framerate)
    bench = new_bench()
    driver = make(bench, settings)
    facts = driver.open()
    assert facts["exposure_us"] == pytest.approx(exposure_us, abs=40, rel=0.01)
    assert facts["analogue_gain"] == pytest.approx(iso / 100, rel=0.05)
    driver.close()
    bench.check_empty()


def test_without_picamera2_the_cure_is_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "picamera2", None)
    driver = PiDriver(SETTINGS, VirtualClock())
    with pytest.raises(CameraError, match=r"picamera2 cannot be imported .*apt-get install python3-picamera2"):
        driver.open()


def test_the_host_tells_how_long_it_has_slept() -> None:
    assert stamps_live.boot_offset_ns() >= -MS
