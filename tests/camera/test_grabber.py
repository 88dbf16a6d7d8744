"""The grabber over a scripted driver: order of verbs, one thread, errors, bounded waits."""

from __future__ import annotations

import pytest

from camera.fake_driver import Fail, ScriptedDriver
from core.errors import CameraError, CameraTimeout
from core.ports import Camera, Interrupted, Reconnectable, Reporter
from tests.camera.scripted_grabber import LONG_S, Make, give
from tests.camera.scripted_grabber import make as make


def test_is_camera_reporter_and_reconnectable(make: Make) -> None:
    camera, _ = make([])
    assert isinstance(camera, Camera)
    assert isinstance(camera, Reporter)
    assert isinstance(camera, Reconnectable)


def test_connect_opens_once_and_tells_the_facts(make: Make) -> None:
    camera, driver = make(give(1, 2), facts={"gain": 8.0})
    assert camera.facts == {}
    camera.connect()
    camera.connect()
    assert camera.facts == {"camera": "scripted camera", "identity": "scripted camera 1", "gain": 8.0}
    assert driver.calls == ["open"]
    camera.start()
    assert [camera.read(LONG_S).number for _ in range(2)] == [1, 2]
    camera.close()
    camera.close()
    assert driver.calls == ["open", "start", "close"]
    driver.check_played()


def test_what_open_raises_is_raised_and_leaves_no_thread(make: Make) -> None:
    camera, driver = make([], opens=[Fail(CameraError("scripted camera: gain 9 wanted, 4 had"))])
    with pytest.raises(CameraError, match="gain 9 wanted"):
        camera.connect()
    camera.close()
    driver.check_played()


def test_an_error_of_the_library_becomes_one_line_with_the_traceback_beside_it(make: Make) -> None:
    camera, _ = make([Fail(ZeroDivisionError("odd"))])
    camera.start()
    with pytest.raises(CameraError, match=r"^scripted camera: failed: odd; see to its cable") as caught:
        camera.read(LONG_S)
    assert "ZeroDivisionError" in caught.value.details


def test_frames_that_wait_come_before_the_error(make: Make) -> None:
    camera, _ = make([*give(1, 2), Fail()])
    camera.start()
    assert [camera.read(LONG_S).number for _ in range(2)] == [1, 2]
    for _ in range(2):
        with pytest.raises(CameraError, match="lost, as the script says"):
            camera.read(LONG_S)
    assert [report.kind for report in camera.reports()] == ["camera_lost"]


def test_a_silent_camera_is_a_timeout_that_names_the_counts(make: Make) -> None:
    camera, driver = make(give(1, 1))
    camera.start()
    camera.read(LONG_S)
    assert driver.played.wait(LONG_S)
    with pytest.raises(CameraTimeout, match=r"no frame within 0.01 s \(so far lost or repeated: 1 repeat\); see"):
        camera.read(0.01)


@pytest.mark.parametrize("odd", [{"shape": (4, 3, 3)}, {"shape": (3, 4)}, {"dtype": "uint16"}])
def test_a_frame_of_another_shape_is_an_error_that_says_so(make: Make, odd: dict) -> None:
    camera, _ = make(give(1, **odd))
    camera.start()
    with pytest.raises(CameraError, match=r"a frame of shape \(.*\) uint.* came, wanted is \(3, 4, 3\) uint8; set"):
        camera.read(LONG_S)


def test_nothing_is_opened_for_who_has_asked_for_the_end(make: Make) -> None:
    camera, _ = make([])
    with pytest.raises(Interrupted):
        camera.start(lambda: False)
    camera.close()


def test_a_late_reader_loses_the_oldest(make: Make) -> None:
    camera, driver = make(give(*range(1, 21)))
    camera.start()
    assert driver.played.wait(LONG_S)
    first = camera.read(LONG_S)
    assert (first.number, first.dropped) == (5, 4)
    assert [camera.read(LONG_S).number for _ in range(15)] == list(range(6, 21))
    assert camera.counts == {"late": 4}


def test_the_fake_refuses_verbs_out_of_order() -> None:
    driver = ScriptedDriver()
    with pytest.raises(AssertionError, match="grab when closed, allowed when started"):
        driver.grab(0.0)
    driver.open()
    with pytest.raises(AssertionError, match="open when open, allowed when closed"):
        driver.open()
    with pytest.raises(AssertionError, match="0 acts left over, open at the end"):
        driver.check_played()
