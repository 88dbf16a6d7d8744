"""Speaker and lick sensor whose process cannot be started, or hangs in the kernel while the device is opened."""

import errno
import os
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess

import pytest

from core.errors import OutputError, StillOpening
from core.ports import Interrupted
from hardware import lick, speaker_link
from hardware.device_process import DeviceProcess
from hardware.lick import LickReader
from hardware.settings import LickSettings, PinSettings, SoundSettings
from hardware.speaker import ProcessSpeaker
from hardware.steps import to_the_end

DEVICES = {
    "speaker": lambda: ProcessSpeaker(SoundSettings()),
    "lick sensor": lambda: LickReader(LickSettings(), PinSettings()),
}


@pytest.fixture(params=DEVICES)
def device(request):
    return DEVICES[request.param]()


@pytest.fixture
def no_fork(monkeypatch):
    def refuse(self):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    # It holds a descriptor of its own from its first use on.
    resource_tracker.ensure_running()
    monkeypatch.setattr(SpawnProcess, "start", refuse)


@pytest.fixture
def undying(monkeypatch):
    """Processes that say nothing, and that nothing ends; returns those that were left behind."""
    left, links = [], []
    monkeypatch.setattr(SpawnProcess, "start", lambda self: links.append(self._args[0].dup()))
    monkeypatch.setattr(SpawnProcess, "kill", lambda self: None)
    monkeypatch.setattr(SpawnProcess, "join", lambda self, timeout=None: None)
    monkeypatch.setattr(SpawnProcess, "pid", 4242)
    monkeypatch.setattr(SpawnProcess, "exitcode", None)
    monkeypatch.setattr("hardware.steps.leave_behind", left.append)
    for module, name in ((lick, "KILL_S"), (lick, "DROP_S"), (speaker_link, "DROP_S")):
        monkeypatch.setattr(module, name, 0.0)
    yield left
    for link in links:
        link.close()


def test_a_process_that_cannot_be_started_is_an_output_error_at_start_and_again(device, no_fork):
    open_handles = len(os.listdir("/proc/self/fd"))
    for verb in (device.start, device.reconnect, device.reconnect):
        with pytest.raises(OutputError, match=r"no process can be started \(Resource temporarily unavailable\)"):
            verb()
        assert device.pid == 0
    assert len(os.listdir("/proc/self/fd")) == open_handles
    device.close()
    assert device.left_behind() == ()


def told(device):
    return [(report.kind[-6:], "process 4242 hangs in the kernel" in report.detail) for report in device.left_behind()]


def test_a_process_that_hangs_while_a_start_is_broken_off_is_told(device, undying):
    asked = []
    with pytest.raises(Interrupted):
        device.start(lambda: len(asked) < 3 and not asked.append(1))
    assert len(undying) == 1
    assert told(device) == [("_stuck", True)]
    device.close()
    assert told(device) == []


def test_a_process_that_hangs_while_it_is_opened_again_is_told_at_the_close(device, undying):
    with pytest.raises(StillOpening):
        device.reconnect()
    assert undying == []
    device.close()
    assert len(undying) == 1
    assert told(device) == [("_stuck", True)]


def test_a_process_that_says_nothing_is_told_when_its_time_is_up(device, undying, monkeypatch):
    for module, name in ((lick, "START_S"), (lick, "END_S"), (speaker_link, "START_S"), (speaker_link, "CLOSE_S")):
        monkeypatch.setattr(module, name, 0.0)
    with pytest.raises(OutputError, match=r"nothing for 0 s|not ready after 0 s"):
        device.start()
    assert told(device) == [("_stuck", True)]
    device.close()
    assert len(undying) == 1


def test_without_a_process_there_is_nothing_to_kill_or_to_end():
    process = DeviceProcess("speaker")
    process.kill()
    to_the_end(process.ending(0.0, 0.0))
    assert (process.pid, process.exit_code(0.0), process.take_left()) == (0, None, ())
