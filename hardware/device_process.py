"""The process that a device lives in: started, killed, seen to its end or, where nothing ends it, left behind.

Shared by speaker, lick sensor and microphone. The process belongs to whoever holds the ``DeviceProcess``.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from typing import Any

from core.errors import OutputError
from hardware.steps import Steps, ending
from recording.child import signals_held_back


class DeviceProcess:
    """One process at a time. Called by the runner's thread.

    Parameters
    ----------
    device : str
        For messages, such as ``"speaker"``.

    Attributes
    ----------
    pid : int
        Of the process that was started last; 0 where there is none.
    """

    def __init__(self, device: str) -> None:
        self.pid = 0
        self._device = device
        self._process: SpawnProcess | None = None
        self._left: list[str] = []

    def start(self, target: Callable[..., None], args: tuple[Any, ...], name: str, daemon: bool = False) -> None:
        """Start ``target(*args)`` in a process called ``name``.

        A daemon is ended by the interpreter at its own exit. Raises OutputError; there is then no process.
        """
        process = multiprocessing.get_context("spawn").Process(target=target, args=args, name=name, daemon=daemon)
        try:
            with signals_held_back():
                process.start()
        except OSError as error:
            text = f"{self._device}: no process can be started ({error.strerror}); end other programs and try again"
            raise OutputError(text) from error
        # Only now: one that was never started can be neither killed nor waited for.
        self._process, self.pid = process, process.pid or 0

    def kill(self) -> None:
        """End the process at once, where there is one; does not wait."""
        if self._process is not None and self._process.exitcode is None:
            self._process.kill()

    def exit_code(self, wait_s: float) -> int | None:
        """Return the exit code, None without a process or where it has not ended within ``wait_s``."""
        if self._process is None:
            return None
        self._process.join(wait_s)
        return self._process.exitcode

    def ending(self, patience_s: float, kill_s: float) -> Steps[None]:
        """See it end, having been told to; kill it after ``patience_s``, leave it behind after ``kill_s`` more.

        Twice is legal: the process is known until its end is seen, so steps that were broken off are taken up again.
        """
        if self._process is not None and not (yield from ending(self._process, patience_s, kill_s)):
            self._left.append(
                f"{self._device}: its process {self.pid} hangs in the kernel and was left behind; restart this computer"
            )
        self._process, self.pid = None, 0

    def take_left(self) -> tuple[str, ...]:
        """Return what was left behind since the last call, a text of each process."""
        left, self._left = tuple(self._left), []
        return left
