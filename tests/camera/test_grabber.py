"""The grabber over a scripted driver: order of verbs, one thread, errors, bounded waits, loss and return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event
from threading import enumerate as threads

import numpy as np
import pytest

from camera import driver_thread, grabber
from camera.driver import Grabbed
from camera.fake_driver import Act, Become, Fail, Give, Hang, ScriptedDriver, Silence
from camera.grabber import Grabber
from camera.settings import CameraKind, CameraSettings
from core.clock import VirtualClock
from core.errors import CameraError, CameraTimeout
from core.ports import Camera, Interrupted, Reconnectable, Reporter
from tests.conformance.camera_checks import reconnect

PERIOD_NS = 10_000_000
SETTINGS = replace(
    CameraSettings(), vid_source=CameraKind.genicam, resolution=(4, 3), framerate=100.0, camera_buffer=16
)
LONG_S = 10.0

Make = Callable[..., tuple[Grabber, ScriptedDriver]]


def give(*ticks: int, shape: tuple[int, ...] = (3, 4, 3), dtype: str = "uint8") -> list[Act]:
    return [Give(Grabbed(np.full(shape, tick, dtype), tick * PERIOD_NS)) for tick in ticks]


@pytest.fixture
def make() -> Iterator[Make]:
    made = []

    def make_grabber(script: list[Act], **options: object) -> tuple[Grabber, ScriptedDriver]:
        driver = ScriptedDriver(script, **options)
        made.append(Grabber(driver, SETTINGS, VirtualClock()))
        return made[-1], driver

    yield make_grabber
    for camera in made:
        camera.close()
    assert not [thread for thread in threads() if thread.name == "camera"]


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
