"""The module that stands for picamera2 has its names and defaults, and refuses what it refuses.

The table is that of picamera2 0.3.38 (its source on PyPI, and the Picamera2 Manual): a name or default that is wrong
here would be wrong on a rig. ``make picamera2`` does the same to both and compares.
"""

from __future__ import annotations

import inspect
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

import numpy as np
import pytest

from camera import fake_pi_requests as requests
from camera import fake_picamera2 as fake
from camera.fake_pi_bench import Bench
from camera.fake_pi_requests import WouldHang
from camera.fake_picamera2 import make_library
from core.clock import VirtualClock

S = 1_000_000_000
REQUIRED = inspect.Parameter.empty
VIDEO = {
    "main": {}, "lores": None, "raw": {}, "buffer_count": 6, "controls": {}, "display": "main", "encode": "main",
    "queue": True, "sensor": {}, "use_case": "video",
}  # fmt: skip
SIGNATURES: dict[str, tuple[Any, dict[str, Any]]] = {
    "Picamera2": (fake.Picamera2, {"camera_num": 0, "verbose_console": None, "tuning": None, "allocator": None}),
    "global_camera_info": (fake.Picamera2.global_camera_info, {}),
    "load_tuning_file": (fake.Picamera2.load_tuning_file, {"tuning_file": REQUIRED, "dir": None}),
    "find_tuning_algo": (fake.Picamera2.find_tuning_algo, {"tuning": REQUIRED, "name": REQUIRED}),
    "create_video_configuration": (fake.Picamera2.create_video_configuration, VIDEO),
    "configure": (fake.Picamera2.configure, {"camera_config": None}),
    "camera_configuration": (fake.Picamera2.camera_configuration, {}),
    "set_controls": (fake.Picamera2.set_controls, {"controls": REQUIRED}),
    "start": (fake.Picamera2.start, {"config": None, "show_preview": False}),
    "stop": (fake.Picamera2.stop, {}),
    "close": (fake.Picamera2.close, {}),
    "cancel_all_and_flush": (fake.Picamera2.cancel_all_and_flush, {}),
    "capture_request": (fake.Picamera2.capture_request, {"wait": None, "signal_function": None, "flush": None}),
    "get_result": (requests.Job.get_result, {"timeout": None}),
    "cancel": (requests.Job.cancel, {}),
    "acquire": (requests.CompletedRequest.acquire, {}),
    "release": (requests.CompletedRequest.release, {}),
    "get_metadata": (requests.CompletedRequest.get_metadata, {}),
    "make_array": (requests.CompletedRequest.make_array, {"name": REQUIRED}),
    "MappedArray": (requests.MappedArray, {"request": REQUIRED, "stream": REQUIRED, "reshape": True, "write": True}),
}
DEFAULT_OBJECTS = {"transform", "colour_space"}
"""Their defaults are objects of libcamera."""


@pytest.mark.parametrize(("function", "documented"), SIGNATURES.values(), ids=SIGNATURES.keys())
def test_signatures(function: Any, documented: dict[str, Any]) -> None:
    parameters = inspect.signature(function).parameters
    got = {name: p.default for name, p in parameters.items() if name != "self" and name not in DEFAULT_OBJECTS}
    assert got == documented


def test_properties() -> None:
    for name in ("sensor_modes", "camera_controls"):
        assert isinstance(inspect.getattr_static(fake.Picamera2, name), property)


@pytest.fixture
def bench() -> Bench:
    return Bench(VirtualClock())


def running(bench: Bench, **config: Any) -> Any:
    camera = make_library(bench).Picamera2()
    camera.configure(camera.create_video_configuration(main={"size": (40, 20), "format": "RGB888"}, **config))
    camera.start()
    return camera


def test_start_needs_a_configuration(bench: Bench) -> None:
    with pytest.raises(NotImplementedError, match="without a configuration"):
        make_library(bench).Picamera2().start()


def test_a_configuration_that_is_refused_leaves_none(bench: Bench) -> None:
    camera = make_library(bench).Picamera2()
    config = camera.create_video_configuration(main={"format": "RGB888"})
    camera.configure(config)
    with pytest.raises(RuntimeError, match="Unexpected keys"):
        camera.configure({**config, "sensor": {"size": (1, 1)}})
    assert camera.camera_configuration() == {}


def test_what_a_closed_camera_still_does(bench: Bench) -> None:
    camera = running(bench)
    camera.close()
    assert camera.camera_configuration() == {}
    assert camera.camera_controls == {}
    with pytest.raises(RuntimeError, match="Camera not opened"):
        camera.create_video_configuration()
    with pytest.raises(RuntimeError, match="not advertised"):
        camera.set_controls({"ExposureTime": 1000})
    with pytest.raises(FutureTimeout):
        camera.capture_request(wait=1.0)
    camera.cancel_all_and_flush()


def test_a_capture_before_the_start_would_hang(bench: Bench) -> None:
    camera = make_library(bench).Picamera2()
    with pytest.raises(WouldHang):
        camera.capture_request()
    with pytest.raises(FutureTimeout):
        camera.capture_request(wait=False).get_result(timeout=1.0)


def test_neither_configured_nor_asked_for_its_modes_while_it_runs(bench: Bench) -> None:
    camera = running(bench)
    with pytest.raises(RuntimeError, match="must be stopped before configuring"):
        camera.configure(camera.create_video_configuration())
    with pytest.raises(RuntimeError, match="must be stopped"):
        _ = camera.sensor_modes


def test_asking_for_the_modes_unconfigures(bench: Bench) -> None:
    camera = make_library(bench).Picamera2()
    camera.configure(camera.create_video_configuration(main={"format": "RGB888"}))
    assert len(camera.sensor_modes) == 8
    with pytest.raises(NotImplementedError, match="without a configuration"):
        camera.start()


def test_unknown_names(bench: Bench) -> None:
    camera = make_library(bench).Picamera2()
    with pytest.raises(RuntimeError, match="Control Exposure is not advertised by libcamera"):
        camera.set_controls({"Exposure": 1})
    with pytest.raises(ValueError, match="Bad key 'resolution'"):
        camera.create_video_configuration(main={"resolution": (1, 1)})
    with pytest.raises(RuntimeError, match="Unexpected keys"):
        camera.configure(camera.create_video_configuration(main={"format": "RGB888"}, sensor={"size": (1, 1)}))
    with pytest.raises(RuntimeError, match="No camera number 1 found"):
        make_library(bench).Picamera2(1)


def test_a_second_opening_is_refused_for_a_reason(bench: Bench) -> None:
    make_library(bench).Picamera2()
    with pytest.raises(RuntimeError, match="sequence did not complete") as caught:
        make_library(bench).Picamera2()
    assert "resource busy" in str(caught.value.__cause__)


def test_a_double_release_and_a_use_after_it(bench: Bench) -> None:
    camera = running(bench)
    request = camera.capture_request()
    request.release()
    with pytest.raises(AssertionError):
        request.get_metadata()
    with pytest.raises(RuntimeError, match="Stream 'main' is not defined"):
        request.make_array("main")
    with pytest.raises(KeyError):
        requests.MappedArray(request, "main")
    with pytest.raises(RuntimeError, match="ref_count 0"):
        request.acquire()
    with pytest.raises(RuntimeError, match="negative ref_count"):
        request.release()


def test_requests_that_are_not_released_use_up_the_buffers(bench: Bench) -> None:
    camera = running(bench, buffer_count=3)
    hoard = [camera.capture_request() for _ in range(3)]
    with pytest.raises(FutureTimeout):
        camera.capture_request(wait=1.0)
    with pytest.raises(WouldHang):
        camera.capture_request()
    camera.cancel_all_and_flush()
    camera.close()
    with pytest.raises(AssertionError, match="never released"):
        bench.check_empty()
    assert len(hoard) == 3


def test_queue_keeps_one_frame(bench: Bench) -> None:
    """With a queue the frame that has completed is got at once; without, the next one is waited for."""
    ages = []
    for queue in (True, False):
        camera = running(bench, queue=queue)
        bench.clock.sleep_until_ns(bench.clock.now_ns() + S + 1_000_000)
        before_ns = bench.clock.now_ns()
        request = camera.capture_request()
        ages.append(bench.clock.now_ns() - before_ns)
        request.release()
        camera.close()
    assert ages[0] == 0
    assert ages[1] > 0


def test_controls_take_effect_after_some_frames_and_are_moved_into_range(bench: Bench) -> None:
    camera = running(bench, controls={"ExposureTime": 10_000, "AnalogueGain": 99.0})
    seen = []
    for _ in range(5):
        request = camera.capture_request()
        seen.append(request.get_metadata())
        request.release()
    assert [told["ExposureTime"] < 15_000 for told in seen] == [False, False, False, True, True]
    assert seen[-1]["AnalogueGain"] == pytest.approx(10.67, abs=0.01)


def test_an_exposure_that_exceeds_the_frame_is_cut(bench: Bench) -> None:
    camera = running(bench, controls={"ExposureTime": 60_000})
    for _ in range(5):
        request = camera.capture_request()
        told = request.get_metadata()
        request.release()
    assert told["ExposureTime"] < 33_333


def test_mapped_and_copied_pixels_are_the_same(bench: Bench) -> None:
    camera = running(bench)
    request = camera.capture_request()
    with requests.MappedArray(request, "main") as mapped:
        assert mapped.array is not None
        assert mapped.array.shape == (20, 40, 3)
        assert mapped.array.strides[0] == 128  # 120 bytes in rows of 64
        assert np.array_equal(mapped.array, request.make_array("main"))
    assert mapped.array is None


def test_a_cancelled_capture_says_so(bench: Bench) -> None:
    camera = running(bench)
    job = camera.capture_request(wait=False)
    camera.cancel_all_and_flush()
    with pytest.raises(CancelledError):
        job.get_result(timeout=1.0)


def test_stop_stands_in_line_behind_captures(bench: Bench) -> None:
    bench.silent_from = 0
    camera = running(bench)
    camera.capture_request(wait=False)
    with pytest.raises(WouldHang):
        camera.stop()
    with pytest.raises(AssertionError, match="not closed"):
        bench.check_empty()
