"""The controller's end of the connection to guardian and watcher: sends commands, turns what they say into reports."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from core.errors import OutputError
from core.values import Report, as_ns
from hardware.board import OutputLine
from hardware.guard_pair import Pair
from hardware.guardian_wire import MAX_MESSAGE, Kind, Message, pack, unpack

ANSWER_S = 1.0
TAKE_S = 11.0
AGAIN_S = 0.01
"""A command that found no room in the socket is sent again after this time."""
LAST_WORD_S = 0.5
CLOSE_THE_TAP = "the valve may be open: close the water's tap"
_BATCH = 256


class Link(Protocol):
    """What the valve and the lines ask of a connection."""

    def ask(self, message: Message) -> None:
        """Send a command without waiting. Raises OutputError where nobody takes it."""

    def finish(self, kind: Kind) -> None:
        """Send SHUT or LOW and return when the lines are low, in bounded time. Raises OutputError where not sure."""


class GuardLink:
    """A running pair as the valve and the lines see it. Used by one thread.

    Parameters
    ----------
    pair : Pair
    dropped : callable
        Takes the number of each drop that waited and will not come.
    """

    def __init__(self, pair: Pair, dropped: Callable[[int], None] = lambda _: None) -> None:
        self._pair = pair
        self._dropped = dropped
        self._reports: list[Report] = []
        self._fatal = ""
        self._gone = self._taken = False
        self._done: set[int] = set()
        self._rise_ns = 0
        self._openings: list[tuple[int, int]] = []
        self._links = {pair.link: self._hear_guardian, pair.watch: self._hear_watcher}

    def ask(self, message: Message) -> None:
        """Send a command without waiting. Raises OutputError where the guardian is gone or takes nothing."""
        if self._fatal:
            raise OutputError(self._fatal)
        try:
            self._pair.link.send(pack(message), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError as error:
            raise OutputError("guardian: it takes no commands; restart the outputs") from error
        except OSError as error:
            raise OutputError(self._why_lost()) from error

    def reports(self) -> tuple[Report, ...]:
        """Return what was told since the last look. Raises OutputError when the guardian is lost and all is told."""
        self._hear(0)
        if not self._reports and (self._fatal or self._gone):
            why = self._why_lost()
            # Meanwhile the watcher may have told that it took the lines low: that is reported first.
            if not self._reports:
                raise OutputError(why)
        found, self._reports = tuple(self._reports), []
        return found

    def finish(self, kind: Kind) -> None:
        """Send SHUT or LOW and return when that is done. Raises OutputError where the lines may be high.

        A guardian that does not do it within ANSWER_S, busy or not, is killed, and its watcher takes the lines low.
        """
        end_ns = time.monotonic_ns() + as_ns(ANSWER_S)
        self.insist(Message(kind), ANSWER_S)
        self._wait(lambda: kind in self._done or self._gone, (end_ns - time.monotonic_ns()) / 1e9)
        if kind in self._done:
            return
        if not self._gone:
            self._pair.kill_guardian()
        if self._pair.code() == 0:
            return
        # Where the watcher is gone too, nobody will say so.
        self._wait(lambda: self._taken or not self._links, TAKE_S)
        if self._taken:
            return
        raise OutputError(f"{self._why_lost()}; {CLOSE_THE_TAP}")

    def insist(self, message: Message, timeout_s: float) -> bool:
        """Send a command, again until there is room for it or ``timeout_s`` are over; return whether it was sent."""
        end_ns = time.monotonic_ns() + as_ns(timeout_s)
        while not self._gone:
            with suppress(OutputError):
                self.ask(message)
                return True
            left_s = (end_ns - time.monotonic_ns()) / 1e9
            if self._fatal or left_s <= 0:
                break
            # Not longer: what makes room is the guardian's reading, of which nothing is heard here.
            self._wait(lambda: self._gone, min(left_s, AGAIN_S))
        return False

    def last_words(self) -> tuple[Report, ...]:
        """Return what is still to be told of a pair that has ended."""
        while self._hear(0):
            pass
        return tuple(self._reports)

    def openings(self, now_ns: int) -> list[tuple[int, int]]:
        """Return start and end of every opening so far, ns; one whose end nobody told lasted until now."""
        return self._openings + ([(self._rise_ns, now_ns)] if self._rise_ns else [])

    def _note_edge(self, message: Message) -> None:
        if message.high:
            self._rise_ns = message.a
        elif self._rise_ns:
            self._openings.append((self._rise_ns, message.a))
            self._rise_ns = 0

    def _wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Hear until it is done, for at most ``timeout_s`` in all, however much is said; return whether it is."""
        end_ns = time.monotonic_ns() + as_ns(max(0.0, timeout_s))
        while not done():
            left_s = (end_ns - time.monotonic_ns()) / 1e9
            # What was said before the end is heard even where this process was held up until after it.
            self._hear(max(0.0, left_s))
            if left_s <= 0:
                return done()
        return True

    def _hear(self, timeout_s: float) -> bool:
        """Take what was said, waiting for it up to ``timeout_s``; return whether there was anything."""
        poller = select.poll()
        for link in self._links:
            poller.register(link, select.POLLIN)
        ready = {descriptor for descriptor, _ in poller.poll(timeout_s * 1000)}
        for link in [link for link in self._links if link.fileno() in ready]:
            self._drain(link, self._links[link])
        return bool(ready)

    def _drain(self, link: socket.socket, hear: Callable[[Message], None]) -> None:
        for _ in range(_BATCH):
            try:
                packet = link.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except ConnectionResetError:
                # It died with our messages unread; what it said before is still to come.
                continue
            if not packet:
                del self._links[link]
                self._gone = True
                return
            hear(unpack(packet))

    def _hear_guardian(self, message: Message) -> None:
        if message.kind is Kind.DONE:
            self._done.add(message.number)
        elif message.kind is Kind.FATAL:
            self._fatal = self._fatal or message.text
        else:
            if message.kind is Kind.DROPPED:
                self._dropped(message.number)
            if message.kind is Kind.EDGE and message.line is OutputLine.VALVE:
                self._note_edge(message)
            self._reports.append(as_report(message))

    def _hear_watcher(self, message: Message) -> None:
        self._taken |= message.kind is Kind.TAKEN
        self._hear_guardian(message)

    def _why_lost(self) -> str:
        # A guardian whose watcher died has still to say so, and a watcher whose guardian died what it did.
        self._wait(self._all_said, LAST_WORD_S)
        if self._fatal:
            return self._fatal
        fate = self._pair.fate()
        lines = "are low" if self._taken or self._pair.code() == 0 else "may be high"
        return f"guardian: {fate}; its lines {lines}: restart the outputs, see the system's log"

    def _all_said(self) -> bool:
        if self._fatal or self._taken:
            return True
        guardian_told, watcher_told = (link not in self._links for link in (self._pair.link, self._pair.watch))
        return guardian_told and (watcher_told or self._pair.code() == 0)


def as_report(message: Message) -> Report:
    """Return what the event log is told."""
    kind, drop = message.kind, f"drop {message.number}"
    if kind is Kind.EDGE:
        if message.line is OutputLine.SYNC:
            return Report(message.a, "sync", str(int(message.high)))
        return Report(message.a, "edge", f"{message.line.value} {int(message.high)}")
    if kind is Kind.CUT:
        return Report(message.a, "water_cut", f"{drop} closed after {message.b / 1e9:.6f} s: {message.text}")
    if kind is Kind.DROPPED:
        return Report(message.a, "water_cut", f"{drop} not given: {message.text}")
    if kind is Kind.WAIT:
        return Report(message.a, "water_wait", f"{drop} waits {message.b / 1e9:.3f} s, as the bounds ask")
    if kind is Kind.TAKEN:
        return Report(message.a, "lines_low", message.text)
    if kind is Kind.BOARD:
        what, _, detail = message.text.partition("\t")
        return Report(message.a, what, detail)
    if kind is Kind.LOST:
        return Report(message.a, "reports_lost", f"{message.number} reports of the outputs found no room")
    return Report(message.a, kind.name.lower(), message.text)
