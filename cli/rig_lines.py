"""What the commands that open a valve share: the countdown on the screen, and what is said at the end."""

from __future__ import annotations

import math
import sys

from cli.screen import say, say_over
from session.drops import Given


class Countdown:
    """Says how long it will take, once a second; over itself on a terminal.

    Parameters
    ----------
    what : str
        Such as ``"flush"``.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._left = -1

    def __call__(self, pulses: int, left_s: float) -> None:
        """Say it, if a second has gone by."""
        left = math.ceil(left_s)
        if left != self._left:
            self._left = left
            say_over(f"{self._what}: {left} s left, opening {pulses + 1}; Ctrl-C closes the valve")

    def leave_line(self) -> None:
        """Let what is said next begin on a line of its own."""
        if self._left >= 0 and sys.stdout is not None and sys.stdout.isatty():
            say("")


def given_text(given: Given) -> str:
    """Return what came out, as words."""
    end = ", then stopped" if given.stopped else ""
    return f"{given.pulses} opening{'s' * (given.pulses != 1)}, {given.seconds:.3f} s of water{end}"
