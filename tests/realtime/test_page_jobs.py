"""`rigloop serve` and what it starts, as processes: sessions, previews and flushes, and which outlives which."""

import signal
import socket
import subprocess
import sys
import time

import pytest

from hardware.board import OutputLine
from hardware.memory_board import TRACE_VARIABLE
from recording.reader import open_session
from session.replay import replay_session
from tests.support.guarded import await_true
from tests.support.page_jobs import (
    ANNA,
    BROKEN,
    CLOSED,
    MOUSE,
    PREVIEW,
    RIG,
    RUN,
    alive,
    ended,
    ended_jobs,
    live,
    session_of,
    started,
)
from tests.support.page_jobs import config as config
from tests.support.page_jobs import lines as lines
from tests.support.page_jobs import server as server
from tests.support.page_jobs import words as words
from tests.support.page_server import ENV, Server, serve
from tests.support.processes import await_end
from tests.support.stalls import awake_ms


def test_a_preview_makes_room_for_a_session_which_is_stopped_and_told(server, tmp_path):
    with server.browser() as browser:
        preview = started(server, PREVIEW)
        live(browser, f"preview-{preview['pid']}")
        session = started(server, RUN)
        facts = ended(browser, preview["number"])
        assert (facts["code"], facts["stops"]) == (0, ["anna"])
        assert "preview: stopped by SIGINT after" in facts["said"]
        live(browser, f"session-{session['pid']}")
        # Which every page is told, and what a session says meanwhile.
        while not any("trial 0/40" in str(told["jobs"]) for told in browser.told if told["t"] == "live"):
            browser.take()
        status, refused = server.post("/api/jobs", **{**RUN, "who": "bert"})
        assert (status, refused["error"]) == (422, f"run: a run of {MOUSE} runs; stop it first")
        assert server.post(f"/api/jobs/{session['number']}/stop", who="bert")[0] == 200
        facts = ended(browser, session["number"])
    assert (facts["code"], facts["stops"]) == (130, ["bert"])
    assert "outcome     stopped before its end" in facts["said"]
    folder, meta = session_of(tmp_path)
    assert (meta["outcome"], meta["started_by"]) == ("aborted", "anna")
    with open_session(folder) as recorded:
        assert [(row.kind, row.who) for row in recorded.inputs] == [("stop_now", "bert")], "not a signal"
    assert not list(tmp_path.glob("data/*.png")), "a preview on the page draws no picture"


@pytest.mark.parametrize("kind", [RUN, PREVIEW], ids=["run", "preview"])
def test_what_a_program_refuses_is_told_to_every_browser(server, tmp_path, kind):
    with server.browser() as one, server.browser() as two:
        job = started(server, {**kind, "mouse": BROKEN})
        for browser in (one, two):
            facts = ended(browser, job["number"])
            assert facts["code"] == 2
            assert facts["said"].startswith(f"rigloop {kind['do']}: ")
            assert "bregma = 1" in facts["said"]
    assert not (tmp_path / "data").exists()


def test_stop_closes_the_valve_of_a_flush_at_once(words, lines, tmp_path, stalls):
    with Server(*words, environment={TRACE_VARIABLE: str(tmp_path / "lines")}) as server, ended_jobs(server):
        flush = started(server, {**ANNA, "do": "flush", "seconds": 60})
        await_true(lambda: lines.is_high(OutputLine.VALVE), 60)
        asked_ns = time.monotonic_ns()
        assert server.post(f"/api/jobs/{flush['number']}/stop", who="bert")[0] == 200
        await_true(lambda: not lines.owned, 60)
        last = lines.edges(OutputLine.VALVE)[-1]
        assert not last.high
        assert awake_ms((asked_ns, (last.time_ns - asked_ns) / 1e6), stalls.seen()) < 500, "a person watches the tube"
        with server.browser() as browser:
            facts = ended(browser, flush["number"])
        assert (facts["code"], facts["stops"]) == (130, ["bert"])
        assert "of water, then stopped" in facts["said"]


def test_a_flush_ends_by_itself_and_says_how_much(words, lines, tmp_path):
    with Server(*words, environment={TRACE_VARIABLE: str(tmp_path / "lines")}) as server, ended_jobs(server):
        flush = started(server, {**ANNA, "do": "flush", "seconds": 0.2})
        with server.browser() as browser:
            facts = ended(browser, flush["number"])
    assert facts["code"] == 0
    assert "1 opening, 0.200 s of water" in facts["said"]
    assert [edge.high for edge in lines.edges(OutputLine.VALVE)] == [True, False]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda each: each.name)
def test_the_end_of_the_page_closes_the_valve_of_its_flush(words, lines, tmp_path, stalls, number):
    server = Server(*words, environment={TRACE_VARIABLE: str(tmp_path / "lines")})
    with ended_jobs(server):
        flush = started(server, {**ANNA, "do": "flush", "seconds": 60})
        await_true(lambda: lines.is_high(OutputLine.VALVE), 60)
        asked_ns = time.monotonic_ns()
        server.process.send_signal(number)
        await_end(flush["pid"])
        last = lines.edges(OutputLine.VALVE)[-1]
        assert not last.high
        assert not lines.owned
        # A server that ends in order lets its connections end first.
        assert awake_ms((asked_ns, (last.time_ns - asked_ns) / 1e6), stalls.seen()) < 3000
        server.process.communicate(timeout=30)


def test_a_killed_server_ends_its_preview(words):
    server = Server(*words)
    with ended_jobs(server):
        preview = started(server, PREVIEW)
        with server.browser() as browser:
            live(browser, f"preview-{preview['pid']}")
            server.process.kill()
            server.process.communicate()
        await_end(preview["pid"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_session_outlives_the_end_of_its_page(words, number):
    # Whoever runs the tests may do it under nohup, which is kept.
    server = Server(*words, before=("env", "--default-signal=HUP"))
    with ended_jobs(server):
        job = started(server, RUN)
        with server.browser() as browser:
            live(browser, f"session-{job['pid']}")
        server.process.send_signal(number)
        out, err = server.process.communicate(timeout=30)
        assert (server.process.returncode, out, err) == (0, CLOSED, "")
        time.sleep(0.3)
        assert alive(job["pid"])


def test_a_session_outlives_its_page_that_is_killed_and_another_page_stops_it(words, tmp_path):
    first = Server(*words)
    with ended_jobs(first):
        job = started(first, RUN)
        name = f"session-{job['pid']}"
        with first.browser() as browser:
            live(browser, name)
        first.process.kill()
        first.process.communicate(timeout=30)
        with Server(*words) as second, second.browser() as browser:
            live(browser, name)
            assert second.post("/api/jobs/1/stop", who="bert")[0] == 422, "it is not this page's program"
            assert browser.ask("stop_now", live=name, who="bert")["ok"]
            assert browser.wait_for(lambda told: told["t"] == "end")["outcome"] == "aborted"
            await_end(job["pid"])
    folder, meta = session_of(tmp_path)
    assert meta["outcome"] == "aborted"
    assert replay_session(folder).compared.mismatches == 0


def test_two_pages_at_once_show_and_stop_what_either_started(words):
    with Server(*words) as one, Server(*words) as two, ended_jobs(one):
        preview = started(one, PREVIEW)
        name = f"preview-{preview['pid']}"
        with one.browser() as mine, two.browser() as other:
            live(mine, name)
            live(other, name)
            # Its rig is held: what the second page starts is refused by the program itself.
            with ended_jobs(two):
                refused = ended(other, started(two, RUN)["number"])
            assert refused["code"] == 2
            assert f"rig {RIG} is in a session or preview that is still running" in refused["said"]
            assert other.ask("stop_now", live=name, who="bert")["ok"]
            assert ended(mine, preview["number"])["code"] == 0


def test_ctrl_c_ends_the_page_while_a_browser_looks(words):
    server = Server(*words)
    with server.browser() as browser:
        browser.take()
        server.process.send_signal(signal.SIGINT)
        out, err = server.process.communicate(timeout=30)
    assert (server.process.returncode, out, err) == (0, CLOSED, "")


@pytest.mark.parametrize("delay", [0.0, 0.3, 0.8, 1.6])
def test_a_signal_at_any_moment_ends_it(words, delay):
    process = serve("--port", "0", *words)
    await_true(lambda: catches(process.pid, signal.SIGTERM), 60)
    time.sleep(delay)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    assert process.returncode in (0, 130, -signal.SIGTERM)


def catches(pid, number):
    """Whether a process has a handler for a signal."""
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return bool(int(status["SigCgt"], 16) >> (number - 1) & 1)


def test_nohup_keeps_the_page_when_its_terminal_is_closed(words):
    with Server(*words, before=("nohup",), stdin=subprocess.DEVNULL) as server, server.browser() as browser:
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert browser.take()["t"] == "live"
        assert server.post("/api/jobs/1/stop", who="anna")[0] == 422


def test_the_page_ends_with_its_input(words):
    server = Server("--until-eof", *words, stdin=subprocess.PIPE)
    assert server.process.poll() is None
    out, err = server.process.communicate(timeout=30)
    assert (server.process.returncode, out, err) == (0, CLOSED, "")


@pytest.fixture
def taken():
    """A port that another program serves."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def command(words, *more):
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *more, *words],
        capture_output=True,
        text=True,
        env=ENV,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_port_that_is_taken_is_told_before_anything_begins(words, taken, tmp_path):
    cure = "(Address already in use); give another --port, or --port 0 for a free one\n"
    code, out, err = command(words, "serve", f"--port={taken}")
    assert (code, out) == (2, "")
    assert err == f"rigloop serve: 127.0.0.1:{taken}: the page cannot be served there {cure}"
    code, out, err = command(words, "run", f"--page={taken}", "--mouse", MOUSE)
    assert (code, out) == (2, "")
    assert err == f"rigloop run: --page: 127.0.0.1:{taken}: the page cannot be served there {cure}"
    assert not (tmp_path / "data").exists()
