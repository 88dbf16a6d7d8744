"""Our Arduino firmware, compiled by Debian's avr-gcc, in Debian's simavr, at the other end of a pseudo-terminal.

``Simulator`` owns one process (``tests/realtime/simavr/runner.c``), which ends when its stdin does. ``Proxy`` owns one
thread that passes bytes on between two pseudo-terminals and may harm them; ``close`` ends it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pty
import select
import shutil
import subprocess
import threading
import tty
from pathlib import Path
from typing import NamedTuple

import pytest

from core.clock import MonotonicClock

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "hardware" / "arduino"
RUNNER = ROOT / "tests" / "realtime" / "simavr" / "runner.c"
PACKAGES = ROOT / "tools" / "debian-arduino.txt"
CLOCK_HZ = 16_000_000
MCUS = {"uno": "atmega328p", "mega": "atmega2560"}
CLOCK = MonotonicClock()


def need_tools():
    """Skip where avr-gcc or simavr is missing; fail in CI."""
    missing = [tool for tool in ("avr-gcc", "make", "cc") if shutil.which(tool) is None]
    if not Path("/usr/include/simavr/sim_avr.h").is_file():
        missing.append("simavr")
    if not missing:
        return
    text = f"needs {', '.join(missing)}: apt-get install the packages of {PACKAGES.relative_to(ROOT)}"
    if os.environ.get("CI") == "true":
        pytest.fail(text, pytrace=False)
    pytest.skip(text, allow_module_level=True)


def call(*command, cwd=ROOT):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"


def build(folder):
    """Compile runner, firmware, and a firmware that can be told to hang, into a folder."""
    need_tools()
    for name, extra in (("firmware", ""), ("hanging", "-DRIGLOOP_HANG")):
        call("make", "-s", "-j2", f"OUT={folder / name}", f"EXTRA={extra}", cwd=FIRMWARE)
    include = "-I/usr/include/simavr"
    call("cc", "-O2", "-Wall", "-Wextra", "-Werror", include, "-o", folder / "runner", RUNNER, "-lsimavr", "-lelf")
    return folder


def first(pid=0):
    """Let a process run before others, as the guardian does, where that is allowed: a busy machine is not tested."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(10))


@contextlib.contextmanager
def first_of_all():
    """Let this process run before others for a while."""
    first()
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class PortChange(NamedTuple):
    """Levels of a port's outputs, when they changed: on the chip's clock (cycles) and the host's (ns)."""

    cycle: int
    host_ns: int
    port: str
    levels: int


class Simulator:
    """A running board; ``path`` is its serial port."""

    def __init__(self, built, folder, board="uno", firmware="firmware"):
        self.path = folder / "ttyACM0"
        self._log = folder / "ports"
        elf = built / firmware / f"{board}.elf"
        command = [built / "runner", elf, MCUS[board], self.path, self._log]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        first(self.process.pid)
        while self.process.stdout.readline().strip() != b"ready":
            assert self.process.poll() is None, "the simulator did not start"

    def changes(self, port="B"):
        """Return the changes of a port so far."""
        rows = [line.split() for line in self._log.read_text().splitlines()]
        return [
            PortChange(int(row[0]), int(row[1]), row[2], int(row[3], 16))
            for row in rows
            if len(row) == 4 and row[2] == port
        ]

    def resets(self):
        """Return the host's time, ns, of each reset."""
        return [int(line.split()[2]) for line in self._log.read_text().splitlines() if line.startswith("reset")]

    def mark(self):
        """Return the chip's time now, in cycles, once it has been noted."""
        before = self._marks()
        self.process.stdin.write(b"m")
        self.process.stdin.flush()
        end = CLOCK.now_ns() + 10_000_000_000
        while len(self._marks()) == len(before):
            assert CLOCK.now_ns() < end, "the simulator has stopped"
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 1_000_000)
        return self._marks()[-1]

    def _marks(self):
        return [int(line.split()[1]) for line in self._log.read_text().splitlines() if line.startswith("mark")]

    def edges(self, bit, port="B"):
        """Return (change, high) of each edge of one pin."""
        edges, before = [], False
        for change in self.changes(port):
            high = bool(change.levels >> bit & 1)
            if high != before:
                edges.append((change, high))
            before = high
        return edges

    def pulses_us(self, bit, port="B"):
        """Return the length of each whole pulse of one pin, us on the chip's own clock."""
        edges = self.edges(bit, port)
        return [
            (fall.cycle - rise.cycle) * 1e6 / CLOCK_HZ for (rise, high), (fall, _) in itertools.pairwise(edges) if high
        ]

    def is_high(self, bit, port="B"):
        edges = self.edges(bit, port)
        return bool(edges) and edges[-1][1]

    def await_level(self, bit, high, port="B", timeout_s=10.0):
        """Wait until a pin has a level. Returns whether it came to that."""
        end = CLOCK.now_ns() + round(timeout_s * 1e9)
        while self.is_high(bit, port) is not high:
            if CLOCK.now_ns() > end:
                return False
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 2_000_000)
        return True

    def await_resets(self, count, timeout_s=10.0):
        """Wait until the chip was reset so often. Returns whether it came to that."""
        end = CLOCK.now_ns() + round(timeout_s * 1e9)
        while len(self.resets()) < count and CLOCK.now_ns() < end:
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 2_000_000)
        return len(self.resets()) == count

    def stop(self):
        """Pull the plug: the terminal goes away."""
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.process.stdin.closed:
            self.stop()


class Proxy:
    """Passes bytes between a driver and a board; ``harm(data, to_board)`` returns what arrives of them."""

    def __init__(self, path, folder, harm):
        self.harm = harm
        self._board = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self._driver, driver_side = pty.openpty()
        tty.setraw(driver_side)
        self._keep = driver_side
        self.path = folder / "proxied"
        self.path.symlink_to(os.ttyname(driver_side))
        self._wake, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            ready = select.select([self._driver, self._board, self._wake], [], [], 60)[0]
            if self._wake in ready or not ready:
                return
            for source, sink in ((self._driver, self._board), (self._board, self._driver)):
                if source in ready:
                    try:
                        data = os.read(source, 256)
                        os.write(sink, self.harm(data, sink == self._board))
                    except OSError:
                        return

    def close(self):
        os.close(self._stop)
        self._thread.join(timeout=10)
        for fd in (self._driver, self._board, self._keep, self._wake):
            os.close(fd)
