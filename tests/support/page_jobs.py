"""What tests of `rigloop serve` and its programs share: their mice, their server, and waiting for what it tells."""

import contextlib
import json
import os
import signal

import pytest

from hardware.memory_board import MemoryTrace
from tests.support.page_server import ROOT, Server

MOUSE, BROKEN, RIG = (f"{name}{os.getpid()}" for name in ("PAGEJOBS", "BROKEN", "pagejobs"))
"""Their own: locks are the machine's, on which others may run the same tests."""
ANNA = {"who": "anna", "mouse": MOUSE}
RUN = {**ANNA, "do": "run", "experiment": "", "resume": False, "accept_exposure": False}
PREVIEW = {**ANNA, "do": "preview", "experiment": ""}
KEYS = f"total_trials = 40\ninitial_rest_dur = 2\nframerate = 30\nrig = {RIG}\noutput_board = memory\n"
CLOSED = "rigloop serve: the page is closed; sessions go on\n"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.ini"
    mice = f"\n[mouse:{MOUSE}]\nexperiment = clnf_1roi\n{KEYS}\n[mouse:{BROKEN}]\nexperiment = clnf_1roi\nbregma = 1\n"
    path.write_text((ROOT / "config.ini").read_text() + mice)
    return path


@pytest.fixture
def words(config, tmp_path):
    return ("--config", str(config), "--data-root", str(tmp_path / "data"))


@pytest.fixture
def lines(tmp_path):
    """The lines' memory, which outlives the guardian."""
    trace = MemoryTrace.create(tmp_path / "lines")
    yield trace
    trace.close()


@pytest.fixture
def server(words, tmp_path):
    with Server(*words) as made, ended_jobs(made):
        yield made


@contextlib.contextmanager
def ended_jobs(server):
    """Leave no program behind, whatever failed."""
    started = []
    ask = server.post

    def post(path, **body):
        status, answer = ask(path, **body)
        if "job" in answer:
            started.append(answer["job"]["pid"])
        return status, answer

    server.post = post
    try:
        yield
    finally:
        for pid in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def started(server, body):
    status, answer = server.post("/api/jobs", **body)
    assert status == 200, answer
    return answer["job"]


def live(browser, name):
    """Wait until a session or preview is there, look at it, and wait for a frame."""
    browser.wait_for(lambda told: told["t"] == "live" and name in [each["name"] for each in told["live"]])
    assert browser.ask("look", live=name)["ok"]
    browser.wait_for(lambda told: told["t"] == "update" and told["status"].get("frames"))


def ended(browser, number):
    """Wait until every browser is told that a job has ended; return its facts."""

    def code(told):
        return told["t"] == "live" and any(
            each["number"] == number and each["code"] is not None for each in told["jobs"]
        )

    return next(each for each in browser.wait_for(code)["jobs"] if each["number"] == number)


def session_of(tmp_path):
    [session] = tmp_path.glob("data/*/*/S1")
    return session, json.loads((session / "session.json").read_text())


def alive(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False
