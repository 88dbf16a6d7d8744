"""Runs the checks in the chroot and judges what they said. Exit code 1 if one failed or did not run."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from core.clock import MonotonicClock
from tests.guest.verdict import problems
from tests.picamera2.inside import SAID, expected

HERE = Path(__file__).parent
LIMIT_S = 600
CLOCK = MonotonicClock()
HONEST = (
    "real: picamera2 and libcamera with its virtual pipeline: cameras, configuring, buffers, requests, jobs, threads, "
    "stopping, closing; for checks_driver also camera/pi.py and camera/grabber.py",
    "substituted: sensor and frame rate (bars, as fast as buffers come back), memory (files for dma-bufs), raw modes, "
    "frame status; for checks_driver also colour conversion, exposure, gains and white balance",
)


def main() -> int:
    """Run, wait, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path, help="folder that make_chroot.sh filled")
    parser.add_argument("--only", default="", help="one group of checks, such as checks_driver")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("picamera2: a chroot can be entered by root only; run: sudo make picamera2")
        return 2
    begin = CLOCK.now_ns()
    said = options.cache / "trixie" / SAID
    said.unlink(missing_ok=True)
    enter = ["unshare", "--mount", "--propagation", "private", "bash", str(HERE / "enter.sh"), str(options.cache)]
    try:
        subprocess.run(
            [*enter, "tests.picamera2.inside", *filter(None, [options.only])],
            stdin=subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"picamera2: stopped after {LIMIT_S} s")
    lines = said.read_text(encoding="utf-8").splitlines() if said.exists() else []
    asked = expected(options.only)
    print("\n".join(line for line in lines if line.startswith("ok ")))
    found = problems(asked, lines)
    print("\n".join([*found, *(f"picamera2: {each}" for each in HONEST)]))
    print(f"picamera2: {len(asked)} checks, {len(found)} problems, {(CLOCK.now_ns() - begin) / 1e9:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
