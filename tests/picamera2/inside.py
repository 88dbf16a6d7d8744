"""In the chroot: runs each group of checks in a process of its own, and writes how each went into a file."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from types import FrameType

from tests.guest.groups import checks_of
from tests.guest.verdict import END, line

HERE = Path(__file__).parent
GROUPS = ("checks_life", "checks_same", "checks_driver")
CHECK_S = 60
GROUP_S = 180
SAID = "tmp/said"
"""Where it is written, below the chroot's root."""


def expected(only: str = "") -> list[str]:
    """Return every check that must have run."""
    return [check for group in GROUPS if only in ("", group) for check in checks_of(group, HERE)]


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"no end after {CHECK_S} s")


def run_group(group: str) -> None:
    """Run the checks of one group, each with a time limit."""
    signal.signal(signal.SIGALRM, _too_long)
    module = importlib.import_module(f"tests.picamera2.{group}")
    with open(f"/{SAID}", "a", encoding="utf-8", buffering=1) as said:
        for name in checks_of(group, HERE):
            problem = ""
            signal.alarm(CHECK_S)
            try:
                getattr(module, name.rpartition(".")[2])()
            except BaseException as error:
                traceback.print_exc()
                problem = repr(error)
            signal.alarm(0)
            print(line(name, problem), file=said)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # picamera2's threads may not end by themselves where a check has failed


def main(only: str = "") -> None:
    """Run them all; a group that dies or does not end leaves checks that have not run."""
    Path(f"/{SAID}").write_text("", encoding="utf-8")
    for group in GROUPS:
        if only not in ("", group):
            continue
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.picamera2.inside", "--group", group]
        try:
            subprocess.run(command, timeout=GROUP_S, check=False)
        except subprocess.TimeoutExpired:
            print(f"picamera2: {group} did not end in {GROUP_S} s", flush=True)
    with open(f"/{SAID}", "a", encoding="utf-8") as said:
        print(END, file=said)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--group"]:
        run_group(sys.argv[2])
    else:
        main(*sys.argv[1:])
