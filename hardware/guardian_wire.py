"""Messages between the controller, the guardian and its watcher: one fixed struct, with a text behind it where needed.

Packed by hand, not pickled: the guardian reads what may come from a program that has gone wrong.
"""

from __future__ import annotations

import select
import struct
from collections import deque
from enum import IntEnum
from socket import MSG_DONTWAIT, MSG_NOSIGNAL, socket
from typing import NamedTuple

from core.errors import OutputError
from hardware.board import OutputLine

MAX_MESSAGE = 4096
_PACKET = struct.Struct("<BBBxIqq")
_LINES = tuple(OutputLine)
_INDEX = {line: k for k, line in enumerate(_LINES)}
_KEPT = 4096


class Kind(IntEnum):
    """What a message says."""

    # To the guardian.
    WATER = 1
    """Open the valve: number, length (a)."""
    SET = 2
    """Set a line: line, high."""
    PULSE = 3
    """Raise a line: line, length (a)."""
    SHUT = 4
    """Shut the valve for good, drop what waits; answered with DONE."""
    LOW = 5
    """All other lines low for good; answered with DONE."""
    BYE = 6
    """End."""
    THREAD = 7
    """The controller's heartbeat is this thread: number. It ends at once when the controller is killed."""
    DROP = 8
    """Drop what waits for its time; a drop that runs ends by itself."""
    # From the guardian or the watcher.
    READY = 10
    """Up. Text: what of real time was refused."""
    EDGE = 11
    """A line changed: line, high, number, time (a)."""
    CUT = 12
    """The valve was closed early: number, time (a), how long it had been open (b). Text: why."""
    DROPPED = 13
    """A drop that waited will not come: number, time (a). Text: why."""
    WAIT = 14
    """A drop waits for ``max_duty``: number, time (a), for how long (b)."""
    REFUSED = 15
    """A command was refused: number, time (a). Text: why."""
    DONE = 16
    """SHUT or LOW is done: number is the kind of the command."""
    FATAL = 17
    """The guardian ends. Text: why."""
    LOST = 18
    """Reports that found no room were dropped: number, time (a)."""
    TAKEN = 19
    """The watcher took the lines low for a guardian that died or hung: time (a). Text: which."""
    BOARD = 20
    """The board tells of itself: time (a). Text: kind of the report, a tab, detail."""
    LEDGER = 21
    """The water of the day is not written as it was given: time (a). Text: what is wrong."""
    # From the guardian to the watcher.
    ROW = 30
    """Write into the ledger: number, time of day (a), length (b)."""
    CLOSING = 31
    """The valve is shut; releasing the board may take longer than the guardian may be silent otherwise."""
    CLEAN = 32
    """The guardian ends with lines low, of its own will."""


class Message(NamedTuple):
    """One message.

    Attributes
    ----------
    kind : Kind
    line : OutputLine
    high : bool
    number : int
        Of a drop.
    a, b : int
        Times, ns.
    text : str
    """

    kind: Kind
    line: OutputLine = OutputLine.VALVE
    high: bool = False
    number: int = 0
    a: int = 0
    b: int = 0
    text: str = ""


def pack(message: Message) -> bytes:
    """Return the message as bytes; a long text is cut."""
    kind, line, high, number, a, b, text = message
    return _PACKET.pack(kind, _INDEX[line], high, number, a, b) + text.encode()[: MAX_MESSAGE - _PACKET.size]


def unpack(packet: bytes) -> Message:
    """Return the message. Raises OutputError where it is none."""
    try:
        kind, line, high, number, a, b = _PACKET.unpack_from(packet)
        return Message(
            Kind(kind), _LINES[line], bool(high), number, a, b, packet[_PACKET.size :].decode(errors="replace")
        )
    except (struct.error, ValueError, IndexError) as error:
        raise OutputError(f"guardian: a message cannot be read ({error}); both ends must be of one version") from error


class Outbox:
    """Messages to somebody who may not be listening: sends without waiting, keeps a bounded number, counts the rest.

    Parameters
    ----------
    link : socket
    """

    def __init__(self, link: socket) -> None:
        self._link = link
        self._kept: deque[bytes] = deque()
        self._lost = 0

    def put(self, message: Message) -> None:
        """Send now, or with a later ``post``."""
        if len(self._kept) >= _KEPT:
            self._lost += 1
        elif self._kept or not self._push(packet := pack(message)):
            self._kept.append(pack(message) if self._kept else packet)

    def post(self, now_ns: int) -> None:
        """Send what was kept, as far as there is room, and tell what was lost."""
        while self._kept and self._push(self._kept[0]):
            self._kept.popleft()
        if self._lost and not self._kept and self._push(pack(Message(Kind.LOST, number=self._lost, a=now_ns))):
            self._lost = 0

    def flush(self, timeout_ms: int) -> None:
        """Send what was kept, waiting for room for at most ``timeout_ms`` at a time."""
        poller = select.poll()
        poller.register(self._link, select.POLLOUT)
        self.post(0)
        while self._kept and poller.poll(timeout_ms):
            self.post(0)

    def _push(self, packet: bytes) -> bool:
        try:
            self._link.send(packet, MSG_DONTWAIT | MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except ConnectionError:
            # Nobody is there any more; the end of the connection is seen where it is read.
            return True
        return True
