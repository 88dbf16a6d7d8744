"""The lick process's loop against a controller that does not read, in this process."""

import os
import socket

import pytest

from core.clock import VirtualClock
from core.errors import OutputError
from hardware import lick_process
from hardware.debounce import Touch
from hardware.lick_process import LickLoop, LickSpec, make_feeler
from hardware.lick_wire import Alive, Lost, Ready, Report, pack, pack_licks, unpack
from hardware.settings import LickKind, LickSettings, PinSettings

MS = 1_000_000


class ScriptedFeeler:
    """Gives what it is told to at each look, then lets the controller be gone."""

    name, handles, pause_s = "scripted", (), 0.0

    def __init__(self, looks, after):
        self._looks, self._after = list(looks), after

    def look(self):
        if not self._looks:
            self._after()
            return []
        found = self._looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def notes(self):
        return []


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours, theirs


def run(pair, looks, **settings):
    """Run the loop over the looks; return all that it said to a controller which only listens at the end."""
    ours, theirs = pair
    spec = LickSpec(
        LickSettings(lick_sensor=LickKind.beam, lick_pin=4, **settings), PinSettings(), None, None, os.getppid()
    )
    feeler = ScriptedFeeler(looks, lambda: ours.shutdown(socket.SHUT_WR))
    LickLoop(theirs, feeler, spec, VirtualClock(0)).run()
    said = []
    while True:
        try:
            said.append(unpack(ours.recv(1 << 16, socket.MSG_DONTWAIT)))
        except BlockingIOError:
            return said


def lick(n):
    return [Touch(n * 100 * MS, True), Touch(n * 100 * MS + 40 * MS, False)]


def times(said):
    return [each.time_ns for message in said if type(message) is tuple for each in message]


def test_licks_in_order_after_the_name(pair):
    said = run(pair, [lick(1), [], lick(2) + lick(3)])
    assert said[0] == Ready("scripted")
    assert times(said) == [100 * MS, 200 * MS, 300 * MS]


def test_more_licks_than_fit_a_message(pair):
    many = [touch for n in range(1, 700) for touch in lick(n)]
    assert times(run(pair, [many])) == [n * 100 * MS for n in range(1, 700)]


def test_a_controller_that_does_not_read_costs_the_oldest_and_is_told(pair, monkeypatch):
    monkeypatch.setattr(lick_process, "MOST_WAITING", 3)
    ours, theirs = pair
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    spec = LickSpec(LickSettings(lick_sensor=LickKind.beam, lick_pin=4), PinSettings(), None, None, os.getppid())
    loop = LickLoop(theirs, ScriptedFeeler([], None), spec, VirtualClock(0))
    for n in range(1, 40):
        loop._take(lick(n))
    said = []
    while True:
        try:
            said.append(unpack(ours.recv(1 << 16, socket.MSG_DONTWAIT)))
        except BlockingIOError:
            if not loop._outbox:
                break
        loop._post()
    reports = [message for message in said if isinstance(message, Report)]
    lost = 39 - len(times(said)) + (Ready("scripted") not in said)
    assert [report.detail for report in reports] == [f"{lost} messages were lost, as the controller did not read them"]
    assert times(said)[-3:] == [n * 100 * MS for n in (37, 38, 39)]


def test_errors_are_counted_once_they_are_over(pair):
    said = run(pair, [OSError(121, "Remote I/O error"), OSError(121, "Remote I/O error"), lick(1)])
    (report,) = [message for message in said if isinstance(message, Report)]
    assert report[1:] == ("i2c_error", "2 looks at the scripted failed: Remote I/O error")
    assert times(said) == [100 * MS]


def test_a_sensor_that_switched_itself_off_is_lost_at_once(pair):
    with pytest.raises(OutputError, match="REXT"):
        run(pair, [OutputError("REXT")])


@pytest.mark.parametrize("said", [Ready("x"), Alive(), Lost("gone; do this"), Report(5, "i2c_error", "3 looks failed")])
def test_messages_come_out_as_they_went_in(said):
    assert unpack(pack(said)) == said
    assert type(unpack(pack(said))) is type(said)


def test_a_long_text_is_cut():
    assert len(unpack(pack(Lost("x" * 100_000))).text) == 2000


def test_licks_come_out_as_they_went_in():
    assert [lick.time_ns for lick in unpack(pack_licks([1, 2**62]))] == [1, 2**62]


def test_no_sensor_is_said_so():
    spec = LickSpec(LickSettings(lick_sensor=LickKind.none), PinSettings(), None, None, 0)
    with pytest.raises(OutputError, match="lick_sensor = none"):
        make_feeler(spec, VirtualClock(0))
