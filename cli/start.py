"""The program's first lines: until a command takes the signals over, each of them ends the process at once.

Nothing has been made by then, so there is nothing to close. Imports next to nothing, so that this is soon in place.
"""

from __future__ import annotations

import os
import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def leave_on_signals() -> None:
    """End the process, exit code 130, on Ctrl-C, ``kill`` or a closed terminal; ``nohup`` keeps its meaning."""
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def keep_signals_for_next_program() -> None:
    """Hold signals back until the program that takes this process over calls ``leave_on_signals``."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def signals_as_usual() -> None:
    """Let Ctrl-C be a KeyboardInterrupt again, and the others end the process."""
    for number in SIGNALS:
        if signal.getsignal(number) is _leave:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _leave(number: int, frame: object) -> None:
    """Not an exception: libraries that are being imported turn one into an error of their own."""
    del frame
    try:
        os.write(2, f"rigloop: stopped by {signal.Signals(number).name} before anything began\n".encode())
    finally:
        os._exit(130)


def main() -> int:
    """Run ``rigloop``; return the exit code."""
    leave_on_signals()
    from cli.main import main as run_command

    return run_command()
