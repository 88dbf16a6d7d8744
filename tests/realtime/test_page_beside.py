"""`rigloop run --page`: the page beside one session, and that it ends with it."""

import contextlib
import signal
import socket
import subprocess
import sys

import pytest

from session.replay import replay_session
from tests.support.guarded import await_true
from tests.support.page_jobs import (
    MOUSE,
    live,
    session_of,
)
from tests.support.page_jobs import config as config
from tests.support.page_jobs import words as words
from tests.support.page_server import ENV, Server


@pytest.fixture
def run_with_page(words):
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "run", "--page=0", "--mouse", MOUSE, "--pace=real", *words],
        env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


def page_of(process):
    """Return a server's stand-in for the page that a session's process has told of."""
    line = process.stderr.readline()
    address = line.removeprefix("rigloop run: the page is http://").strip().rstrip("/")
    page = Server.__new__(Server)
    page.host = address
    return page


def test_a_page_beside_a_session_ends_with_it(run_with_page, tmp_path):
    page = page_of(run_with_page)
    name = f"session-{run_with_page.pid}"
    with page.browser() as browser:
        live(browser, name)
        assert browser.ask("water", live=name, who="anna")["ok"]
        assert browser.ask("stop_now", live=name, who="anna")["ok"]
        assert browser.wait_for(lambda told: told["t"] == "end")["outcome"] == "aborted"
    out, err = run_with_page.communicate(timeout=60)
    assert run_with_page.returncode == 130, err
    assert "outcome     stopped before its end" in out
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(page.host.split(":"), 1).close()
    assert replay_session(session_of(tmp_path)[0]).compared.mismatches == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)], ids=["Ctrl-C", "kill -9"])
def test_a_page_beside_a_session_ends_with_its_process(run_with_page, number, code):
    page = page_of(run_with_page)
    with page.browser() as browser:
        live(browser, f"session-{run_with_page.pid}")
        run_with_page.send_signal(number)
        run_with_page.communicate(timeout=60)
        assert run_with_page.returncode == code
    host, port = page.host.split(":")

    def gone():
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((host, int(port)), 1).close()
            return False
        return True

    await_true(gone, 60)
