"""A camera that hangs while it is opened or started: session, preview and latency test hear Ctrl-C at once."""

from threading import Event

import pytest

from camera import driver_thread, grabber
from camera.factory import CameraFactory
from camera.fake_driver import ScriptedDriver
from camera.grabber import Grabber
from core.clock import VirtualClock
from core.ports import Interrupted
from core.values import Line
from session import latency_rig
from session.latency_rig import LatencyChoice, latency_bench
from session.prepare import InterruptedEarly
from session.preview import PreviewView, run_preview
from session.stop import StopRequest
from tests.support.outputs import VirtualGuard
from tests.support.sessions import OFFLINE, run, settings_for


class HangingDriver(ScriptedDriver):
    """Hangs in one verb, in which somebody presses Ctrl-C."""

    def __init__(self, verb, stop):
        super().__init__()
        self._verb, self._stop, self.free = verb, stop, Event()

    def open(self):
        self._hang("open")
        return super().open()

    def start(self):
        self._hang("start")
        super().start()

    def _hang(self, verb):
        if verb == self._verb:
            self._stop.request("SIGINT")
            self.free.wait(10)


@pytest.fixture
def camera_that_hangs(monkeypatch):
    """Make every camera one that hangs in this verb; returns who is asked to stop."""
    drivers = []
    monkeypatch.setattr(driver_thread, "STEP_S", 0.001)
    monkeypatch.setattr(grabber, "DROP_S", 0.01)

    def make(verb):
        stop = StopRequest()

        def create(self, settings, **how):
            drivers.append(HangingDriver(verb, stop))
            return Grabber(drivers[-1], settings, VirtualClock())

        monkeypatch.setattr(CameraFactory, "create", create)
        return stop

    yield make
    assert len(drivers) == 1
    drivers[0].free.set()


def test_a_session_whose_camera_hangs_in_open_makes_nothing(tmp_path, camera_that_hangs):
    stop = camera_that_hangs("open")
    with pytest.raises(InterruptedEarly, match="SIGINT"):
        run(settings_for(tmp_path), stop=stop)
    assert not (tmp_path / "data").exists()


def test_a_session_whose_camera_hangs_in_start_is_aborted_and_whole(tmp_path, camera_that_hangs):
    result = run(settings_for(tmp_path), stop=camera_that_hangs("start"))
    assert (result.outcome, result.exit_code, result.error, result.frames) == ("aborted", 130, "", 0)
    assert "hangs in start and was left behind" in (result.session / "events.csv").read_text()


@pytest.mark.parametrize("verb", ["open", "start"])
def test_a_preview_whose_camera_hangs_is_stopped(tmp_path, camera_that_hangs, verb):
    stop = camera_that_hangs(verb)
    result = run_preview(settings_for(tmp_path), OFFLINE, VirtualClock(), stop, PreviewView(), None)
    assert (result.end, result.pictures, result.frames) == ("stopped", 0, 0)


@pytest.mark.parametrize("verb", ["open", "start"])
def test_a_latency_test_whose_camera_hangs_is_broken_off(tmp_path, camera_that_hangs, monkeypatch, verb):
    guard = VirtualGuard(VirtualClock())
    monkeypatch.setattr(latency_rig, "_check_rig", lambda settings, choice: None)
    monkeypatch.setattr(latency_rig, "make_guard", lambda spec: guard)
    stop = camera_that_hangs(verb)
    choice = LatencyChoice("rig", Line.LIGHT, Line.BRAIN_TTL)
    with pytest.raises(Interrupted):
        latency_bench(settings_for(tmp_path), choice, lambda: not stop).__enter__()
    assert guard.started == guard.closed == (verb == "start")
