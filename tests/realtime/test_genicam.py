"""The GenICam driver on a real GigE Vision camera's protocol: Aravis' fake camera, over loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from camera.grabber import Grabber
from camera.settings import CameraKind, CameraSettings
from core.errors import CameraError, CameraTimeout
from core.values import Frame, Image
from tests.conformance.camera_checks import check_live_camera, check_numbers, check_stream, check_times, reconnect
from tests.support.gige import FakeGigE, need_gige
from tests.support.live_cameras import CLOCK, FPS, WAIT_S, Make, check_refused, check_timely, closing, grabber_of

BROKEN, FRAMES, MOST_FRAMES = 8, 200, 2000
"""Broken frames to be seen, and frames: the fake's ids come round within the first 136."""
TURN = 255
"""Aravis' fake camera draws slanting grey ramps of so many steps, which each frame moves by one."""


@pytest.fixture(scope="module")
def one_fake() -> Iterator[FakeGigE]:
    need_gige()
    with FakeGigE() as camera:
        yield camera


@pytest.fixture
def fake(one_fake: FakeGigE) -> FakeGigE:
    one_fake.start()
    return one_fake


def settings_of(fake: FakeGigE, **changes: object) -> CameraSettings:
    settings = CameraSettings(
        vid_source=CameraKind.genicam, framerate=FPS, shutter_speed=3000, iso=200, camera_id=fake.serial
    )
    return replace(settings, **changes)


def make_camera(fake: FakeGigE, **changes: object) -> Grabber:
    return grabber_of(settings_of(fake, **changes))


@pytest.fixture
def make(fake: FakeGigE) -> Iterator[Make]:
    yield from closing(lambda **changes: make_camera(fake, **changes))


def turn_of(image: Image) -> int:
    """Return the place of a frame among TURN, as drawn by the camera: the truth about which frames are missing."""
    return -int(np.argmin(image[0, :, 0])) % TURN


def check_every_frame_counts(frames: list[Frame]) -> None:
    """Each frame has the number that the camera gave it: whatever did not come has used up one."""
    first = frames[0]
    for frame in frames:
        assert (frame.number - first.number - turn_of(frame.image) + turn_of(first.image)) % TURN == 0, frame.number


def test_it_is_a_camera_like_any_other(fake: FakeGigE) -> None:
    check_live_camera(lambda: make_camera(fake, camera_buffer=64), 30)


def test_frames_are_in_time_and_settings_are_read_back(make: Make) -> None:
    camera = make(camera_buffer=64)
    camera.connect()
    facts = camera.facts
    assert (facts["exposure_us"], facts["gain"], facts["gain_unit"], facts["framerate"]) == (3000.0, 2.0, "factor", FPS)
    assert (facts["pixel_format"], facts["region_px"]) == ("RGB8", [896, 896, 256, 256])
    frames = check_timely(camera, within_ms=0.5)
    # Ids of 16 bits come round within these frames (the fake begins at 65400), which is not a loss of thousands: by
    # the camera's own stamps there was no time for more frames than were counted.
    taken_ns = frames[-1].sensor_ns - frames[0].sensor_ns
    assert frames[-1].number - frames[0].number <= taken_ns * FPS / 1e9 + 50


@pytest.mark.parametrize("form", ["Mono8", "Mono16", "BayerRG8", "RGB8"])
def test_formats(make: Make, form: str) -> None:
    camera = make(camera_format=form, camera_buffer=64)
    assert camera.frame_dtype == ("uint16" if form == "Mono16" else "uint8")
    frames = check_stream(camera, 5)
    assert camera.facts["pixel_format"] == form
    image = frames[-1].image
    assert image.max() > image.min()
    if form.startswith("Mono"):
        assert np.array_equal(image[:, :, 0], image[:, :, 2])


REFUSED = {
    "too wide": ({"resolution": (4096, 256)}, r"resolution = 4096, 256 is not to be had, it has 1 to 2048 by"),
    "too slow": ({"framerate": 0.05}, r"frame rate is 0.1, wanted is 0.05; it has 0.1 to 1000 frames/s"),
    "too short": ({"shutter_speed": 5}, r"exposure is 5 us, wanted is 5; it has 10 to 1e\+07 us .*shutter_speed"),
    "between steps": ({"iso": 250}, r"gain is 2 \(no unit\), wanted is 2.5 \(iso = 250.* it has 0 to 10"),
    "too bright": ({"iso": 6400}, r"wanted is 64 \(iso = 6400.* it has 0 to 10: change iso, or set 0"),
    "no such format": ({"camera_format": "Mono12"}, r"camera_format = Mono12 is not one .*it has .*Mono16"),
    "white balance": ({"awb_mode": "auto"}, r"set awb_mode = off"),
    "exposed for too long": ({"shutter_speed": 20_000}, r"does not fit into a frame at framerate = 100"),
    "no such camera": ({"camera_id": "NOBODY"}, r"camera_id = NOBODY fits no camera that answers: Aravis Fake RL"),
}


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_to_be_had_is_refused_in_one_line(make: Make, changes: dict[str, object], says: str) -> None:
    check_refused(lambda: make(**changes), says)
    # Control is given back at once, or the next case would be refused.


def test_a_second_controller_is_refused(make: Make) -> None:
    first = make()
    first.start()
    first.read(WAIT_S)
    with pytest.raises(CameraError, match="is in use by another program or computer"):
        make().connect()
    first.read(WAIT_S)


def test_iso_0_leaves_the_gain(make: Make) -> None:
    one = make(iso=500)
    one.connect()
    one.close()
    other = make(iso=0)
    other.connect()
    assert (other.facts["gain"], other.facts["gain_unit"]) == (5.0, "as it was")


def test_a_camera_that_loses_its_plug_comes_back(fake: FakeGigE, make: Make) -> None:
    camera = make(camera_buffer=64)
    camera.start()
    first = camera.read(WAIT_S)
    fake.kill()
    last = last_before_silence(camera, first)
    with pytest.raises(CameraError, match="control of the camera was lost; see to its cable and power") as caught:
        camera.read(WAIT_S)
    assert not isinstance(caught.value, CameraTimeout)
    began = CLOCK.now_ns()
    with pytest.raises(CameraError, match="none answers; see to its power and cable"):
        reconnect(camera)
    assert CLOCK.now_ns() - began < 15e9
    fake.start()
    check_return(camera, last, CLOCK.now_ns())


def test_a_camera_that_is_back_at_once_needs_a_reconnect(fake: FakeGigE, make: Make) -> None:
    camera = make(camera_buffer=64)
    camera.start()
    first = camera.read(WAIT_S)
    fake.kill()
    killed_ns = CLOCK.now_ns()
    fake.start()
    check_return(camera, last_before_silence(camera, first), killed_ns)


def last_before_silence(camera: Grabber, frame: Frame) -> Frame:
    """Return the last frame that came, ``frame`` or one after it; that it was the last is said in time."""
    while True:
        began = CLOCK.now_ns()
        try:
            frame = camera.read(0.5)
        except CameraError:  # silence, or that it heard itself no longer in control
            assert CLOCK.now_ns() - began < 2e9
            return frame


def check_return(camera: Grabber, last: Frame, gone_ns: int) -> None:
    """The numbers go on, with a gap for the time in which the camera was away: it was at ``gone_ns``."""
    reconnect(camera)
    after = camera.read(WAIT_S)
    while after.time_ns < gone_ns:  # a frame from before, that this test was too slow to read
        last, after = after, camera.read(WAIT_S)
    gap = after.number - last.number - 1
    assert gap == after.dropped
    assert gap == pytest.approx((after.time_ns - last.time_ns) / 1e9 * FPS, rel=0.05, abs=5)
    assert camera.counts["lost_camera"] > 30
    assert {"camera_lost", "camera_back", "drop"} <= {report.kind for report in camera.reports()}
    camera.read(WAIT_S)


def test_another_camera_that_answers_in_its_place_is_refused(fake: FakeGigE, make: Make) -> None:
    camera = make(camera_id="")
    camera.start()
    camera.read(WAIT_S)
    before = camera.facts
    assert before["identity"] == f"Aravis Fake {fake.serial}"
    fake.kill()
    fake.start(serial="OTHER")
    with pytest.raises(CameraError, match=rf"Fake {fake.serial} was lost; Aravis Fake OTHER answers, which is another"):
        reconnect(camera)
    assert camera.facts == before
    fake.kill()
    fake.start()
    reconnect(camera)
    camera.read(WAIT_S)
    assert camera.facts["identity"] == before["identity"]


def test_lost_packets_are_frames_that_are_counted(fake: FakeGigE, make: Make) -> None:
    """Which packets are lost is the fake's chance; that each frame came or was counted, its pictures tell."""
    fake.kill()
    fake.start(lost_per_thousand=5)  # 47 packets make a frame: a fifth of the frames
    camera = make(camera_format="Mono8", camera_buffer=64)
    camera.start()
    frames: list[Frame] = []
    lost = 0
    while min(lost, camera.counts.get("incomplete", 0)) < BROKEN or len(frames) < FRAMES:
        assert len(frames) < MOST_FRAMES, camera.counts
        frames.append((frame := camera.read(WAIT_S))._replace(image=frame.image[:1].copy()))
        lost = frame.number - len(frames)
    check_numbers(frames)
    check_times(frames)
    check_every_frame_counts(frames)
    assert sum(frame.dropped for frame in frames) == lost
    assert lost <= sum(camera.counts.values())
    drops = [report.detail.split() for report in camera.reports() if report.kind == "drop"]
    assert sum(int(n) for n, _ in drops) >= lost
    camera.close()
    fake.kill()
