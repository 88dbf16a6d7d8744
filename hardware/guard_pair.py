"""Starts a guardian and its watcher, and ends them.

Owns the two processes (programs of their own, spawned with nothing but their sockets and a page of memory) and the
controller's ends of the sockets. Both end by themselves when this process is gone, however it went.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from core.errors import OutputError
from hardware.guardian_life import Life, make_life_memory
from hardware.guardian_process import give_orders
from hardware.guardian_spec import Orders
from hardware.guardian_watcher import UNWRITTEN
from hardware.guardian_wire import MAX_MESSAGE, Kind, Message, pack, unpack
from hardware.steps import STEP_S, Steps, to_the_end
from recording.child import signals_held_back

START_S = 60.0
"""A cold start on a Pi imports for seconds, and an Arduino restarts when its port is opened."""
END_S = 3.0
WATCHER_END_S = 12.0
KILL_S = 5.0


class Pair:
    """The two processes, started; used once ``opening`` is done. Raises OSError where they cannot be started.

    Parameters
    ----------
    ledgers : sequence of int
        The ledgers, held (``hardware.ledger.hold_ledger``) and still the caller's. The watcher inherits them, and with
        them the locks, until it has written its last row.

    Attributes
    ----------
    link, watch : socket
        To the guardian, to the watcher.
    life : Life
        The page of signs of life.
    guardian, watcher : subprocess.Popen
    unwritten : bool
        Whether rows of the ledger did not reach the disk; known after ``end``. Those of a watcher that was killed are
        with the system, which stores them.
    refused : list of str
        What of real-time scheduling was refused, with its cure.
    """

    def __init__(self, ledgers: Sequence[int] = ()) -> None:
        self.unwritten = False
        self.refused: list[str] = []
        # What is theirs is closed here in any case; what was made is undone unless both were started.
        with ExitStack() as theirs, ExitStack() as made:
            self.link, link = _socket_pair(made, theirs)
            self.watch, watch = _socket_pair(made, theirs)
            rows, rows_read = _socket_pair(theirs, theirs)
            memory = make_life_memory()
            theirs.callback(os.close, memory)
            self.life = Life(memory)
            made.callback(self.life.close)
            with signals_held_back():
                self.guardian = _spawn("hardware.guardian", link.fileno(), rows.fileno(), memory)
                made.callback(_reap, self.guardian)
                handle = os.pidfd_open(self.guardian.pid)
                theirs.callback(os.close, handle)
                watched = (watch.fileno(), rows_read.fileno(), memory, handle, *ledgers)
                self.watcher = _spawn("hardware.guardian_watcher", *watched)
                made.callback(_reap, self.watcher)
            made.pop_all()

    def opening(self, orders: Orders) -> Steps[None]:
        """Give the orders, and see both come up. Raises OutputError where they do not; nothing is then left of them."""
        try:
            for end in (self.link, self.watch):
                give_orders(end, orders)
            # The watcher first: no pulse before somebody watches.
            yield from self._await_ready(self.watch, "watcher")
            yield from self._await_ready(self.link, "guardian")
        except BaseException as error:
            try:
                self.end()
            finally:
                self.close()
            if isinstance(error, OSError):
                raise OutputError(
                    f"guardian: it died at its start ({error}); see above, and run rigloop doctor"
                ) from error
            raise

    def end(self) -> bool:
        """Take the steps of ``ending`` at once, in bounded time."""
        return to_the_end(self.ending())

    def ending(self) -> Steps[bool]:
        """End both, the guardian first; return whether the lines were left low by one of them. Twice is legal."""
        low = (yield from _finish(self.guardian, self.link, END_S)) == 0
        # Only now: whatever the guardian left high the watcher takes low before it ends.
        code = yield from _finish(self.watcher, self.watch, WATCHER_END_S)
        low |= code in (0, UNWRITTEN)
        self.unwritten |= code == UNWRITTEN
        return low

    def close(self) -> None:
        """Let go of the sockets, which hold what both said last, and of the page. Twice is legal."""
        self.link.close()
        self.watch.close()
        self.life.close()

    def kill_guardian(self) -> None:
        """End a guardian that does not answer; the watcher takes its lines low."""
        with suppress(ProcessLookupError):
            self.guardian.kill()

    def code(self) -> int | None:
        """Return the guardian's exit code, 0: it left the lines low; None while it has not ended."""
        with suppress(subprocess.TimeoutExpired):
            self.guardian.wait(1.0)
        return self.guardian.returncode

    def fate(self) -> str:
        """Say how the guardian ended."""
        code = self.code()
        if code is None:
            return "it does not answer"
        return f"it was killed ({signal.Signals(-code).name})" if code < 0 else f"it ended with exit code {code}"

    def _await_ready(self, link: socket.socket, name: str) -> Steps[None]:
        until_ns = time.monotonic_ns() + round(START_S * 1e9)
        while time.monotonic_ns() < until_ns:
            if not select.select([link], [], [], STEP_S)[0]:
                yield
                continue
            packet = link.recv(MAX_MESSAGE)
            if not packet:
                raise OutputError(f"guardian: the {name} died at its start; see what it said above, run rigloop doctor")
            message = unpack(packet)
            if message.kind is Kind.FATAL:
                raise OutputError(message.text)
            if message.kind is Kind.READY:
                self.refused += [f"{name}: {line}" for line in message.text.splitlines()]
                return
        raise OutputError(f"guardian: the {name} did not come up within {START_S:g} s; run rigloop doctor")


def _socket_pair(one: ExitStack, other: ExitStack) -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets, which these two close."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return one.enter_context(ours), other.enter_context(theirs)


def _reap(process: subprocess.Popen[bytes]) -> None:
    """End a process that has no orders yet, and so no line."""
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILL_S)


def _spawn(module: str, *descriptors: int) -> subprocess.Popen[bytes]:
    """Start a module as a program that sees what this one sees of Python's path."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    # It computes nothing: a pool of threads would only take (locked) memory.
    environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(  # noqa: S603 - this Python, a module of ours, numbers
        [sys.executable, "-m", module, *map(str, descriptors), str(os.getpid())],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
        pass_fds=descriptors, env=environment,
    )  # fmt: skip


def _finish(process: subprocess.Popen[bytes], link: socket.socket, patience_s: float) -> Steps[int]:
    """Tell a process to end and see it end; kill it where it does not. Returns its exit code."""
    with suppress(OSError):
        link.send(pack(Message(Kind.BYE)), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    for patience in (patience_s, KILL_S):
        until_ns = time.monotonic_ns() + round(patience * 1e9)
        while time.monotonic_ns() < until_ns:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(STEP_S)
            yield
        process.kill()
    raise OutputError(
        f"guardian: process {process.pid} cannot be ended; close the water's tap and restart the computer"
    )
