"""The driver of USB cameras on vivid, the kernel's test camera: real nodes, buffers, stamps, and OpenCV's capture."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from camera import v4l2
from camera.driver import Grabbed
from camera.grabber import Grabber
from camera.settings import CameraKind, CameraSettings
from camera.usb import UsbDriver
from camera.v4l2 import V4l2Node
from core.clock import MonotonicClock
from core.errors import CameraError
from tests.guest.expect import raises

CLOCK = MonotonicClock()

# vivid's own controls (drivers/media/test-drivers/vivid/vivid-ctrls.c).
STAMP_SOURCE = 0x00F0F018
START_OF_EXPOSURE = 1
PERCENT_DROPPED = 0x00F0F040
DISCONNECT = 0x00F0F041

INTERVAL_NS = 100_000_000
SETTINGS = replace(
    CameraSettings(),
    vid_source=CameraKind.usb,
    resolution=(320, 180),
    framerate=10.0,
    shutter_speed=0,  # vivid has no exposure
    iso=0,
    camera_timeout_s=10.0,
)


def _camera_path() -> str:
    """Return the node that vivid captures from; it makes several."""
    for path in sorted(Path("/dev").glob("video[0-9]*")):
        try:
            node = V4l2Node(str(path))
        except CameraError:
            continue
        node.close()
        return str(path)
    raise AssertionError("no node to capture from")


def _settings(**changes: object) -> CameraSettings:
    return replace(SETTINGS, camera_id=_camera_path(), **changes)


def _play(control: int, value: int) -> None:
    """Set one of vivid's own controls."""
    node = V4l2Node(_camera_path())
    try:
        node.set(control, value)
    finally:
        node.close()


def _intervals(first: Grabbed, last: Grabbed) -> float:
    return (last.time_ns - first.time_ns) / INTERVAL_NS


def _next(driver: UsbDriver) -> Grabbed:
    """Return the next frame; what was told as lost before it is among what it has lost."""
    lost, cause = 0, ""
    for _ in range(50):
        given = driver.grab(0.1)
        if isinstance(given, Grabbed):
            return given._replace(image=given.image.copy(), lost=lost + given.lost, cause=cause or given.cause)
        if given is not None:
            lost, cause = lost + given.n, given.cause
    raise AssertionError("no frame came")


def check_frames_have_the_kernels_times() -> None:
    _play(STAMP_SOURCE, START_OF_EXPOSURE)
    driver = UsbDriver(_settings())
    try:
        facts = driver.open()
        print(f"  {driver.name}: {dict(facts)}")
        assert "vivid" in driver.name
        assert driver.identity == "vivid at platform:vivid-000"  # it has no serial number
        assert (facts["pixel_format"], facts["framerate"]) == ("YUYV", 10.0)
        assert (facts["time_from"], facts["drops_told_by"]) == ("monotonic", "stamp")
        begin = CLOCK.now_ns()
        driver.start()
        frames = []
        ages = []
        for _ in range(12):
            frames.append(_next(driver))
            ages.append(CLOCK.now_ns() - frames[-1].time_ns)
        lost = sum(frame.lost for frame in frames[1:])
        print(f"  {lost} lost beside 12 frames; age on arrival {min(ages) / 1e6:.1f} to {max(ages) / 1e6:.1f} ms")
        assert all(frame.image.shape == (180, 320, 3) for frame in frames)
        assert frames[0].time_ns >= begin
        assert all(late.time_ns > early.time_ns for early, late in pairwise(frames))
        assert all(frame.time_ns == frame.sensor_ns for frame in frames)
        # Stamps count the intervals: frames that came and frames that were lost fill the time.
        assert abs(_intervals(frames[0], frames[-1]) - (11 + lost)) < 1.5
        assert len({frame.image.tobytes() for frame in frames}) > 1
    finally:
        driver.close()


def check_stamps_of_the_end_to_come_are_not_taken_for_the_future() -> None:
    """By itself vivid stamps frames with the time at which they would have ended, nine tenths of an interval ahead."""
    _play(STAMP_SOURCE, 0)
    driver = UsbDriver(_settings())
    try:
        assert driver.open()["time_from"] == "monotonic"
        driver.start()
        frames = [_next(driver) for _ in range(6)]
        assert frames[-1].time_ns <= CLOCK.now_ns()
        assert all(frame.time_ns <= frame.sensor_ns for frame in frames)
        assert all(late.time_ns > early.time_ns for early, late in pairwise(frames))
    finally:
        driver.close()
        _play(STAMP_SOURCE, START_OF_EXPOSURE)


def check_it_opens_again_after_close() -> None:
    driver = UsbDriver(_settings())
    for _ in range(2):
        driver.open()
        driver.start()
        _next(driver)
        driver.close()
        driver.close()


def check_a_late_reader_loses_frames_and_is_told() -> None:
    driver = UsbDriver(_settings())
    try:
        driver.open()
        driver.start()
        before = _next(driver)
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 2_000_000_000)
        frames = [_next(driver) for _ in range(8)]
        lost = sum(frame.lost for frame in frames)
        span = _intervals(before, frames[-1])
        print(f"  {lost} lost beside 8 frames in {span:.2f} intervals")
        assert lost > 5, lost
        assert abs(span - (8 + lost)) < 1.5
    finally:
        driver.close()


def check_frames_that_the_camera_drops_are_counted() -> None:
    driver = UsbDriver(_settings())
    try:
        driver.open()
        _play(PERCENT_DROPPED, 60)
        driver.start()
        frames = [_next(driver) for _ in range(12)]
        lost = sum(frame.lost for frame in frames[1:])
        span = _intervals(frames[0], frames[-1])
        print(f"  {lost} lost beside 12 frames in {span:.2f} intervals")
        assert lost > 0
        assert abs(span - (11 + lost)) < 1.5
        assert all(frame.cause == "driver" for frame in frames[1:] if frame.lost)
    finally:
        _play(PERCENT_DROPPED, 0)
        driver.close()


def check_gain_is_set_and_read_back() -> None:
    driver = UsbDriver(_settings(iso=3200))
    try:
        assert driver.open()["gain"] == 32.0
    finally:
        driver.close()


def check_an_exposure_that_cannot_be_set_is_refused() -> None:
    with raises(CameraError, "exposure is not told by the camera, wanted is 60000 us"):
        UsbDriver(_settings(shutter_speed=60_000)).open()


def check_a_size_that_it_has_not_is_refused() -> None:
    with raises(CameraError, "wanted is 256x256 at 10 frames/s"):
        UsbDriver(_settings(resolution=(256, 256))).open()


def check_a_node_that_is_no_camera_is_told_from_one_that_is() -> None:
    others = [str(path) for path in Path("/dev").glob("video[0-9]*") if str(path) != _camera_path()]
    assert others
    for path in others:
        with raises(CameraError, "no frames come from it"):
            V4l2Node(path)
    with raises(CameraError, "there is no such device"):
        UsbDriver(replace(SETTINGS, camera_id="99")).open()


def check_controls_have_ranges() -> None:
    node = V4l2Node(_camera_path())
    try:
        span = node.range(v4l2.GAIN)
        assert span is not None
        assert span.least < span.most
        assert node.range(v4l2.EXPOSURE_ABSOLUTE) is None
        node.set(v4l2.GAIN, span.most + 1000)
        assert node.get(v4l2.GAIN) == span.most
        assert node.range(v4l2.AUTOGAIN) is not None
    finally:
        node.close()


def check_a_camera_that_another_program_streams_from_is_refused() -> None:
    first = UsbDriver(_settings())
    try:
        first.open()
        first.start()
        _next(first)
        with raises(CameraError, "another program uses it"):
            UsbDriver(_settings()).open()
        _next(first)
    finally:
        first.close()


def check_a_camera_that_is_taken_away_is_lost() -> None:
    """vivid plays a camera that is unplugged, and stays so until it is loaded anew: this is the last check."""
    grabber = Grabber(UsbDriver(_settings()), _settings(), CLOCK)
    try:
        grabber.start()
        grabber.read(10.0)
        _play(DISCONNECT, 1)
        with raises(CameraError, "is gone"):
            for _ in range(100):
                grabber.read(1.0)
        assert any(report.kind == "camera_lost" for report in grabber.reports())
    finally:
        grabber.close()
