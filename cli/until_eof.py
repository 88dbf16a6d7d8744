"""``--until-eof``: a command that another program started ends with it, since its standard input does."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Callable

OPTION = "--until-eof"
_PIECE = 4096


def add_until_eof(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        OPTION, action="store_true", help="end when standard input does, for programs that start this one"
    )


def end_with_input(end: Callable[[str], None]) -> None:
    """Call ``end`` with a reason once standard input ends, from a thread of its own, which nobody waits for."""
    threading.Thread(target=_wait, args=(end,), name="rigloop-until-eof", daemon=True).start()


def _wait(end: Callable[[str], None]) -> None:
    try:
        while os.read(0, _PIECE):
            pass
    except OSError:
        # It was closed from the start, or is gone: an end as well.
        pass
    end("the end of its input")
