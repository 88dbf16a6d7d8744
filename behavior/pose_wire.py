"""The connection between a pose estimator and its process: whole messages on a local socket.

A frame's question and answer are packed by hand, the image lies in memory that both share: what a pose costs beside the
model's own time are two messages and one copy.
"""

from __future__ import annotations

import json
import select
import socket
import struct
from typing import NamedTuple

import numpy as np

from behavior.pose_points import Points

MAX_BYTES = 1 << 16
MAX_TEXT, MAX_DETAILS = 1000, 9_000
"""Longest line and longest traceback of a failure, characters, of which each may become 6 bytes: a message must fit."""
_ASK = struct.Struct("<q")
_STAMPS = struct.Struct("<2q")
_ANSWER, _STAGE, _READY, _FAILURE = b"A", b"S", b"R", b"F"


class Gone(ConnectionError):
    """The other end has hung up, or its process has ended."""


class Answer(NamedTuple):
    """The pose in the frame that was asked about.

    Attributes
    ----------
    points : ndarray, (parts, 3) float64
    start_ns, end_ns : int
        When the model began and was done, CLOCK_MONOTONIC.
    """

    points: Points
    start_ns: int
    end_ns: int


class Stage(NamedTuple):
    """What is being done before the first frame, in words."""

    text: str


class Ready(NamedTuple):
    """The model is ready for frames."""

    names: tuple[str, ...]
    facts: dict[str, object]


class Failure(NamedTuple):
    """Why the process ends.

    Attributes
    ----------
    kind : {"input", "missing", "raised"}
        A file or setting that cannot be used; a library that is not there; anything else.
    text : str
        One line.
    details : str
        The traceback.
    """

    kind: str
    text: str
    details: str


Said = Answer | Stage | Ready | Failure


class Wire:
    """One end. For one thread. The estimator's sends numbers of frames, the process's what it has to say.

    Parameters
    ----------
    end : socket.socket
        Of kind SOCK_SEQPACKET; closed by this one.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._poller = select.poll()
        self._poller.register(end, select.POLLIN)

    def ask(self, number: int) -> None:
        """Say that the frame of this number lies in the shared memory. Raises Gone."""
        self._send(_ASK.pack(number))

    def asked(self) -> int:
        """Wait for the next frame and return its number. Raises Gone."""
        return int(_ASK.unpack(self._receive())[0])

    def say(self, said: Said) -> None:
        """Send to the estimator. Raises Gone."""
        self._send(_pack(said))

    def poll(self, timeout_s: float) -> bool:
        """Return whether there is something to receive, waiting for at most ``timeout_s`` (s) for it."""
        return bool(self._poller.poll(timeout_s * 1000))

    def hear(self) -> Said:
        """Return what the process says next, waiting for it. Raises Gone."""
        return _unpack(self._receive())

    def close(self) -> None:
        """Hang up."""
        self._end.close()

    def _send(self, packet: bytes) -> None:
        try:
            self._end.send(packet, socket.MSG_NOSIGNAL)
        except OSError as error:
            raise Gone("the other end has gone") from error

    def _receive(self) -> bytes:
        try:
            packet = self._recv()
        except OSError as error:
            raise Gone("the other end has gone") from error
        if not packet:
            raise Gone("the other end has gone")
        return packet

    def _recv(self) -> bytes:
        try:
            return self._end.recv(MAX_BYTES)
        except ConnectionResetError:
            # It ended with our messages unread; what it said before is still to come.
            return self._end.recv(MAX_BYTES)


def _pack(said: Said) -> bytes:
    if isinstance(said, Answer):
        points = np.ascontiguousarray(said.points, np.float64)
        return _ANSWER + _STAMPS.pack(said.start_ns, said.end_ns) + points.tobytes()
    if isinstance(said, Stage):
        return _STAGE + said.text.encode("utf-8", "replace")
    if isinstance(said, Ready):
        return _READY + json.dumps([said.names, said.facts]).encode()
    details = said.details if len(said.details) <= MAX_DETAILS else f"...{said.details[-MAX_DETAILS:]}"
    return _FAILURE + json.dumps([said.kind, said.text[:MAX_TEXT], details], ensure_ascii=False).encode(
        "utf-8", "replace"
    )


def _unpack(packet: bytes) -> Said:
    kind, body = packet[:1], packet[1:]
    if kind == _ANSWER:
        start_ns, end_ns = _STAMPS.unpack_from(body)
        # A copy: what lies in the packet cannot be written to, and the pose is the caller's.
        return Answer(np.frombuffer(body, np.float64, offset=_STAMPS.size).reshape(-1, 3).copy(), start_ns, end_ns)
    if kind == _STAGE:
        return Stage(body.decode())
    if kind == _READY:
        names, facts = json.loads(body)
        return Ready(tuple(names), facts)
    return Failure(*json.loads(body))
