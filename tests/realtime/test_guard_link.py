"""The client's waits against a guardian that talks without end, and one whose socket is full. Real sockets and time."""

import contextlib
import select
import socket
import threading
import time

import pytest

from core.errors import OutputError
from hardware import guard_link
from hardware.board import OutputLine
from hardware.guard_link import GuardLink
from hardware.guardian_wire import MAX_MESSAGE, Kind, Message, pack, unpack

EDGE = pack(Message(Kind.EDGE, OutputLine.SYNC, True))


class Odd:
    """A pair whose guardian is a thread of this test; what ``hardware.guard_pair.Pair`` is to a link."""

    def __init__(self, guardian):
        self.link, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.watch, self._watch = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.killed = threading.Event()
        self._thread = threading.Thread(target=guardian, args=(self._far, self.killed))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.killed.set()
        self._thread.join(10)
        for end in (self.link, self._far, self.watch, self._watch):
            end.close()

    def kill_guardian(self):
        self.killed.set()
        self._thread.join(10)
        self._far.close()
        self._watch.send(pack(Message(Kind.TAKEN, text="the guardian was killed")))

    def code(self):
        return -9 if self.killed.is_set() else None

    def fate(self):
        return "it was killed"


def talk(far, killed):
    """Tell of an edge every 20 ms and do nothing else; not for ever, so that a test without a bound ends."""
    for _ in range(500):
        if killed.wait(0.02):
            return
        with contextlib.suppress(BlockingIOError):
            far.send(EDGE, socket.MSG_DONTWAIT)


def test_a_guardian_that_talks_and_does_not_shut_is_ended_within_the_bound(monkeypatch):
    monkeypatch.setattr(guard_link, "ANSWER_S", 0.3)
    with Odd(talk) as pair:
        link = GuardLink(pair)
        begin = time.monotonic()
        link.finish(Kind.SHUT)
        assert time.monotonic() - begin < 5
        assert pair.killed.is_set()
        assert [report.detail for report in link.reports() if report.kind == "lines_low"] == ["the guardian was killed"]


def test_where_nobody_takes_the_lines_either_that_is_told(monkeypatch):
    monkeypatch.setattr(guard_link, "ANSWER_S", 0.2)
    monkeypatch.setattr(guard_link, "TAKE_S", 0.3)
    with Odd(talk) as pair:
        monkeypatch.setattr(pair, "kill_guardian", lambda: None)
        with pytest.raises(OutputError, match=r"may be high.*close the water's tap"):
            GuardLink(pair).finish(Kind.SHUT)


def fill(link):
    """Ask until nothing more is taken."""
    while True:
        link.ask(Message(Kind.SET, OutputLine.LIGHT))


def late(far, killed):
    """Let the socket stay full for a while; talk; then read, and answer."""
    killed.wait(0.2)
    while not killed.is_set():
        with contextlib.suppress(BlockingIOError):
            far.send(EDGE, socket.MSG_DONTWAIT)
        if select.select([far], (), (), 0.02)[0] and unpack(far.recv(MAX_MESSAGE)).kind is Kind.SHUT:
            far.send(pack(Message(Kind.DONE, number=Kind.SHUT)))


def test_a_shut_that_finds_no_room_is_sent_again(monkeypatch):
    monkeypatch.setattr(guard_link, "ANSWER_S", 20.0)
    with Odd(late) as pair:
        link = GuardLink(pair)
        with pytest.raises(OutputError, match="takes no commands"):
            fill(link)
        link.finish(Kind.SHUT)
        assert not pair.killed.is_set()
