"""The GStreamer driver on a live test source: frames, losses, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from camera.driver import Grabbed
from camera.grabber import Grabber
from camera.gst import BUFFERS, GstDriver
from camera.jetson import jetson_driver
from camera.settings import CameraKind, CameraSettings
from core.errors import CameraError
from tests.conformance.camera_checks import check_live_camera, reconnect
from tests.support.gst import need_gstreamer
from tests.support.live_cameras import CLOCK, FPS, WAIT_S, Make, check_refused, check_timely, closing, grabber_of

CAPS = "video/x-raw,width=250,height=256,framerate=100/1"
LIVE = f"videotestsrc is-live=true ! {CAPS},format=NV12"


@pytest.fixture(scope="module", autouse=True)
def gstreamer() -> None:
    need_gstreamer()


def settings_of(source: str = LIVE, **changes: object) -> CameraSettings:
    # 250 px is not a multiple of 4: lines are padded on the way.
    settings = CameraSettings(
        vid_source=CameraKind.jetson,
        framerate=FPS,
        resolution=(250, 256),
        camera_pipeline=source,
        camera_buffer=64,
        shutter_speed=5000,
    )
    return replace(settings, **changes)


def make_camera(source: str = LIVE, **changes: object) -> Grabber:
    return grabber_of(settings_of(source, **changes))


@pytest.fixture
def make() -> Iterator[Make]:
    yield from closing(make_camera)


def test_it_is_a_camera_like_any_other() -> None:
    check_live_camera(make_camera, 30)


def test_frames_are_in_time(make: Make) -> None:
    camera = make()
    camera.connect()
    assert camera.facts["framerate"] == FPS
    check_timely(camera, within_ms=0.1)


@pytest.mark.parametrize("form", ["BGR", "BGRx", "NV12", "RGB", "I420"])
def test_colours_come_as_blue_green_red(make: Make, form: str) -> None:
    camera = make(f"videotestsrc is-live=true pattern=blue ! {CAPS},format={form}")
    camera.start()
    image = camera.read(WAIT_S).image
    blue, green, red = np.median(image.reshape(-1, 3), axis=0)
    assert blue > 240
    assert max(green, red) < 15


@pytest.mark.parametrize("counted", [True, False], ids=["by offset", "by time"])
def test_a_stall_loses_the_frames_that_the_sink_has_no_room_for(counted: bool) -> None:
    # A rate converter takes the offsets away; times alone tell what was lost, then.
    driver = jetson_driver(settings_of(LIVE if counted else f"{LIVE} ! videorate ! {CAPS}"))
    driver.open()
    try:
        driver.start()
        before = next_frame(driver)
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 1_000_000_000)
        frames = [next_frame(driver) for _ in range(BUFFERS + 5)]
    finally:
        driver.close()
    lost = 0
    for k, frame in enumerate(frames, 1):
        lost += frame.lost
        assert lost == round((frame.time_ns - before.time_ns) * FPS / 1e9) - k, "each loss stands where it was"
    assert lost >= 30
    assert {frame.cause for frame in frames if frame.lost} == {"driver"}


def next_frame(driver: GstDriver) -> Grabbed:
    """Return the next frame."""
    frame = driver.grab(WAIT_S)
    assert frame is not None
    return frame


REFUSED = {
    "no such element": ("nosuchsrc", r'no element "nosuchsrc" \(camera_pipeline = nosuchsrc\); try it with gst-launch'),
    "not a pipeline": ("videotestsrc ! !", r"camera_pipeline = videotestsrc"),
    "no such device": ("v4l2src device=/dev/nope", r"Cannot identify device '/dev/nope' .*; see to the camera"),
    "another size": (LIVE.replace("250", "320"), r"frames are 320x256 px, wanted is 250x256 .*change resolution"),
    "another rate": (LIVE.replace("100/1", "90/1"), r"it gives 90 frames/s, wanted is 100 .*change framerate"),
    "a sink of its own": (
        f"{LIVE} ! appsink",
        r"it has a sink of its own; leave the appsink out: rig",
    ),
    "an end": (LIVE.replace("is-live", "num-buffers=0 is-live"), r"the source has ended .*; use a live source"),
    "no csi camera": ("", r'no element "nvarguscamerasrc"; is this a Jetson with its GStreamer plugins\?'),
}


@pytest.mark.parametrize(("source", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_to_be_had_is_refused_in_one_line(make: Make, source: str, says: str) -> None:
    check_refused(lambda: make(source), says)


def test_a_source_that_ends_in_mid_session_can_be_opened_again(make: Make) -> None:
    camera = make(LIVE.replace("is-live", "num-buffers=20 is-live"))
    camera.start()
    last = read_to_the_end(camera)
    reconnect(camera)
    after = camera.read(WAIT_S)
    assert after.number == last + after.dropped + 1
    assert [report.kind for report in camera.reports()][:2] == ["camera_lost", "camera_back"]


def read_to_the_end(camera: Grabber) -> int:
    """Return the number of the last frame that came before the source ended."""
    numbers: list[int] = []

    def read_on() -> None:
        while True:
            numbers.append(camera.read(WAIT_S).number)

    with pytest.raises(CameraError, match="the source has ended"):
        read_on()
    return numbers[-1]
