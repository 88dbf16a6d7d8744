"""The controller's end of a pose process: starts it, shares a frame with it, hears of its end, ends it."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Iterator
from multiprocessing.context import SpawnProcess

import numpy as np
import numpy.typing as npt

from behavior.pose_process import run_pose
from behavior.pose_spec import PoseSpec
from behavior.pose_wire import Gone, Said, Wire
from core.errors import PoseError, RecordingError
from recording.child import leave_behind, signals_held_back
from recording.ring import ImageRing, make_ring_memory

STEP_S = 0.02
"""Longest wait of one step, s."""
KILL_S = 0.5
"""How long the end of a process that was killed is waited for; it comes at once, but from the kernel."""


class PoseLink:
    """One pose process at a time, the socket to it and the frame they share. Used by one thread.

    The process ends with ``ending``, or when this one does.

    Parameters
    ----------
    spec : PoseSpec

    Attributes
    ----------
    image : ndarray, (height, width, 3) uint8
        What the process looks at; written before ``wire.ask``, and not again before its answer.
    wire : Wire or None
        None where no process was started.
    pid : int
        Of the process, 0 without one.
    """

    def __init__(self, spec: PoseSpec) -> None:
        self.image: npt.NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)
        self.wire: Wire | None = None
        self.pid = 0
        self._spec = spec
        self._process: SpawnProcess | None = None
        self._left: list[int] = []

    def start(self) -> None:
        """Start the process, which then says what it is at. Raises PoseError; there is then no process."""
        try:
            self._start()
        except (OSError, RecordingError) as error:
            self.drop()
            reason = getattr(error, "strerror", None) or str(error)
            raise PoseError(f"pose: no process can be started ({reason}); end other programs and try again") from error

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.wire = Wire(ours)
        with theirs:
            handles = [make_ring_memory(1, self._spec.shape, "uint8")]
            try:
                # Its own pidfd, so that the process watches this one and not another that got its number.
                handles.append(os.pidfd_open(os.getpid()))
                self.image = ImageRing(handles[0], 1, self._spec.shape, "uint8").images[0]
                socket.send_fds(ours, [b"memory"], handles)
            finally:
                for handle in handles:
                    os.close(handle)
            # A daemon: if nobody calls close(), the interpreter ends it at its own exit.
            process = multiprocessing.get_context("spawn").Process(
                target=run_pose, args=(theirs, self._spec), name="rigloop-pose", daemon=True
            )
            with signals_held_back():
                process.start()
            self._process, self.pid = process, process.pid or 0

    def hear(self) -> Said | None:
        """Return what the process says, if anything does within a step; None otherwise. Raises Gone."""
        if self.wire is None:
            raise Gone("there is no process")
        return self.wire.hear() if self.wire.poll(STEP_S) else None

    def exit_code(self, wait_s: float) -> int | None:
        """Return the exit code, None without a process or where it has not ended within ``wait_s``."""
        if self._process is None:
            return None
        self._process.join(wait_s)
        return self._process.exitcode

    def kill(self) -> None:
        """End the process at once, where there is one; does not wait."""
        if self._process is not None and self._process.exitcode is None:
            self._process.kill()

    def ending(self, patience_s: float, kill_s: float) -> Iterator[None]:
        """Hang up and see the process end, in steps; kill it after ``patience_s``, leave it behind after
        ``kill_s`` more.

        Twice is legal, and steps that were broken off are taken up again.
        """
        if self.wire is not None:
            self.wire.close()
            self.wire = None
        process = self._process
        if process is not None:
            yield from self._seen_to_its_end(process, patience_s, kill_s)
        self._process, self.pid = None, 0

    def _seen_to_its_end(self, process: SpawnProcess, patience_s: float, kill_s: float) -> Iterator[None]:
        for wait_s in (patience_s, kill_s):
            until_ns = time.monotonic_ns() + round(wait_s * 1e9)
            while process.exitcode is None and time.monotonic_ns() < until_ns:
                process.join(STEP_S)
                yield
            if process.exitcode is not None:
                process.close()
                return
            process.kill()
        # It hangs in the kernel, as in a GPU's driver.
        self._left.append(self.pid)
        leave_behind(process)

    def take_left(self) -> list[int]:
        """Return the ids of processes that were left behind since the last call."""
        left, self._left = self._left, []
        return left

    def drop(self) -> None:
        """End the process at once and wait for it for a moment; for what must not be cut into steps."""
        self.kill()
        for _ in self.ending(0.0, KILL_S):
            pass
