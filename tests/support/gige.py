"""A GigE Vision camera on this computer's loopback: Aravis' fake camera, a process of its own. One at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pytest

from core.clock import MonotonicClock

PROGRAM = "arv-fake-gv-camera-0.8"
CURE = f"{PROGRAM} is not installed: apt-get install the packages of tools/debian-genicam.txt"
CONTROL_PORT = 3956
START_S = 20.0
_LOCK = Path(tempfile.gettempdir()) / "rigloop-test-gige.lock"


class FakeGigE:
    """A camera with a serial number of its own. All of them answer on one port: a lock keeps two apart."""

    def __init__(self) -> None:
        self.serial = f"RL{os.getpid()}"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = _LOCK.open("w")

    def __enter__(self) -> FakeGigE:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
        self._lock.close()

    def start(self, lost_per_thousand: int = 0, serial: str = "") -> None:
        """Start it, to lose so many of its packets, and wait until it answers; nothing if it runs.

        With another ``serial`` number it is another camera.
        """
        if self._process is not None:
            return
        _until(lambda: not _listens(), f"another program has port {CONTROL_PORT}; end it")
        arguments = ["-i", "127.0.0.1", "-s", serial or self.serial, "-r", str(lost_per_thousand)]
        self._process = subprocess.Popen(
            [PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _until(_listens, f"{PROGRAM} does not listen on port {CONTROL_PORT}")
        assert self._process.poll() is None, f"{PROGRAM} ended with {self._process.returncode}"

    def kill(self) -> None:
        """Pull its plug."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_S)
            self._process = None


def need_gige() -> None:
    """Fail in CI, or skip elsewhere, where there is no fake camera."""
    if shutil.which(PROGRAM) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(CURE)
        pytest.skip(CURE)


def _until(true: Callable[[], bool], otherwise: str) -> None:
    clock = MonotonicClock()
    until = clock.now_ns() + round(START_S * 1e9)
    while not true():
        assert clock.now_ns() < until, otherwise
        clock.sleep_until_ns(clock.now_ns() + 20_000_000)


def _listens() -> bool:
    """Return whether anything on this computer listens on the control port."""
    lines = Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]
    return any(line.split()[1].endswith(f":{CONTROL_PORT:04X}") for line in lines)
