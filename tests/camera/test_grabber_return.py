"""The grabber over a scripted driver: a camera that is lost, what is taken for it, and how long a caller waits."""

from __future__ import annotations

from threading import Event

import pytest

from camera import driver_thread, grabber
from camera.fake_driver import Become, Fail, Hang, Silence
from camera.grabber import Grabber
from core.errors import CameraError, CameraTimeout
from tests.camera.scripted_grabber import LONG_S, PERIOD_NS, Make, give
from tests.camera.scripted_grabber import make as make
from tests.conformance.camera_checks import reconnect


def test_a_camera_comes_back_with_numbers_that_go_on(make: Make) -> None:
    camera, driver = make([*give(1, 2), Fail(), *give(12, 13)], opens=[None, Fail(), None])
    camera.start()
    assert [camera.read(LONG_S).number for _ in range(2)] == [1, 2]
    with pytest.raises(CameraError):
        camera.read(LONG_S)
    with pytest.raises(CameraError, match="as the script says"):
        reconnect(camera)
    with pytest.raises(CameraError):
        camera.read(LONG_S)
    reconnect(camera)
    frames = [camera.read(LONG_S)[1:4] for _ in range(2)]
    assert frames == [(12, 12 * PERIOD_NS, 9), (13, 13 * PERIOD_NS, 0)]
    assert sorted(report.kind for report in camera.reports()) == ["camera_back", "camera_lost", "drop"]
    assert camera.counts == {"lost_camera": 9}
    camera.close()
    assert driver.calls == ["open", "start", "close", "open", "close", "open", "start", "close"]
    driver.check_played()


def lose(camera: Grabber) -> None:
    """Start, read the one frame there is, and hear that the camera is lost."""
    camera.start()
    camera.read(LONG_S)
    with pytest.raises(CameraError, match="as the script says"):
        camera.read(LONG_S)


def test_another_camera_in_its_place_is_refused_until_the_lost_one_is_back(make: Make) -> None:
    facts = {"gain": 8.0, "address": "10.0.0.5"}
    other, same = Become("Maker Fast 2", facts), Become("scripted camera 1", {**facts, "address": "10.0.0.9"})
    camera, driver = make([*give(1), Fail(), *give(4)], opens=[None, other, other, same], facts=facts)
    lose(camera)
    for _ in range(2):
        with pytest.raises(CameraError, match=r"in its place: Maker Fast 2, lost was scripted camera 1; connect") as no:
            reconnect(camera)
        assert "\n" not in str(no.value)
        assert camera.facts["identity"] == "scripted camera 1"
        with pytest.raises(CameraError, match="Maker Fast 2"):
            camera.read(LONG_S)
    reconnect(camera)
    assert camera.read(LONG_S).number == 4
    assert camera.facts == {"camera": "scripted camera", "identity": "scripted camera 1", **same.facts}
    camera.close()
    assert driver.calls == ["open", "start", *["close", "open", "close"] * 2, "close", "open", "start", "close"]
    driver.check_played()


def test_a_camera_that_comes_back_with_another_gain_is_refused_until_it_has_its_own(make: Make) -> None:
    changed, mended = (Become("scripted camera 1", {"gain": gain}) for gain in (1.0, 8.02))
    camera, driver = make([*give(1), Fail(), *give(4)], opens=[None, changed, mended], facts={"gain": 8.0})
    lose(camera)
    with pytest.raises(CameraError, match=r"other settings: gain 1.0 \(was 8.0\); give iso a value that is not 0, or"):
        reconnect(camera)
    reconnect(camera)
    assert camera.facts["gain"] == 8.02
    camera.close()
    driver.check_played()


def test_a_driver_that_fails_to_close_is_no_camera_that_is_back(make: Make) -> None:
    fails = [Fail(ValueError("a bug of the driver")), Fail(CameraError("scripted camera: busy"))]
    camera, driver = make([*give(1), Fail(), *give(4)], closes=fails)
    lose(camera)
    with pytest.raises(CameraError, match=r"^scripted camera: cannot be closed: a bug of the driver; see") as failed:
        reconnect(camera)
    assert "ValueError" in failed.value.details
    with pytest.raises(CameraError, match="cannot be closed: a bug"):
        camera.read(LONG_S)
    with pytest.raises(CameraError, match=r"^scripted camera: busy$"):
        reconnect(camera)
    assert driver.calls.count("open") == 1
    reconnect(camera)
    assert driver.calls.count("open") == 2
    assert camera.read(LONG_S).number == 4
    camera.close()
    driver.check_played()


def test_another_camera_that_cannot_be_closed_is_refused_as_the_other_one(make: Make) -> None:
    closes = [None, Fail(ValueError("odd")), None]
    other, same = Become("Maker Fast 2", {"gain": 8.0}), Become("scripted camera 1", {"gain": 8.0})
    camera, driver = make([*give(1), Fail(), *give(4)], opens=[None, other, same], facts={"gain": 8.0}, closes=closes)
    lose(camera)
    with pytest.raises(CameraError, match=r"in its place: Maker Fast 2, .* \(and it could not be closed: odd\)$"):
        reconnect(camera)
    reconnect(camera)
    assert camera.read(LONG_S).number == 4
    camera.close()
    driver.check_played()


def test_whatever_a_reconnect_raises_the_next_one_tries_anew(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*of: object) -> str:
        raise KeyError("a bug of ours")

    camera, driver = make([*give(1), Fail(), *give(4)])
    lose(camera)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(grabber, "difference", odd)
        with pytest.raises(KeyError, match="a bug of ours"):
            reconnect(camera)
    reconnect(camera)
    assert driver.calls == ["open", "start", "close", "open", "close", "open", "start"]
    assert camera.read(LONG_S).number == 4


def test_a_silent_camera_can_be_reconnected(make: Make) -> None:
    camera, driver = make([*give(1), Silence(), *give(5)])
    camera.start()
    camera.read(LONG_S)
    reconnect(camera)
    assert camera.read(LONG_S).number == 5
    assert "start" in driver.calls


def test_reconnecting_goes_on_behind_the_back_of_a_caller_who_has_other_things_to_do(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grabber, "RECONNECT_S", 0.01)
    free = Event()
    camera, driver = make([*give(1), Fail(), *give(4)], opens=[None, Fail(), Hang(free), None])
    camera.start()
    camera.read(LONG_S)
    with pytest.raises(CameraError, match="as the script says"):
        camera.read(LONG_S)
    with pytest.raises(CameraError, match="as the script says"):
        reconnect(camera)
    for _ in range(3):  # what is waited for meanwhile is told with what is known of it
        with pytest.raises(CameraTimeout, match="as the script says"):
            camera.reconnect()
    free.set()
    reconnect(camera)
    assert camera.read(LONG_S).number == 4
    assert driver.calls.count("open") == 3


def test_a_caller_who_cannot_wait_looks_now_and_then_and_misses_no_end(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the camera is back just after the look."""
    camera, driver = make([*give(1), Fail(), *give(4)])
    lose(camera)
    wait = driver_thread.DriverThread.wait
    asked = []

    def just_before(thread: driver_thread.DriverThread, call: driver_thread.Call, timeout_s: float) -> bool:
        asked.append(timeout_s)
        wait(thread, call, LONG_S)
        return False

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(driver_thread.DriverThread, "wait", just_before)
        with pytest.raises(CameraTimeout):
            camera.reconnect(0.0)
    camera.reconnect(0.0)
    assert asked == [0.0]
    assert driver.calls == ["open", "start", "close", "open", "start"]
    assert camera.read(LONG_S).number == 4
