"""What the client makes of what the guardian tells, and what the guardian tells of its board."""

import os
import socket

import pytest

from core.errors import OutputError
from core.values import Report
from hardware import guardian
from hardware.bounds import openings
from hardware.guard_devices import GuardedValve
from hardware.guard_link import as_report
from hardware.guardian_life import Life, make_life_memory
from hardware.guardian_spec import GuardSpec, Orders
from hardware.guardian_wire import MAX_MESSAGE, Kind, Message, pack, unpack
from hardware.memory_board import MemoryBoard
from hardware.settings import OutputSettings
from tests.hardware.near_guardian import ALL_PINS


class Nobody:
    """A link on which nobody answers."""

    def ask(self, message):
        pass

    def finish(self, kind):
        pass


def test_what_was_dropped_counts_for_neither_session_nor_day():
    valve = GuardedValve(Nobody(), openings(OutputSettings(max_session_water_s=1.0, max_day_water_s=1.0)))
    valve.pulse(0.5, 0)
    valve.pulse(0.5, 0)
    with pytest.raises(OutputError, match="max_session_water_s"):
        valve.pulse(0.5, 0)
    for _ in range(2):
        valve.forget(2)
    assert valve.session_s == 0.5
    valve.pulse(0.5, 0)
    with pytest.raises(OutputError, match="max_session_water_s"):
        valve.pulse(0.1, 0)


TOLD = (Report(7, "board_closed", "valve bound"), Report(8, "line_taken_over", "pin_valve 27 was an output already"))


class Talkative(MemoryBoard):
    """A board that has done something by itself."""

    told = TOLD

    def reports(self):
        told, self.told = self.told, ()
        return told


def test_what_a_board_did_by_itself_reaches_the_controller(monkeypatch):
    """An Arduino that closed the valve early: the log has it."""
    monkeypatch.setattr(guardian, "make_board", Talkative)
    monkeypatch.setattr(guardian, "become_prompt", lambda _: ())
    (far, link), (watch, watched), (told, telling) = (
        socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(3)
    )
    memory, handle = make_life_memory(), os.pidfd_open(os.getpid())
    life = Life(memory)
    try:
        far.send(pack(Message(Kind.BYE)))
        orders = Orders(GuardSpec(ALL_PINS), 0.0, 0)
        assert guardian.Guardian(link, watch, told, handle, life, orders).run() == "the session ended"
        link.close()
        heard = [unpack(packet) for packet in iter(lambda: far.recv(MAX_MESSAGE), b"")]
    finally:
        for end in (far, link, watch, watched, told, telling, life):
            end.close()
        os.close(memory)
        os.close(handle)
    assert tuple(as_report(message) for message in heard if message.kind is Kind.BOARD) == TOLD
