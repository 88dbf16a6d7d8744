"""The controller's end of the speaker process: starts it, hears of its end, ends it."""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import time
from typing import Any, Protocol

from core.errors import OutputError
from hardware.device_process import DeviceProcess
from hardware.speaker_memory import SpeakerMemory, make_speaker_memory
from hardware.speaker_process import RATE_S, SpeakerSpec, run_speaker
from hardware.steps import STEP_S, Steps, to_the_end

# A cold start imports numpy and looks at every card, seconds on a Pi; then the rate is measured.
START_S = 30.0 + RATE_S
CLOSE_S = 2.0
DROP_S = 0.3
"""How long the end of a process is waited for that was killed since nobody waits for its card any more, s."""
_PACKET = 65_536


class Link(Protocol):
    """What ``hardware.speaker.ProcessSpeaker`` asks of whoever plays. Called by the runner's thread."""

    @property
    def pid(self) -> int:
        """Process id, 0 where there is none."""

    def opening(self) -> Steps[tuple[SpeakerMemory, dict[str, Any]]]:
        """Open the card, silent; return the shared memory and facts of the card.

        Raises OutputError; nothing is then left, nor where its steps are broken off, but what hangs in the kernel:
        ``ending`` tells of it.
        """

    def lost(self) -> str:
        """Return why it plays no more; empty while it does. Never blocks."""

    def kill(self) -> None:
        """End it at once; does not wait."""

    def ending(self) -> Steps[str]:
        """Fall silent and end; twice is legal.

        Returns what was left behind since the last call, hanging in the kernel; mostly empty.
        """


class SpeakerLink:
    """A speaker process, the socket to it and the memory shared with it. Ends with ``ending`` or with this process.

    Parameters
    ----------
    spec : SpeakerSpec
    """

    def __init__(self, spec: SpeakerSpec) -> None:
        self._spec = spec
        self._socket: socket.socket | None = None
        self._process = DeviceProcess("speaker")
        self._memory: SpeakerMemory | None = None

    @property
    def pid(self) -> int:
        """Process id, 0 where there is none."""
        return self._process.pid

    def opening(self) -> Steps[tuple[SpeakerMemory, dict[str, Any]]]:
        """Start the process and wait until the card is open and its rate known: 3 s, on a slow computer more.

        Raises OutputError; its ``details`` hold what ALSA printed. Broken off, it is killed at once.
        """
        try:
            return (yield from self._opening())
        except BaseException:
            self.kill()
            to_the_end(self._ending(DROP_S))
            raise

    def _opening(self) -> Steps[tuple[SpeakerMemory, dict[str, Any]]]:
        self._spawn()
        said = yield from self._first_words()
        if "ready" not in said:
            self.kill()
            yield from self._ending(CLOSE_S)
            failure = OutputError(
                said.get("error") or f"speaker: its process said nothing for {START_S:g} s; start again"
            )
            failure.details = said.get("details", "")
            raise failure
        assert self._memory is not None
        return self._memory, said["ready"]

    def lost(self) -> str:
        """Return why the process plays no more; empty while it does."""
        return str(self._hear(0).get("error", ""))

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def ending(self) -> Steps[str]:
        """Hang up, see the process end, kill it where it does not; return what was left behind, now or before."""
        yield from self._ending(CLOSE_S)
        return "; ".join(self._process.take_left())

    def _ending(self, patience_s: float) -> Steps[None]:
        if self._socket is not None:
            atexit.unregister(self._socket.close)
            self._socket.close()
            self._socket = None
        yield from self._process.ending(patience_s, patience_s)
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _first_words(self) -> Steps[dict[str, Any]]:
        """Return the first that the process says, nothing where that takes longer than START_S."""
        until_ns = time.monotonic_ns() + round(START_S * 1e9)
        said = self._hear(STEP_S)
        while not said and time.monotonic_ns() < until_ns:
            yield
            said = self._hear(STEP_S)
        return said

    def _spawn(self) -> None:
        """Start the process. Raises OutputError."""
        try:
            self._start_process()
        except OSError as error:
            text = f"speaker: no process can be started ({error.strerror}); end other programs and try again"
            raise OutputError(text) from error

    def _start_process(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            handles = [make_speaker_memory()]
            try:
                # Its own pidfd, so that the process watches this one and not another that got its number.
                handles.append(os.pidfd_open(os.getpid()))
                self._memory = SpeakerMemory(handles[0])
                socket.send_fds(self._socket, [b"memory"], handles)
            finally:
                for handle in handles:
                    os.close(handle)
            self._process.start(run_speaker, (theirs, self._spec), "rigloop-speaker")
        # Registered after multiprocessing's own exit hook, so run before it: that one waits for the process, which
        # waits for the end of this socket when nobody called close().
        atexit.register(self._socket.close)

    def _hear(self, timeout_s: float) -> dict[str, Any]:
        """Return what the process says; its death is an ``error``. Waits for at most ``timeout_s``."""
        if self._socket is None:
            return {"error": "speaker: it is not open; call start() first"}
        if timeout_s and not select.select([self._socket], [], [], timeout_s)[0]:
            return {}
        try:
            packet = self._socket.recv(_PACKET, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return {}
        except OSError:
            packet = b""
        if packet:
            return dict(json.loads(packet))
        # It closes its socket as it dies: the code is there within a millisecond.
        code = self._process.exit_code(0.1)
        return {
            "error": f"speaker: its process ended (exit code {code}), the sound is off; the system's log tells whether "
            "it was killed"
        }
