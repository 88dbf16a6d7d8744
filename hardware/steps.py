"""Long work on a device, cut into short steps: opening a card, ending a process.

It is written as a generator that yields wherever it would wait, each time after STEP_S at most. Whoever runs it looks
up in between: at a stop request, at who has to be kept company.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from multiprocessing.context import SpawnProcess
from typing import TypeVar

from core.errors import StillOpening
from core.ports import Interrupted
from recording.child import leave_behind

T = TypeVar("T")
Steps = Generator[None, None, T]

STEP_S = 0.02
"""Longest wait of one step, s."""
CALL_NS = 60_000_000
"""A call of ``reconnect`` begins no further step after this time."""


def always() -> bool:
    """Go on."""
    return True


def to_the_end(steps: Steps[T], go_on: Callable[[], bool] = always) -> T:
    """Take all steps and return what comes of them; ``go_on`` is asked before each.

    Raises what a step raises, and Interrupted as soon as ``go_on`` says no; nothing half made is then left.
    """
    while go_on():
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what a generator of T returns
    steps.close()
    raise Interrupted


def ending(process: SpawnProcess, patience_s: float, kill_s: float) -> Steps[bool]:
    """See a process end that was told to; kill it after ``patience_s``, leave it behind after ``kill_s`` more.

    Returns whether it ended: one that was left behind hangs in the kernel.
    """
    for wait_s in (patience_s, kill_s):
        until_ns = time.monotonic_ns() + round(wait_s * 1e9)
        while process.exitcode is None and time.monotonic_ns() < until_ns:
            process.join(STEP_S)
            yield
        if process.exitcode is not None:
            process.close()
            return True
        process.kill()
    leave_behind(process)
    return False


class Reopening:
    """The steps of ``reconnect``, a few of them in each call. Used by one thread.

    Parameters
    ----------
    name : str
        Of the device, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._steps: Steps[None] | None = None
        self._why = ""

    def go_on(self, begin: Callable[[], Steps[None]]) -> None:
        """Take steps for a moment; return when they are done. ``begin`` makes them where none are under way.

        Raises StillOpening, saying why it was in vain before, while there are more; and what a step raises.
        """
        if self._steps is None:
            self._steps = begin()
        until_ns = time.monotonic_ns() + CALL_NS
        try:
            next(self._steps)
            while time.monotonic_ns() < until_ns:
                next(self._steps)
        except StopIteration:
            self._steps, self._why = None, ""
            return
        except Exception as error:
            self._steps, self._why = None, str(error)
            raise
        raise StillOpening(self._why or f"{self._name}: it is being opened again")

    def cancel(self) -> None:
        """Break off what is under way."""
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.close()
