"""The page's server as it runs: sessions come and go, browsers misbehave, and nothing of it harms a session."""

from __future__ import annotations

import csv
import os
import signal
import time

import pytest
from websockets.exceptions import InvalidStatus

from session.replay import replay_session
from tests.support.malformed import malformed
from tests.support.page_server import Server, running, shown

SEED = 20261130
TOGETHER = 20
"""Messages that are sent before an answer is read: a session looks for them 15 times a second."""


@pytest.fixture(scope="module")
def server():
    with Server() as made:
        yield made


def inputs(tmp_path):
    [path] = tmp_path.glob("*/*/S1/inputs.csv")
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] != "lick"], path.parent


def test_a_session_is_shown_and_asked_and_replays(server, tmp_path):
    # What a browser says of itself as a proxy would is anybody's word.
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    with running(tmp_path) as (process, name), server.browser() as one, server.browser(**elsewhere) as two:
        for browser in (one, two):
            shown(browser, name)
        one.wait_for(lambda message: message["t"] == "update" and message["status"].get("frames", 0) > 30)
        for do, more in (
            ("water", {}),
            ("pause", {}),
            ("resume", {}),
            ("set", {"key": "reward_threshold", "value": "0.02"}),
            ("note", {"text": "grooms"}),
        ):
            answer = one.ask(do, live=name, who="anna", **more)
            assert answer["ok"], answer
        two.wait_for(lambda message: message["t"] == "update" and message["status"].get("drops", 0) > 0)
        assert two.ask("stop_now", live=name, who="bert")["ok"]
        assert one.wait_for(lambda message: message["t"] == "end")["outcome"] == "aborted"
        assert process.wait(30) == 130
    asked, session = inputs(tmp_path)
    assert [(row["kind"], row["who"]) for row in asked] == [
        *((kind, "anna") for kind in ("free_water", "pause", "resume", "set_threshold", "note")),
        ("stop_now", "bert"),
    ]
    assert replay_session(session).compared.mismatches == 0


def test_500_malformed_messages_change_nothing_and_are_answered(server, tmp_path):
    with running(tmp_path) as (process, name), server.browser() as browser:
        shown(browser, name)
        messages = list(malformed(SEED, name, 500))
        for at in range(0, len(messages), TOGETHER):
            some = messages[at : at + TOGETHER]
            for message in some:
                browser.socket.send(message)
            answers = [browser.wait_for(lambda message: message["t"] == "answer") for _ in some]
            assert not [answer for answer in answers if answer["ok"] or not answer["text"]], some
        assert browser.ask("note", live=name, who="anna", text="still here")["ok"]
        os.kill(process.pid, signal.SIGTERM)
        process.wait(30)
    asked, session = inputs(tmp_path)
    assert [(row["kind"], row["who"]) for row in asked] == [("note", "anna"), ("stop_now", "SIGTERM")]
    assert replay_session(session).compared.mismatches == 0


def test_the_server_is_killed_and_the_session_goes_on(tmp_path):
    with running(tmp_path) as (process, name):
        first = Server()
        with first.browser() as browser:
            shown(browser, name)
            browser.wait_for(lambda message: message["t"] == "update")
            first.process.kill()
            first.process.communicate()
        time.sleep(0.5)
        assert process.poll() is None
        with Server() as again, again.browser() as browser:
            shown(browser, name)
            news = browser.wait_for(lambda message: message["t"] == "update" and message["status"].get("frames", 0))
            assert news["rows"]["n"] > 0
            assert browser.ask("stop_now", live=name, who="anna")["ok"]
            assert process.wait(30) == 130
    assert replay_session(inputs(tmp_path)[1]).compared.mismatches == 0


def test_a_killed_session_is_told(server, tmp_path):
    with running(tmp_path) as (process, name), server.browser() as browser:
        shown(browser, name)
        process.kill()
        end = browser.wait_for(lambda message: message["t"] == "end")
        assert (end["outcome"], "rigloop recover" in end["text"]) == ("lost", True)
        browser.wait_for(lambda message: message["t"] == "live" and name not in str(message["live"]))


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None, "http://127.0.0.1:1"])
def test_no_foreign_page_gets_in(server, origin):
    with pytest.raises(InvalidStatus, match="403"):
        server.browser(origin=origin)
