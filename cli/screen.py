"""Saying something to a person, whether or not anybody is left to read it."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO


def say(text: str, *, error: bool = False) -> None:
    """Print one line on stdout, or on stderr; a screen, pipe or disk that does not take it changes nothing.

    What a session came to is in its folder; a terminal that was closed must not change its exit code.
    """
    _put(f"{text}\n", sys.stderr if error else sys.stdout)


def say_over(text: str) -> None:
    """Print one line on stdout over the one that this printed before; where stdout is no terminal, below it.

    A terminal keeps the cursor on the line: ``say("")`` leaves it.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        say(text)
        return
    # A line that is wrapped could not be gone back over.
    width = columns() - 1
    _put(f"\r{text[:width]:<{width}}", sys.stdout)


def columns() -> int:
    """Return the width of the terminal; of one that does not tell it, and would get no bar, 100."""
    return shutil.get_terminal_size((100, 24)).columns


def _put(text: str, stream: TextIO | None) -> None:
    """Write, and give the stream up where it takes nothing."""
    if stream is None:
        return
    try:
        print(text, end="", file=stream, flush=True)
    except OSError:
        # Python flushes once more at its end, and would fail again.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
