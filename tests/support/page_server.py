"""`rigloop serve` and `rigloop run` as processes of their own, and a browser's connection to the first."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from websockets.sync.client import connect

from session.config_edit import add_mouse

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = Path(tempfile.mkdtemp(prefix="rigloop-locks-"))
"""Where the programs that are started here meet, and nobody else; see ``own_locks``."""
atexit.register(shutil.rmtree, LOCKS, ignore_errors=True)
ENV = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join((str(Path(__file__).parent / "own_locks"), str(ROOT))),
    "RIGLOOP_TEST_LOCKS": str(LOCKS),
}


def serve(*words: str, environment=None, before=(), **how) -> subprocess.Popen[str]:
    """Start `rigloop serve`, behind the words ``before``."""
    return subprocess.Popen(
        [*before, sys.executable, "-m", "cli.main", "serve", *words], text=True, env={**ENV, **(environment or {})},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how},
    )  # fmt: skip


class Server:
    """The page, on a free port; ends with the context."""

    def __init__(self, *words: str, **how) -> None:
        self.process = serve("--port", "0", *words, **how)
        line = self.process.stdout.readline()
        found = re.search(r"http://[^/:]+:(\d+)/", line)
        assert found, line + self.process.stderr.read()
        self.port = int(found[1])
        self.host = f"127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *why: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)

    def post(self, path: str, **body):
        """Ask as the page does; return status and answer."""
        headers = {"Content-Type": "application/json", "Origin": f"http://{self.host}"}
        request = urllib.request.Request(f"http://{self.host}{path}", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def browser(self, **headers: str) -> Browser:
        origin = headers.pop("origin", f"http://{self.host}")
        return Browser(
            connect(f"ws://{self.host}/ws", origin=origin, additional_headers=headers, max_size=None, close_timeout=1)
        )


class Browser:
    """Talks as the page does."""

    def __init__(self, socket) -> None:
        self.socket = socket
        self.number = 10_000
        self.updates, self.told = [], []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *why: object) -> None:
        self.socket.close()

    def take(self, timeout_s=20.0):
        """Return the next message: a header of an update, or what was told."""
        data = self.socket.recv(timeout_s)
        if isinstance(data, str):
            self.told.append(json.loads(data))
            return self.told[-1]
        (length,) = struct.unpack_from("<I", data)
        header = json.loads(data[4 : 4 + length])
        assert len(data) == 4 + length + sum(header["blobs"].values())
        self.updates.append(header)
        return header

    def wait_for(self, fits, seconds=30.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if fits(message := self.take()):
                return message
        raise AssertionError(f"nothing like that came within {seconds} s; the last was {message}")

    def ask(self, do, **more):
        """Ask, and return the answer."""
        self.number += 1
        number = self.number
        self.socket.send(json.dumps({"id": number, "do": do, **more}))
        return self.wait_for(lambda message: message["t"] == "answer" and message["id"] == number)


MOUSE = "PAGETEST"
"""A mouse that no other session of this machine has."""


def start_session(data_root: Path, *words: str) -> subprocess.Popen[str]:
    """Start a session of made-up frames at real pace."""
    config = data_root / "config.ini"
    if not config.exists():
        shutil.copy(ROOT / "config.ini", config)
        add_mouse(config, MOUSE, "DEMO")
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "run", "--config", str(config), "--mouse", MOUSE, "--pace", "real",
         "--data-root", str(data_root), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV,
    )  # fmt: skip


LONG = ("--set", "total_trials=40", "--set", "initial_rest_dur=2", "--set", "framerate=30", "--set", "rig=page_test")


@contextlib.contextmanager
def running(tmp_path, *words):
    process = start_session(tmp_path, *LONG, *words)
    try:
        yield process, f"session-{process.pid}"
    finally:
        process.kill()
        process.communicate()


def shown(browser, name):
    """Wait until the session is there, and look at it."""
    browser.wait_for(lambda message: message["t"] == "live" and name in [each["name"] for each in message["live"]])
    assert browser.ask("look", live=name)["ok"]
