"""The GenICam driver on a real GigE Vision camera's protocol: Aravis' fake camera, over loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from statistics import median, quantiles

import numpy as np
import pytest

from camera.factory import CameraFactory
from camera.grabber import Grabber
from camera.settings import CameraKind, CameraSettings
from core.clock import MonotonicClock
from core.errors import CameraError, CameraTimeout
from core.values import Frame
from tests.conformance.camera_checks import check_live_camera, check_numbers, check_stream, check_times, reconnect
from tests.support.gige import FakeGigE, need_gige

FPS = 100.0
WAIT_S = 10.0
CLOCK = MonotonicClock()

Make = Callable[..., Grabber]


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
    camera = CameraFactory().create(
        settings_of(fake, **changes), source="", clock=CLOCK, pace_real=True, scene=None, seed=1
    )
    assert isinstance(camera, Grabber)
    return camera


@pytest.fixture
def make(fake: FakeGigE) -> Iterator[Make]:
    made: list[Grabber] = []

    def make_one(**changes: object) -> Grabber:
        made.append(make_camera(fake, **changes))
        return made[-1]

    yield make_one
    for camera in made:
        camera.close()


def test_it_is_a_camera_like_any_other(fake: FakeGigE) -> None:
    check_live_camera(lambda: make_camera(fake, camera_buffer=64), 30)


def test_frames_are_in_time_and_settings_are_read_back(make: Make) -> None:
    camera = make(camera_buffer=64)
    camera.connect()
    facts = camera.facts
    assert (facts["exposure_us"], facts["gain"], facts["gain_unit"], facts["framerate"]) == (3000.0, 2.0, "factor", FPS)
    assert (facts["pixel_format"], facts["region_px"]) == ("RGB8", [896, 896, 256, 256])
    camera.start()
    frames, ages_ms = [], []
    for _ in range(300):
        frame = camera.read(WAIT_S)
        ages_ms.append((CLOCK.now_ns() - frame.time_ns) / 1e6)
        frames.append(frame._replace(image=frame.image[:2].copy()))
    check_numbers(frames)
    check_times(frames)
    steps = [(late.time_ns - early.time_ns) / (late.number - early.number) / 1e6 for early, late in pairwise(frames)]
    assert median(steps) == pytest.approx(10.0, abs=0.5)
    assert 0 < median(ages_ms) < 10
    assert quantiles(ages_ms, n=10)[-1] < 100
    # Ids of 16 bits come round within these frames (the fake begins at 65400), which is not a loss of thousands.
    assert sum(camera.counts.values()) < 100
    assert frames[-1].number < 400


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
    "no such camera": ({"camera_id": "NOBODY"}, r"camera_id = NOBODY fits no camera that answers: Aravis Fake RL"),
}


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_to_be_had_is_refused_in_one_line(make: Make, changes: dict[str, object], says: str) -> None:
    camera = make(**changes)
    with pytest.raises(CameraError, match=says) as caught:
        camera.connect()
    assert "\n" not in str(caught.value)
    camera.close()  # and control is given back at once: the next case would be refused


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
    check_return(camera, last)


def test_a_camera_that_is_back_at_once_needs_a_reconnect(fake: FakeGigE, make: Make) -> None:
    camera = make(camera_buffer=64)
    camera.start()
    first = camera.read(WAIT_S)
    fake.kill()
    fake.start()
    check_return(camera, last_before_silence(camera, first))


def last_before_silence(camera: Grabber, frame: Frame) -> Frame:
    """Return the last frame that came, ``frame`` or one after it; that it was the last is said in time."""
    while True:
        began = CLOCK.now_ns()
        try:
            frame = camera.read(0.5)
        except CameraError:  # silence, or that it heard itself no longer in control
            assert CLOCK.now_ns() - began < 2e9
            return frame


def check_return(camera: Grabber, last: Frame) -> None:
    """The numbers go on, with a gap for the time in which the camera was away."""
    reconnect(camera)
    after = camera.read(WAIT_S)
    gap = after.number - last.number - 1
    assert gap == after.dropped
    assert gap == pytest.approx((after.time_ns - last.time_ns) / 1e9 * FPS, rel=0.05, abs=5)
    assert camera.counts["lost_camera"] > 30
    assert {"camera_lost", "camera_back", "drop"} <= {report.kind for report in camera.reports()}
    camera.read(WAIT_S)


def test_lost_packets_are_frames_that_are_counted(fake: FakeGigE, make: Make) -> None:
    fake.kill()
    fake.start(lost_per_thousand=5)  # 47 packets make a frame: a fifth of the frames
    camera = make(camera_format="Mono8", camera_buffer=64)
    frames = check_stream(camera, 60)
    lost = frames[-1].number - 60
    assert lost >= 2
    assert sum(frame.dropped for frame in frames) == lost
    assert lost <= sum(camera.counts.values())
    assert camera.counts["incomplete"] >= 2
    drops = [report.detail.split() for report in camera.reports() if report.kind == "drop"]
    assert sum(int(n) for n, _ in drops) >= lost
    camera.close()
    fake.kill()
