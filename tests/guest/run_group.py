"""Runs the checks of one group, each with a time limit, and prints a line for each on the channel it is given."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from types import FrameType

from core.clock import MonotonicClock
from tests.guest.groups import checks_of
from tests.guest.verdict import line

CHECK_S = 120
CLOCK = MonotonicClock()


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"no end after {CHECK_S} s")


def main(module: str, channel: str) -> None:
    """Run the checks of ``module``; what cannot even be imported fails all of them."""
    signal.signal(signal.SIGALRM, _too_long)
    try:
        found = importlib.import_module(f"tests.guest.{module}")
    except Exception as error:
        traceback.print_exc()
        found, why = None, f"cannot be imported: {error!r}"
    with open(channel, "w", encoding="utf-8", buffering=1) as out:
        for name in checks_of(module):
            if found is None:
                print(line(name, why), file=out)
                continue
            begin = CLOCK.now_ns()
            problem = ""
            signal.alarm(CHECK_S)
            try:
                getattr(found, name.rpartition(".")[2])()
            except BaseException as error:
                traceback.print_exc()
                problem = repr(error)
            signal.alarm(0)
            print(line(name, problem), file=out)
            print(f"  {name}: {(CLOCK.now_ns() - begin) / 1e9:.2f} s", flush=True)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of GPIO libraries may not end by themselves.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
