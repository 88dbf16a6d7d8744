"""The connection between a session and its mouse: whole messages on a local socket, the frequent ones packed by hand.

At 15 frames/s a message is written and read with cold caches: pickling one costs more than sending it.
"""

from __future__ import annotations

import math
import pickle
import select
import socket
import struct
from typing import Any

from insilico.spec import Failure, Go, Ready, Shot, Stage

MAX_BYTES = 1 << 16
MAX_TEXT, MAX_DETAILS = 1000, 14_000
"""Longest line and longest traceback of a failure, characters: a message must fit, whatever they are."""
_GO, _SHOT, _END, _OTHER = b"G", b"S", b"E", b"P"
_FREQ = struct.Struct("<d")
_SAME = math.nan

Said = Go | Shot | Stage | Ready | Failure | None


class Gone(ConnectionError):
    """The other end has hung up, or its process has ended."""


def make_wires() -> tuple[Wire, socket.socket]:
    """Return this end of a connection, and the socket of the other, which may be handed to a spawned process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Wire(ours), theirs


class Wire:
    """One end. For one thread.

    Parameters
    ----------
    end : socket.socket
        Of kind SOCK_SEQPACKET; closed by this one.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._poller = select.poll()
        self._poller.register(end, select.POLLIN)

    def send(self, said: Said) -> None:
        """Send a message; None asks for the end. Raises Gone."""
        packet = _pack(said)
        try:
            self._end.send(packet, socket.MSG_NOSIGNAL)
        except OSError as error:
            raise Gone("the other end has gone") from error

    def poll(self, timeout_s: float) -> bool:
        """Return whether there is something to receive, waiting for at most ``timeout_s`` (s) for it."""
        return bool(self._poller.poll(timeout_s * 1000))

    def recv(self) -> Said:
        """Return the next message, waiting for it. Raises Gone."""
        try:
            packet = self._receive()
        except OSError as error:
            raise Gone("the other end has gone") from error
        if not packet:
            raise Gone("the other end has gone")
        return _unpack(packet)

    def _receive(self) -> bytes:
        try:
            return self._end.recv(MAX_BYTES)
        except ConnectionResetError:
            # It ended with our messages unread; what it said before is still to come.
            return self._end.recv(MAX_BYTES)

    def close(self) -> None:
        """Hang up."""
        self._end.close()


def _pack(said: Said) -> bytes:
    if isinstance(said, Shot):
        return _SHOT + struct.pack(f"<{1 + len(said.licks_ns)}q", said.time_ns, *said.licks_ns)
    if isinstance(said, Go):
        edges = [edge for opening in said.openings for edge in opening]
        freq_hz = _SAME if said.freq_hz is None else said.freq_hz
        return _GO + _FREQ.pack(freq_hz) + struct.pack(f"<{len(edges)}q", *edges)
    if said is None:
        return _END
    if isinstance(said, Failure):
        details = said.details if len(said.details) <= MAX_DETAILS else f"...{said.details[-MAX_DETAILS:]}"
        said = Failure(said.text[:MAX_TEXT], details)
    return _OTHER + pickle.dumps(said)


def _unpack(packet: bytes) -> Said:
    kind, body = packet[:1], packet[1:]
    if kind == _SHOT:
        time_ns, *licks_ns = _times(body)
        return Shot(time_ns, tuple(licks_ns))
    if kind == _GO:
        (freq_hz,), edges = _FREQ.unpack_from(body), _times(body[_FREQ.size :])
        return Go(None if math.isnan(freq_hz) else freq_hz, tuple(zip(edges[::2], edges[1::2], strict=True)))
    if kind == _END:
        return None
    said: Any = pickle.loads(body)  # noqa: S301 - a socket pair that only this project's two ends have
    return said  # type: ignore[no-any-return]


def _times(body: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(body) // 8}q", body)
