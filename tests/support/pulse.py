"""A PulseAudio server of our own with a sink that plays to nobody, and a recording of what it plays, sample by sample.

Everything lies in one folder, nothing of the user's is read or written, and the processes end with the test's. What the
sink is given at its own rate comes out of its monitor bit by bit (../shared/HARDWARE.md section 1).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from core.clock import MonotonicClock

RATE = 48_000
PLUGIN = "libasound_module_pcm_pulse.so"
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def pause(duration_s):
    """Sleep: what is tested here is real."""
    clock = MonotonicClock()
    clock.sleep_until_ns(clock.now_ns() + round(duration_s * 1e9))


def missing():
    """Return what lacks on this machine and how to get it; empty if nothing does."""
    lacking = [name for name in ("pulseaudio", "parec") if shutil.which(name) is None]
    if plugin() is None:
        lacking.append("libasound2-plugins")
    if importlib.util.find_spec("pyaudio") is None:
        lacking.append("PyAudio")
    if not lacking:
        return ""
    return (
        f"no {', '.join(lacking)}: sudo apt-get install the packages of tools/debian-speaker.txt and "
        "debian-sound-tests.txt, then .venv/bin/pip install -c constraints.txt -e '.[rig]'"
    )


def require():
    """Skip the test, or fail it on CI, where a package lacks."""
    lacking = missing()
    if lacking and os.environ.get("CI"):
        pytest.fail(lacking)
    if lacking:
        pytest.skip(lacking)


def plugin():
    """Return the path of ALSA's PulseAudio plugin, None without."""
    return next(iter(Path("/usr/lib").glob(f"*/alsa-lib/{PLUGIN}")), None)


def _begin(priority):
    """Run in the child before its program: end with the parent, and keep up where that is allowed."""

    def begin():
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))

    return begin


class Pulse:
    """The server. Owns one process; ``close`` ends it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "run").mkdir(parents=True)
        self._socket = folder / "native"
        (folder / "alsa.conf").write_text(
            f"pcm_type.pulse {{ lib {plugin()} }}\npcm.rigpulse {{ type pulse }}\npcm.default {{ type pulse }}\n"
        )
        (folder / "rig.pa").write_text(
            f"load-module module-native-protocol-unix socket={self._socket} auth-anonymous=1\n"
            f"load-module module-null-sink sink_name=rig rate={RATE} format=s16le channels=1 channel_map=mono\n"
        )
        self._server = None
        self.start()

    @property
    def environment(self):
        """What a program needs in its environment to meet this server alone."""
        return {
            "PULSE_SERVER": f"unix:{self._socket}",
            "ALSA_CONFIG_PATH": str(self.folder / "alsa.conf"),
            "JACK_NO_START_SERVER": "1",
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
        }

    @property
    def pid(self):
        """The server's process id."""
        return self._server.pid

    def start(self):
        """Start the server, after ``kill`` again, and wait until it answers."""
        command = ["pulseaudio", "-n", "-F", str(self.folder / "rig.pa"), "--daemonize=no", "--exit-idle-time=-1"]
        command += ["--disallow-exit", "--use-pid-file=no"]
        self._socket.unlink(missing_ok=True)
        with (self.folder / "pulse.log").open("ab") as log:
            self._server = subprocess.Popen(
                command, env={**os.environ, **self.environment}, stdout=log, stderr=log, preexec_fn=_begin(65)
            )
        for _ in range(200):
            if self._socket.exists():
                return
            pause(0.05)
        self.close()
        pytest.fail(f"pulseaudio did not come up: {(self.folder / 'pulse.log').read_text()}")

    def kill(self):
        """Kill the server."""
        self._server.kill()
        self._server.wait(10)

    close = kill

    def record(self):
        """Return a recording of all that the sink plays from now on."""
        return Recording({**os.environ, **self.environment})


class Recording:
    """What the sink plays. Owns a process and a thread, which end with ``close`` or with the server."""

    def __init__(self, environment) -> None:
        command = ["parec", "-d", "rig.monitor", f"--rate={RATE}", "--format=s16le", "--channels=1", "--raw"]
        self._parec = subprocess.Popen(
            [*command, "--latency-msec=5"], env=environment, stdout=subprocess.PIPE, preexec_fn=_begin(64)
        )
        self._bytes = bytearray()
        self._arrivals = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        # An idle sink renders 2 s ahead: without this the first stream stands still for as long.
        pause(3)

    def _read(self):
        # The reader is woken at once where that is allowed, so that arrival times are those of the server.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(40))
        while chunk := os.read(self._parec.stdout.fileno(), 65_536):
            self._bytes += chunk
            self._arrivals.append((len(self._bytes) // 2, time.monotonic_ns()))

    def samples(self):
        """Return all samples so far: (n,) int16."""
        return np.frombuffer(bytes(self._bytes[: len(self._bytes) // 2 * 2]), "<i2")

    def arrival_ns(self, index):
        """Return when sample ``index`` arrived, monotonic ns."""
        ends = [end for end, _ in self._arrivals]
        return self._arrivals[int(np.searchsorted(ends, index, side="right"))][1]

    def await_end_of_sound(self, timeout_s, quiet_s=0.2):
        """Return after how long the sink went silent and stayed so for ``quiet_s``, s; fail where it does not."""
        begin = time.monotonic()
        while time.monotonic() - begin < timeout_s:
            last = self.samples()[-round(quiet_s * RATE) :]
            if len(last) and not last.any():
                return time.monotonic() - begin - quiet_s
            pause(0.01)
        pytest.fail(f"the sink still sounds after {timeout_s} s")
        return None

    def is_sounding(self, over_s=0.05):
        """Whether most of the last moment is sound."""
        return bool(np.count_nonzero(self.samples()[-round(over_s * RATE) :]) > 0.8 * over_s * RATE)

    def close(self):
        """End it."""
        self._parec.kill()
        self._parec.wait(10)
        self._thread.join(10)
        self._parec.stdout.close()
