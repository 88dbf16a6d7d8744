"""The loop's end of the connection to the writer process: starts it, talks to it, ends it."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import pickle
import select
import socket
import sys
from multiprocessing.context import SpawnProcess
from typing import NoReturn

from core.errors import RecordingError
from recording.backlog import Backlog, make_backlog_memory
from recording.child import signals_held_back
from recording.session_files import WriterSpec
from recording.wire import END, MAX_MESSAGE, Reply, unpack_free, unpack_reply
from recording.writer import run_writer

# A cold start imports h5py, seconds on a Pi; the last fsync of a slow card takes long, but not this long.
START_S = 60.0
STALL_S = 30.0
CLOSE_S = 120.0
KILL_S = 5.0
_RETRIES = 32


class WriterLink:
    """A writer process and the socket to it. Used by one thread.

    Parameters
    ----------
    spec : WriterSpec
    patient : bool
        Whether ``send`` waits for a writer that lags behind. Else messages it cannot take queue up, in memory that the
        writer reads if this process is killed, and go with later calls.

    Attributes
    ----------
    free : list of int
        Slots of the ring that may be filled.
    error : str
        The first problem that was met or reported.
    images_ended : Reply or None
        That the writer takes no images any more, and why; ``free`` stays empty from then on.
    pid : int
        Process id of the writer, 0 before its start.
    """

    def __init__(self, spec: WriterSpec, patient: bool) -> None:
        self.free: list[int] = list(range(spec.slots))
        self.error = ""
        self.images_ended: Reply | None = None
        self.pid = 0
        self.stall_s = STALL_S
        self._spec = spec
        self._patient = patient
        self._socket: socket.socket | None = None
        self._process: SpawnProcess | None = None
        self._backlog: Backlog | None = None
        self._packet = memoryview(bytearray(MAX_MESSAGE))
        self._poller = select.poll()
        self._ready = False
        self._done: Reply | None = None

    def start(self, memory: int | None) -> None:
        """Start the writer, and wait until its files are open.

        Parameters
        ----------
        memory : int or None
            Descriptor of the ring's memory; still the caller's.

        Raises
        ------
        RecordingError
            The files cannot be made, or the writer does not come up.
        OSError
            There are no processes, sockets or memory left.
        """
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._hand_over(memory)
            self._process = multiprocessing.get_context("spawn").Process(
                target=run_writer, args=(theirs, self._spec), name="rigloop-recorder"
            )
            with signals_held_back():
                self._process.start()
        self.pid = self._process.pid or 0
        self._poller.register(self._socket, select.POLLIN)
        # Registered after multiprocessing's own exit hook, so run before it: that one waits for the writer, which waits
        # for the end of this socket when nobody called close().
        atexit.register(self._socket.close)
        while not self._ready:
            self.receive(START_S)
            if self.error:
                raise RecordingError(self.error)

    def send(self, message: bytes) -> None:
        """Send, behind what could not be sent before. Raises RecordingError where the writer died or stalls."""
        backlog = self._waiting()
        if not len(backlog) and self._push(message):
            backlog.note_sent()
            return
        if not backlog.append(message):
            self.fail(f"the writer took none of the last {len(backlog)} rows of {self._spec.folder}; check the disk")
        for _ in range(len(backlog) if self._patient else min(_RETRIES, len(backlog))):
            while not self._push(backlog.first()):
                if not self._patient:
                    return
                self._await_room()
            backlog.pop()

    def receive(self, timeout_s: float) -> bool:
        """Take the next reply, waiting up to ``timeout_s`` for it; 0 does not wait.

        Only one, as there is about one per frame, and finding out that there is no more costs as much again.

        Returns
        -------
        bool
            Whether there was one.

        Raises
        ------
        RecordingError
            The writer died, or said nothing in time.
        """
        link = self._connected()
        if timeout_s and not self._poller.poll(timeout_s * 1000):
            self._stalled(timeout_s)
        while True:
            try:
                size = link.recv_into(self._packet, 0, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                # The writer died with our messages unread; what it said before is still to come.
                continue
            if not size:
                self._lost()
            self._take(self._packet[:size])
            return True

    def finish(self) -> Reply | None:
        """Have the writer take what is left and end; return its count, None where it has none. Raises nothing."""
        if not self._ready:
            return None
        try:
            backlog = self._waiting()
            while len(backlog):
                if self._push(backlog.first()):
                    backlog.pop()
                else:
                    self._await_room()
            while not self._push(END):
                self._await_room()
            while self._done is None:
                self.receive(CLOSE_S)
        except (OSError, pickle.UnpicklingError) as error:
            self.fail(str(error))
        return self._done

    def close(self) -> None:
        """Hang up, and see the writer end; kill it where it does not. Twice is allowed."""
        if self._socket is not None:
            atexit.unregister(self._socket.close)
            self._socket.close()
            self._socket = None
        if self._process is not None and self.pid:
            self._process.join(CLOSE_S if self._done is not None else KILL_S)
            if self._process.exitcode is None:
                self._process.kill()
                self._process.join(KILL_S)
            if self._process.exitcode is None:
                self._leave_behind()
            else:
                self._process.close()
        self._process = None
        if self._backlog is not None:
            self._backlog.close()
            self._backlog = None

    def fail(self, problem: str) -> None:
        """Keep the first problem."""
        self.error = self.error or problem

    def _take(self, packet: memoryview) -> None:
        slots = unpack_free(packet)
        if slots is not None:
            if self.images_ended is None:
                self.free.extend(slots)
            return
        reply = unpack_reply(packet)
        if reply.kind == "error":
            self.fail(reply.text)
        elif reply.kind == "images_ended":
            self.images_ended = reply
            self.free.clear()
        elif reply.kind == "ready":
            self._ready = True
        else:
            self._done = reply

    def _push(self, message: bytes) -> bool:
        """Try to send a message; whether it went."""
        link = self._connected()
        try:
            link.send(message, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except ConnectionError:
            # What the writer said before it died names the cause better than its death does.
            while self.receive(0):
                pass
            self._lost()
        return True

    def _await_room(self) -> None:
        poller = select.poll()
        poller.register(self._connected(), select.POLLOUT)
        if not poller.poll(self.stall_s * 1000):
            self._stalled(self.stall_s)

    def _hand_over(self, memory: int | None) -> None:
        """Make the memory for what waits, and send it and the ring's to the writer."""
        backlog = make_backlog_memory()
        try:
            self._backlog = Backlog(backlog)
            handles = [backlog] if memory is None else [backlog, memory]
            socket.send_fds(self._connected(), [b"memory"], handles)
        finally:
            os.close(backlog)

    def _leave_behind(self) -> None:
        """Have this process end although the writer does not: the kernel itself waits for its disk.

        At its exit multiprocessing would wait for the writer without end. What is registered last is run first.
        """
        self.fail(
            f"the process that writes {self._spec.folder} ({self.pid}) cannot be ended, its disk does not answer; "
            "check the disk, and restart this computer"
        )
        atexit.register(_exit_now)

    def _waiting(self) -> Backlog:
        if self._backlog is None:
            raise RecordingError(self.error or "the recorder is not running; call start() first")
        return self._backlog

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise RecordingError(self.error or "the recorder is not running; call start() first")
        return self._socket

    def _lost(self) -> NoReturn:
        code = None
        if self._process is not None:
            self._process.join(1.0)
            code = self._process.exitcode
        self.fail(
            f"the process that writes {self._spec.folder} died (exit code {code}); what it had written is kept, up to "
            "a second before or as far as the disk had come: go on with rigloop run --resume, and look for a "
            "killed process in the system's log"
        )
        raise RecordingError(self.error)

    def _stalled(self, timeout_s: float) -> NoReturn:
        self.fail(f"the process that writes {self._spec.folder} took nothing for {timeout_s:g} s; check the disk")
        raise RecordingError(self.error)


def _exit_now() -> None:
    """Leave without waiting for any other process; for a session that has failed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(3)
