"""A second camera that has a thread of its own: what it took before the session, its losses, its way back."""

from threading import Event

import numpy as np
import pytest

from camera.driver import Grabbed, Lost
from camera.fake_driver import Fail, Give, Hang, ScriptedDriver
from camera.grabber import Grabber
from core.clock import VirtualClock
from core.errors import CameraError
from core.losses import losses_of
from core.ports import Interrupted
from core.trial import begin
from core.values import as_ns
from session.build import Options, build
from session.frame_tally import FrameTally
from session.second_camera import SecondCamera
from session.settings import load_settings
from session.status import Status
from tests.session.two_cameras import CONFIG
from tests.support.sessions import OFFLINE

LONG_S = 10.0
PERIOD_NS = 10_000_000


def give(*ticks):
    return [Give(Grabbed(np.full((96, 128, 3), tick, np.uint8), tick * PERIOD_NS)) for tick in ticks]


class Awaited(Grabber):
    """One whose thread a test waits for, as nobody else does; it keeps how long it was asked to wait."""

    def __init__(self, *args):
        super().__init__(*args)
        self.asked = set()
        self.read_s = self.patience_s = 0.0

    def read(self, timeout_s):
        self.asked.add(("read", timeout_s))
        return super().read(self.read_s)

    def reconnect(self, wait_s=None):
        self.asked.add(("reconnect", wait_s))
        super().reconnect(self.patience_s)


class Taken:
    """Stands for the recording."""

    def __init__(self):
        self.rows = []
        self.tally = FrameTally()

    @property
    def frames(self):
        return len(self.rows)

    def write(self, frame, read_ns):
        self.rows.append((frame.number, frame.time_ns // PERIOD_NS, frame.dropped))
        self.tally = self.tally.lose(losses_of(frame.dropped, frame.lost))

    def take_rest(self):
        self.rest_taken = True

    def repeat(self, cause, frames=1):
        self.tally = self.tally.repeat(cause, frames)


class Scene:
    """A second camera beside a session whose time a test sets."""

    def __init__(self, tmp_path, driver, **overrides):
        path = tmp_path / "config.ini"
        path.write_text(CONFIG.format(minutes=1.0, first="", second="camera_buffer = 64", rate=100))
        self.settings = load_settings(path, "M1", overrides=overrides)
        # The thread runs ahead of this clock, which only a turn lets go on.
        self.clock = VirtualClock(3 * PERIOD_NS)
        self.driver = driver
        self.camera = Awaited(self.driver, self.settings.camera2.camera, self.clock)
        self.taken, self.events = Taken(), []
        parts = build(self.settings, OFFLINE, self.clock, lambda stage: True)
        self.status = Status(begin(parts.plan))
        for part in (parts.camera, parts.second, parts.rig):
            part.close()
        self.second = SecondCamera(
            self.camera, self.taken, self.settings, self.clock, self.status,
            lambda events: self.events.extend((each.kind, each.detail) for each in events), live=True,
        )  # fmt: skip

    def turn(self, tick):
        """Let the session come to this tick, and the second camera have its turn."""
        self.status.first_ns = self.status.first_ns if self.status.first_ns >= 0 else tick * PERIOD_NS
        self.status.now_ns = tick * PERIOD_NS
        self.clock.sleep_until_ns(self.status.now_ns)
        self.second.turn()


def test_what_came_before_the_session_is_neither_recorded_nor_lost(tmp_path):
    lost, later = Lost(2, "transport", 3 * PERIOD_NS), Lost(1, "incomplete", 7 * PERIOD_NS)
    scene = Scene(tmp_path, ScriptedDriver([*give(1, 2), Give(lost), *give(5, 6), Give(later), *give(8)]))
    scene.second.turn()
    assert scene.taken.rows == []
    scene.second.start(lambda: True)
    assert scene.driver.played.wait(LONG_S)
    scene.turn(5)
    assert scene.taken.rows == [(5, 5, 0), (6, 6, 0), (8, 8, 1)]
    assert scene.events == [("drop", "camera2: 1 incomplete")]
    assert scene.taken.tally == FrameTally(dropped={"incomplete": 1})
    assert scene.camera.asked == {("read", 0.0)}
    scene.second.stop()
    assert scene.taken.rest_taken
    scene.driver.check_played()


def test_a_frame_that_comes_again_is_counted(tmp_path):
    scene = Scene(tmp_path, ScriptedDriver(give(1, 2, 2, 3, 3)))
    scene.second.start(lambda: True)
    assert scene.driver.played.wait(LONG_S)
    scene.turn(1)
    assert [number for number, _, _ in scene.taken.rows] == [1, 2, 3]
    assert scene.taken.tally == FrameTally(repeated={"time": 2})
    assert scene.events == [("drop", "camera2: 2 repeat")]
    scene.second.stop()


def test_it_is_opened_again_without_being_waited_for(tmp_path):
    free = Event()
    opens = [None, Fail(CameraError("not there yet")), Hang(free)]
    scene = Scene(tmp_path, ScriptedDriver([*give(1, 2), Fail(), *give(9)], opens))
    scene.second.start(lambda: True)
    scene.camera.read_s = LONG_S
    scene.turn(1)
    scene.camera.read_s = 0.0
    assert scene.events[0] == ("lost", "camera2: scripted camera: lost, as the script says")
    scene.camera.patience_s = LONG_S
    scene.turn(3)
    scene.camera.patience_s = 0.0
    scene.turn(4)
    assert scene.driver.calls.count("open") == 2, "it was tried again at once"
    scene.turn(30)
    scene.turn(31)
    free.set()
    scene.camera.patience_s = LONG_S
    scene.turn(32)
    assert scene.driver.played.wait(LONG_S)
    scene.turn(33)
    assert scene.camera.asked == {("read", 0.0), ("reconnect", 0.0)}
    kinds = [kind for kind, _ in scene.events]
    assert kinds == ["lost", "camera_lost", "back", "camera_back", "drop"]
    assert dict(scene.events)["back"].startswith('camera2 after 0.3 s: {"camera": "scripted camera"')
    assert [tick for _, tick, _ in scene.taken.rows] == [1, 2, 9]
    scene.second.stop()


class LateStarter(ScriptedDriver):
    """A camera that starts only when it is asked again."""

    tries = 0

    def start(self):
        self.tries += 1
        if self.tries == 1:
            raise CameraError("it cannot be started")
        super().start()


@pytest.mark.parametrize("lost_camera", ["0", "1"])
def test_one_that_cannot_be_started_is_lost(tmp_path, lost_camera):
    scene = Scene(tmp_path, LateStarter(give(1)), lost_camera=lost_camera)
    scene.camera.patience_s = LONG_S
    if lost_camera == "0":
        with pytest.raises(CameraError, match=r"^camera2: it cannot be started$"):
            scene.second.start(lambda: True)
    else:
        scene.second.start(lambda: True)
    scene.turn(1)
    if lost_camera == "1":
        assert scene.driver.played.wait(LONG_S)
    scene.turn(2)
    assert scene.taken.rows == ([(1, 1, 0)] if lost_camera == "1" else [])
    scene.second.start(lambda: True)
    scene.second.stop()


def test_somebody_who_asks_for_the_end_is_heard_while_it_starts(tmp_path):
    scene = Scene(tmp_path, ScriptedDriver(give(1)))
    with pytest.raises(Interrupted):
        scene.second.start(lambda: False)
    scene.second.stop()
    assert scene.events == []


def test_a_preview_does_not_open_it(tmp_path):
    path = tmp_path / "config.ini"
    path.write_text(CONFIG.format(minutes=1.0, first="", second="", rate=25))
    settings = load_settings(path, "M1")
    options = Options(seed=1, live=False, outputs=OFFLINE.outputs, lines_only=True)
    parts = build(settings, options, VirtualClock(as_ns(1)), lambda stage: True)
    assert parts.second is None
    assert parts.second_bytes(settings) == 0
    parts.camera.close()
    parts.rig.close()
