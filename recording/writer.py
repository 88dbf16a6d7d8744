"""The writer process: takes images and rows from the loop and puts them into the files of the session.

Spawned by ``recording.recorder.Recorder``, in a session of its own so that Ctrl-C reaches only the controller. Owns the
files and one thread (``files.Syncer``). Ends when it is told, or when the controller is gone: its socket then reads as
ended after the last message that was sent, what waited to be sent is taken from ``recording.backlog``'s memory, and
everything is flushed and closed.
"""

from __future__ import annotations

import os
import select
import socket
import traceback
from collections import deque

from core.clock import MonotonicClock
from core.errors import RecordingError
from recording.backlog import left_behind
from recording.child import stand_alone
from recording.problems import FILE_ERRORS, describe
from recording.ring import ImageRing
from recording.session_files import SessionFiles, WriterSpec
from recording.wire import END, MAX_MESSAGE, Reply, pack_free, pack_reply, unpack_frame

FLUSH_S = 0.5
_BATCH = 64
_LAST_WORD_MS = 10_000


def run_writer(link: socket.socket, spec: WriterSpec) -> None:
    """Run the writer process; never returns.

    Parameters
    ----------
    link : socket
        This end of the SOCK_SEQPACKET pair; its first message brings the ring's memory.
    spec : WriterSpec
    """
    code = 1
    try:
        stand_alone()
        # Woken by the loop's message this process must not push the loop off its core: the message took 400 us, not 30.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        code = _serve(link, spec)
    finally:
        if code == 1:
            traceback.print_exc()
        # Not sys.exit: after a failed write HDF5 crashes in its own exit routine.
        os._exit(code)


def _serve(link: socket.socket, spec: WriterSpec) -> int:
    greeting, handles, _, _ = socket.recv_fds(link, MAX_MESSAGE, 2)
    if not greeting:
        return 2
    backlog, *rest = handles
    ring = None
    if rest:
        ring = ImageRing(rest[0], spec.slots, spec.image_shape, spec.image_dtype)
        os.close(rest[0])
    try:
        files = SessionFiles(spec)
    except FILE_ERRORS as error:
        known = isinstance(error, RecordingError)
        problem = str(error) if known else describe("begin a recording in", spec.folder, error)
        link.send(pack_reply(Reply("error", text=problem)), socket.MSG_NOSIGNAL)
        return 3
    _Writer(link, backlog, spec, ring, files).run()
    return 0


class _Writer:
    """The loop of the process: packets in, files filled, replies out. Never waits for the controller."""

    def __init__(
        self, link: socket.socket, backlog: int, spec: WriterSpec, ring: ImageRing | None, files: SessionFiles
    ) -> None:
        self._link = link
        self._backlog = backlog
        self._received = 0
        self._controller = spec.controller
        self._images = ring.images if ring is not None else []
        self._files = files
        self._clock = MonotonicClock()
        self._packet = memoryview(bytearray(MAX_MESSAGE))
        self._free: list[int] = []
        self._outbox: deque[bytes] = deque([pack_reply(Reply("ready"))])
        self._told = 0
        self._told_of_images = False
        self._ended = False
        self._told_to_end = False
        self._connected = True

    def run(self) -> None:
        """Work until told to end or alone."""
        period_ns = round(FLUSH_S * 1e9)
        due = self._clock.now_ns() + period_ns
        while not self._ended:
            self._post()
            self._wait(max(0, due - self._clock.now_ns()) // 1_000_000 + 1)
            got = self._read_batch()
            if self._clock.now_ns() >= due:
                self._files.flush()
                self._report()
                due = self._clock.now_ns() + period_ns
                # A forked relative of the controller may hold its end of the socket open: look for the controller too.
                self._ended = self._ended or (not got and os.getppid() != self._controller)
        if not self._told_to_end:
            for message in left_behind(self._backlog, self._received):
                self._take(memoryview(message))
        frames, images = self._files.close()
        self._report()
        self._outbox.append(pack_reply(Reply("done", frames=frames, images=images)))
        self._say_goodbye()

    def _wait(self, timeout_ms: int) -> None:
        poller = select.poll()
        poller.register(self._link, select.POLLIN | (select.POLLOUT if self._outbox or self._free else 0))
        poller.poll(timeout_ms)

    def _read_batch(self) -> int:
        for count in range(_BATCH):
            try:
                size = self._link.recv_into(self._packet, 0, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return count
            except ConnectionResetError:
                # The controller died with our replies unread; what it sent before is still to come.
                continue
            if size == 0 or self._packet[:size] == END:
                self._ended = True
                self._connected = self._told_to_end = size > 0
                return count
            self._received += 1
            self._take(self._packet[:size])
        return _BATCH

    def _take(self, packet: memoryview) -> None:
        slot, row, timing, side = unpack_frame(packet)
        self._files.add(self._images[slot] if slot >= 0 else None, row, timing, side)
        if slot >= 0:
            self._free.append(slot)
        if self._files.ended is not None and not self._told_of_images:
            self._report()

    def _report(self) -> None:
        for problem in self._files.problems[self._told :]:
            self._outbox.append(pack_reply(Reply("error", text=problem)))
        self._told = len(self._files.problems)
        if self._files.ended is not None and not self._told_of_images:
            self._told_of_images = True
            cause, text = self._files.ended
            self._outbox.append(pack_reply(Reply("images_ended", text=text, cause=cause)))

    def _post(self) -> None:
        """Send what is to be said as far as the socket takes it; free slots in few messages."""
        while self._connected and (self._outbox or self._free):
            if not self._outbox:
                some, self._free = self._free[:1000], self._free[1000:]
                self._outbox.append(pack_free(some))
            try:
                self._link.send(self._outbox[0], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except ConnectionError:
                self._connected = False
                return
            self._outbox.popleft()

    def _say_goodbye(self) -> None:
        self._free.clear()
        poller = select.poll()
        poller.register(self._link, select.POLLOUT)
        self._post()
        while self._connected and self._outbox and poller.poll(_LAST_WORD_MS):
            self._post()
