"""Saying something to a person, whether or not anybody is left to read it."""

from __future__ import annotations

import os
import sys


def say(text: str, *, error: bool = False) -> None:
    """Print one line on stdout, or on stderr; a screen, pipe or disk that does not take it changes nothing.

    What a session came to is in its folder; a terminal that was closed must not change its exit code.
    """
    stream = sys.stderr if error else sys.stdout
    if stream is None:
        return
    try:
        print(text, file=stream, flush=True)
    except OSError:
        # Python flushes once more at its end, and would fail again.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
