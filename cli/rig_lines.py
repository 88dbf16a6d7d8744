"""What the commands that open a valve share: the countdown on the screen, and what is said at the end."""

from __future__ import annotations

import math
import sys
from typing import Protocol

from cli.screen import say, say_over
from core.errors import OutputError
from core.ports import Clock
from session.drops import DropPlan, Given, Outputs, give_drops
from session.stop import StopRequest


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


class Closable(Outputs, Protocol):
    """Outputs that a command closes at once when its drops are given."""

    def close(self) -> None:
        """Shut the valve. Raises OutputError where it is not sure that it is shut."""


def give(outputs: Closable, plan: DropPlan, clock: Clock, stop: StopRequest, screen: Countdown) -> Given:
    """Give the drops and close the outputs, before anything is written to a screen that may be slow.

    Raises OutputError, which tells how much was given, also where closing fails, too.
    """
    said = ""
    try:
        given = give_drops(outputs, plan, clock, lambda: bool(stop), screen)
        said = given_text(given)
    except OutputError as error:
        said = str(error)
        raise
    finally:
        try:
            outputs.close()
        except OutputError as worse:
            raise OutputError("; ".join(filter(None, (said, str(worse))))) from worse
        finally:
            screen.leave_line()
    return given
