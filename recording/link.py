"""The loop's end of the connection to the writer process: starts it, talks to it, ends it."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import pickle
import select
import signal
import socket
from collections import deque
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess
from typing import NoReturn

from core.errors import RecordingError
from recording.session_files import WriterSpec
from recording.wire import END, MAX_MESSAGE, Reply, unpack_free, unpack_reply
from recording.writer import IGNORED_SIGNALS, run_writer

# A cold start imports h5py, seconds on a Pi; the last fsync of a slow card takes long, but not this long.
START_S = 60.0
STALL_S = 30.0
CLOSE_S = 120.0
BACKLOG = 20_000
_RETRIES = 32


class WriterLink:
    """A writer process and the socket to it. Used by one thread.

    Parameters
    ----------
    spec : WriterSpec
    patient : bool
        Whether ``send`` waits for a writer that lags behind. Else messages it cannot take queue here, and go with
        later calls.

    Attributes
    ----------
    free : list of int
        Slots of the ring that may be filled.
    error : str
        The first problem that was met or reported.
    pid : int
        Process id of the writer, 0 before its start.
    """

    def __init__(self, spec: WriterSpec, patient: bool) -> None:
        self.free: list[int] = list(range(spec.slots))
        self.error = ""
        self.pid = 0
        self.stall_s = STALL_S
        self._spec = spec
        self._patient = patient
        self._socket: socket.socket | None = None
        self._process: SpawnProcess | None = None
        self._backlog: deque[bytes] = deque()
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
            There are no processes or sockets left.
        """
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(self._socket, [b"ring"], [] if memory is None else [memory])
            self._process = multiprocessing.get_context("spawn").Process(
                target=run_writer, args=(theirs, self._spec), name="rigloop-recorder"
            )
            with _signals_held_back():
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
        self._backlog.append(message)
        for _ in range(_RETRIES):
            if not self._backlog:
                return
            if self._push():
                continue
            if not self._patient:
                break
            self._await_room()
        if len(self._backlog) > BACKLOG:
            self._backlog.pop()
            self.fail(f"the writer took none of the last {BACKLOG} rows of {self._spec.folder}; check the disk")

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
            self._backlog.append(END)
            while self._backlog:
                if not self._push():
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
            self._process.join(CLOSE_S if self._done is not None else 5.0)
            if self._process.exitcode is None:
                self._process.kill()
                self._process.join()
            self._process.close()
        self._process = None

    def fail(self, problem: str) -> None:
        """Keep the first problem."""
        self.error = self.error or problem

    def _take(self, packet: memoryview) -> None:
        slots = unpack_free(packet)
        if slots is not None:
            self.free.extend(slots)
            return
        reply = unpack_reply(packet)
        if reply.kind == "error":
            self.fail(reply.text)
        elif reply.kind == "ready":
            self._ready = True
        else:
            self._done = reply

    def _push(self) -> bool:
        """Try to send the oldest message; whether it went."""
        link = self._connected()
        try:
            link.send(self._backlog[0], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except ConnectionError:
            # What the writer said before it died names the cause better than its death does.
            while self.receive(0):
                pass
            self._lost()
        self._backlog.popleft()
        return True

    def _await_room(self) -> None:
        poller = select.poll()
        poller.register(self._connected(), select.POLLOUT)
        if not poller.poll(self.stall_s * 1000):
            self._stalled(self.stall_s)

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
            f"the process that writes {self._spec.folder} died (exit code {code}); what it wrote until a second before "
            "is kept: start a new session, and look for a killed process in the system's log"
        )
        raise RecordingError(self.error)

    def _stalled(self, timeout_s: float) -> NoReturn:
        self.fail(f"the process that writes {self._spec.folder} took nothing for {timeout_s:g} s; check the disk")
        raise RecordingError(self.error)


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Block the signals the writer ignores until it can say so itself; a child begins with its parent's mask."""
    # This one unblocks them when it starts its own process: have that behind us.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
