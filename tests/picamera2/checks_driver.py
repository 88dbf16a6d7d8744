"""Our driver and grabber (camera/pi.py, camera/grabber.py) on the real Picamera2, with ``seam.driver_library``."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import numpy as np

from camera.driver import Grabbed
from camera.grabber import Grabber
from camera.pi import PiDriver
from camera.settings import CameraKind, CameraSettings
from core.clock import MonotonicClock
from core.errors import CameraError, CameraTimeout
from tests.guest.expect import raises
from tests.picamera2.left import Held, held
from tests.picamera2.seam import SIZE, Camera, driver_library, real_library

CLOCK = MonotonicClock()
SETTINGS = replace(
    CameraSettings(),
    vid_source=CameraKind.pi,
    resolution=SIZE,
    framerate=30.0,
    shutter_speed=10_000,
    colour_gains=(1.5, 2.0),
    camera_timeout_s=0.5,
)
"""A frame rate that the virtual camera advertises; its frames come as fast as they can."""
PER_OPENING = 4
"""Descriptors that picamera2 0.3.38 may keep of each opening until Python has collected it; three were seen."""


def new(library: Any = None, **settings: Any) -> PiDriver:
    return PiDriver(replace(SETTINGS, **settings), CLOCK, library or driver_library())


def started(**settings: Any) -> PiDriver:
    driver = new(**settings)
    driver.open()
    driver.start()
    return driver


def next_frame(driver: PiDriver) -> Grabbed:
    """Return the next frame; those from before the start are skipped by the driver."""
    for _ in range(20):
        if (grabbed := driver.grab(1.0)) is not None:
            return grabbed
    raise AssertionError("no frame came")


def check_it_opens_and_tells_what_it_found() -> None:
    driver = new()
    facts = driver.open()
    name = driver.name
    driver.close()
    assert name == "Raspberry Pi camera 0 (Rigloop virtual camera)", name
    told = {"exposure_us": 10_000, "analogue_gain": 8.0, "colour_gains": (1.5, 2.0), "frame_duration_us": 33_333}
    assert {key: facts[key] for key in told} == told, facts
    assert facts["time_from"] == "monotonic", facts  # from the real stamp
    assert facts["sensor_mode"] == "chosen by the driver", facts


def check_frames_come_in_order_from_after_the_start() -> None:
    driver = new()
    driver.open()
    begin_ns = CLOCK.now_ns()
    driver.start()
    times_ns, rows = [], set()
    for _ in range(100):
        grabbed = next_frame(driver)
        assert (grabbed.image.shape, grabbed.image.dtype) == ((SIZE[1], SIZE[0], 3), np.uint8)
        assert grabbed.time_ns == grabbed.sensor_ns
        assert begin_ns <= grabbed.time_ns <= CLOCK.now_ns()
        times_ns.append(grabbed.time_ns)
        rows.add(grabbed.image[0].tobytes())
    driver.close()
    assert times_ns == sorted(set(times_ns))
    assert len(rows) > 1, "the picture never changes"


def check_nothing_is_left_of_a_hundred_frames() -> None:
    driver = started()
    for _ in range(10):
        next_frame(driver)
    before = held()
    for _ in range(100):
        next_frame(driver)
    after = held()
    driver.close()
    after.check_no_more_than(before)


def check_frames_leave_nothing_for_the_garbage_collector() -> None:
    """Which is off while a session runs (hardware/realtime.py): what waits for it is kept to the session's end."""
    driver = started()
    for _ in range(10):
        next_frame(driver)
    gc.collect()
    gc.disable()
    try:
        for _ in range(500):
            next_frame(driver)
        waiting = gc.collect()
    finally:
        gc.enable()
        driver.close()
    print(f"  500 frames without it: {waiting} objects", flush=True)
    assert waiting < 50, f"{waiting} objects after 500 frames"


def check_an_opening_leaves_little_for_the_garbage_collector() -> None:
    """A lost camera is opened again while it is off."""
    driver = new()
    driver.open()
    driver.close()
    before = held()
    gc.disable()
    try:
        for _ in range(10):
            driver.open()
            driver.start()
            next_frame(driver)
            driver.close()
        kept = held(collect=False)
    finally:
        gc.enable()
    print(f"  ten openings without it: {before} became {kept}, {gc.collect()} objects", flush=True)
    assert kept.threads == before.threads
    assert kept.descriptors - before.descriptors <= 10 * PER_OPENING, f"{before} became {kept}"


def check_nothing_is_left_of_thirty_openings() -> None:
    """The same object, as after a lost camera."""
    driver = new()
    counts: list[Held] = []
    for _ in range(30):
        driver.open()
        driver.start()
        next_frame(driver)
        driver.close()
        driver.close()
        counts.append(held())
    assert counts[5] == counts[-1], f"{counts[5]} became {counts[-1]}"


def check_a_camera_without_exposure_is_refused() -> None:
    """The real class without supplied controls, in the one format it has: the first refusal is that of a control."""
    library = real_library()
    create = Camera.create_video_configuration

    def in_nv12(self: Camera, *given: Any, **named: Any) -> Any:
        config = create(self, *given, **named)
        config["main"]["format"] = "NV12"
        return config

    library.Picamera2 = type("Nv12Camera", (Camera,), {"create_video_configuration": in_nv12})
    with raises(CameraError, "has no control ExposureTime, so shutter_speed cannot be set"):
        new(library).open()
    check_it_opens_and_tells_what_it_found()  # it was given back


def check_a_format_that_is_not_given_is_refused() -> None:
    """libcamera changes RGB888 into NV12, the only one it has, and says so: as it would change a size."""
    with raises(CameraError, "wanted is 256x256 RGB888"):
        new(type_of_supplied_controls(), shutter_speed=0, iso=0, colour_gains=(0.0, 0.0)).open()
    check_it_opens_and_tells_what_it_found()


def type_of_supplied_controls() -> Any:
    """Return the library with no format substituted, only the two switches that the driver always sets."""
    library = real_library()
    set_controls = Camera.set_controls

    def without_switches(self: Camera, controls: dict[str, Any]) -> None:
        set_controls(self, {name: value for name, value in controls.items() if not name.endswith("Enable")})

    library.Picamera2 = type("SwitchCamera", (Camera,), {"set_controls": without_switches})
    return library


def check_a_gain_that_is_not_kept_is_refused() -> None:
    with raises(CameraError, "analogue gain is 1, wanted is 8 (iso)"):
        new(driver_library(AnalogueGain=1.0)).open()
    check_it_opens_and_tells_what_it_found()


def check_values_out_of_the_real_range_are_refused() -> None:
    with raises(
        CameraError, "framerate asks for 100000 us per frame, this camera and sensor mode allow 16666 to 33333"
    ):
        new(framerate=10.0).open()


def check_a_camera_in_use_is_refused() -> None:
    camera = Camera()
    try:
        with raises(CameraError, "another program uses it"):
            new().open()
    finally:
        camera.close()
    check_it_opens_and_tells_what_it_found()


def check_a_camera_that_is_not_there_is_refused() -> None:
    with raises(CameraError, "camera_id = imx219 is none of those there (0: Rigloop virtual camera at"):
        new(camera_id="imx219").open()


def check_a_silent_camera_is_told_and_can_be_closed_and_opened_again() -> None:
    """No request that completes reaches picamera2 any more, as when a cable has come off."""
    driver = started()
    next_frame(driver)
    camera = driver._camera
    camera.silent = True
    begin_ns = CLOCK.now_ns()
    with raises(CameraError, "no frame for 0."):
        while CLOCK.now_ns() - begin_ns < 5e9:
            driver.grab(0.2)
    begin_ns = CLOCK.now_ns()
    driver.close()
    assert CLOCK.now_ns() - begin_ns < 2e9
    assert not camera.is_open
    driver.open()
    driver.start()
    next_frame(driver)
    driver.close()


def check_a_closed_driver_gives_nothing() -> None:
    driver = started()
    driver.close()
    with raises(CameraError, "is not open"):
        driver.grab(0.1)


def reconnect(grabber: Grabber) -> None:
    """Reconnect as the runner does: it is called again while it goes on."""
    begin_ns = CLOCK.now_ns()
    while CLOCK.now_ns() - begin_ns < 10e9:
        try:
            grabber.reconnect()
        except CameraTimeout:
            continue
        return
    raise AssertionError("it did not come back in 10 s")


def check_the_grabber_delivers_and_ends_its_thread() -> None:
    before = held()
    grabber = Grabber(new(), SETTINGS, CLOCK)
    grabber.connect()
    assert grabber.facts["model"] == "Rigloop virtual camera"
    grabber.start()
    numbers = [grabber.read(2.0).number for _ in range(50)]
    reconnect(grabber)
    numbers += [grabber.read(2.0).number for _ in range(50)]
    grabber.close()
    grabber.close()
    assert numbers == sorted(set(numbers)), numbers
    assert not [each for each in grabber.reports() if each.kind == "camera_stuck"]
    del grabber
    after = held()
    assert (after.threads, after.buffers) == (before.threads, before.buffers), f"{before} became {after}"
