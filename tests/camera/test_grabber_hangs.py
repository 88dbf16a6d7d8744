"""The grabber over a scripted driver that hangs: an error in time, its thread left behind, and what ends it."""

from __future__ import annotations

from threading import Event
from threading import enumerate as threads

import pytest

from camera import driver_thread, grabber
from camera.fake_driver import Hang, ScriptedDriver
from camera.grabber import Grabber
from core.clock import VirtualClock
from core.errors import CameraError, CameraTimeout
from core.ports import Interrupted
from tests.camera.scripted_grabber import LONG_S, SETTINGS, Make, give
from tests.camera.scripted_grabber import make as make


def test_a_driver_that_hangs_costs_an_error_and_its_thread(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grabber, "RECONNECT_S", 0.01)
    monkeypatch.setattr(grabber, "CLOSE_S", 0.02)
    free = Event()
    camera, driver = make([*give(1), Hang(free)])
    camera.start()
    camera.read(LONG_S)
    with pytest.raises(CameraTimeout):
        camera.read(0.0)
    for _ in range(2):
        with pytest.raises(CameraTimeout, match=r"^scripted camera: is being opened again \(grab\)"):
            camera.reconnect()
    camera.close()
    assert [report.kind for report in camera.reports()] == ["camera_lost", "camera_stuck"]
    free.set()
    for thread in threads():
        if thread.name == "camera":
            thread.join(LONG_S)
    assert driver.calls == ["open", "start", "close"]


def test_a_driver_that_hangs_in_open_is_refused_in_time(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grabber, "OPEN_S", 0.02)
    free = Event()
    camera, driver = make([], opens=[Hang(free)])
    with pytest.raises(CameraError, match=r"^genicam camera: open has not ended after 0.02 s \(its"):
        camera.connect()
    free.set()
    camera.close()
    assert driver.calls == ["open", "close"]


class SlowStart(ScriptedDriver):
    """A driver that hangs in ``start``."""

    def __init__(self, free: Event) -> None:
        super().__init__()
        self._free = free

    def start(self) -> None:
        self._free.wait(LONG_S)
        super().start()


@pytest.mark.parametrize("verb", ["open", "start"])
def test_a_driver_that_hangs_is_let_go_as_soon_as_somebody_asks_for_the_end(
    monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(driver_thread, "STEP_S", 0.001)
    monkeypatch.setattr(grabber, "DROP_S", 0.02)
    free, asked = Event(), []
    driver = ScriptedDriver(opens=[Hang(free)]) if verb == "open" else SlowStart(free)
    camera = Grabber(driver, SETTINGS, VirtualClock())
    if verb == "start":
        camera.connect()
    with pytest.raises(Interrupted):
        getattr(camera, "connect" if verb == "open" else "start")(lambda: len(asked) < 3 and not asked.append(1))
    assert len(asked) == 3
    camera.close()
    [stuck] = camera.reports()
    assert (stuck.kind, f"its driver hangs in {verb} " in stuck.detail) == ("camera_stuck", True)
    free.set()
    for thread in threads():
        if thread.name == "camera":
            thread.join(LONG_S)
    assert driver.calls[-1] == "close"


def test_a_camera_that_opens_after_all_is_closed_by_its_driver(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_thread, "STEP_S", 0.001)
    free, asked = Event(), []
    camera, driver = make([], opens=[Hang(free)])
    with pytest.raises(Interrupted):
        camera.connect(lambda: len(asked) < 3 and not asked.append(1))
    free.set()
    camera.close()
    assert driver.calls == ["open", "close"]
    assert camera.reports() == ()
