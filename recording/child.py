"""Starts child processes so that no signal meets one before it can say what it does with it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Collection, Iterator
from multiprocessing import process as children
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess

HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stand_alone(ignored: Collection[signal.Signals] = HELD) -> None:
    """Begin a child process in a session of its own: Ctrl-C reaches the controller alone, which ends it in order.

    Only when ``ignored`` are ignored are the signals let through that ``signals_held_back`` blocked.
    """
    os.setsid()
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)


@contextlib.contextmanager
def signals_held_back() -> Iterator[None]:
    """Block these signals; a child that is started meanwhile begins with them blocked, and unblocks them itself."""
    # This one unblocks them when it starts its own process: have that behind us.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_behind(process: BaseProcess) -> None:
    """Have this process's exit not wait for a child that hangs in the kernel, where nothing can end it.

    At its exit multiprocessing waits for all that it started, without end; it has no public way to let one go.
    """
    children._children.discard(process)  # type: ignore[attr-defined]
