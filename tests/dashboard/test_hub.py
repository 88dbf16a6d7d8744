"""What runs, as every browser is told of it, and what a browser may ask of it."""

import asyncio
import json

import pytest

from core.errors import InputError, RecordingError
from dashboard import hub as module
from dashboard.access import Role
from dashboard.hub import Hub
from dashboard.live_reader import Refused

ABOUT = {"what": "session", "mouse": "M1", "experiment": "clnf_1roi", "rig": "rig1"}


class Feed:
    """In place of ``dashboard.feed.Feed``."""

    def __init__(self, name, reader, over):
        self.name, self.about, self.over = name, ABOUT, over
        self.asked = []

    def ask(self, control, answered):
        self.asked.append((control, answered))

    def add(self, watcher):
        watcher.tell({"t": "hello", "live": self.name})

    def remove(self, watcher):
        watcher.tell({"t": "removed", "live": self.name})

    def close(self):
        pass


class Browser:
    def __init__(self):
        self.told = []

    def tell(self, message):
        self.told.append(message)

    async def close(self):
        pass


@pytest.fixture
def machine(monkeypatch):
    """What there is to be found, and what connecting raises, by name; which names were known when it was looked."""

    class Machine:
        found, raised, known = [], {}, []

    def find(known=()):
        Machine.known.append(sorted(known))
        if isinstance(Machine.found, Exception):
            raise Machine.found
        return list(Machine.found)

    def connect(name):
        if name in Machine.raised:
            raise Machine.raised[name]

    Machine.found, Machine.raised, Machine.known = [], {}, []
    monkeypatch.setattr(module, "find_live", find)
    monkeypatch.setattr(module, "LiveReader", connect)
    monkeypatch.setattr(module, "Feed", Feed)
    return Machine


def test_what_comes_is_told_once_and_not_asked_again(machine):
    async def talk():
        hub, browser = Hub(), Browser()
        hub.enter(browser)
        machine.found = ["session-1"]
        await hub.look()
        await hub.look()
        machine.found = ["session-1", "preview-2"]
        await hub.look()
        hub._feeds["session-1"].over(hub._feeds["session-1"])
        assert [[each["name"] for each in told["live"]] for told in browser.told] == [
            [], ["session-1"], ["session-1", "preview-2"], ["preview-2"],
        ]  # fmt: skip
        assert machine.known == [[], ["session-1"], ["session-1"]]

    asyncio.run(talk())


def test_why_one_lets_nobody_in_is_told_until_it_does(machine):
    async def talk():
        hub, browser = Hub(), Browser()
        hub.enter(browser)
        machine.found = ["session-1", "session-2", "session-3"]
        machine.raised = {"session-2": Refused("session-2: 4 pages"), "session-3": InputError("not yet")}
        for _ in range(2):
            await hub.look()
        machine.raised = {}
        await hub.look()
        assert [(len(told["live"]), told["problem"]) for told in browser.told] == [
            (0, ""), (1, "session-2: 4 pages"), (3, ""),
        ]  # fmt: skip

    asyncio.run(talk())


def test_a_machine_whose_sessions_cannot_be_looked_for(machine):
    async def talk():
        hub, browser = Hub(), Browser()
        hub.enter(browser)
        machine.found = ["session-1"]
        await hub.look()
        machine.found = RecordingError("the folder is another's")
        await hub.look()
        assert (browser.told[-1]["problem"], len(browser.told[-1]["live"])) == ("the folder is another's", 1)

    asyncio.run(talk())


def test_a_session_is_asked_to_end_by_name(machine):
    async def talk():
        hub, made = Hub(), []
        machine.found = ["session-1"]
        await hub.look()
        assert not hub.ask_end("session-2", "anna", lambda: made.append("made"))
        assert hub.ask_end("session-1", "anna", lambda: made.append("made"))
        [(control, answered)] = hub._feeds["session-1"].asked
        assert control == {"do": "stop_now", "who": "anna"}
        answered(True, "the session ends")
        assert made == []
        answered(False, "no answer within 10 s")
        assert made == ["made"]

    asyncio.run(talk())


WATER = {"id": 7, "do": "water", "who": "anna", "live": "session-1"}


def said(machine, role, message, origin=""):
    """Return what a browser that sends a message is told, and what a session that runs is asked for."""

    async def talk():
        hub, browser = Hub(), Browser()
        hub.enter(browser)
        machine.found = ["session-1"]
        await hub.look()
        del browser.told[:]
        hub.hear(browser, role, json.dumps(message), origin)
        return browser.told, [control for control, _ in hub._feeds["session-1"].asked]

    return asyncio.run(talk())


def test_a_viewer_asks_a_session_that_runs_for_nothing(machine):
    [answer], asked = said(machine, Role.viewer, WATER)
    assert (answer["id"], answer["ok"]) == (7, False)
    assert "viewer's token changes nothing" in answer["text"]
    assert asked == []
    told, _ = said(machine, Role.viewer, {"id": 8, "do": "look", "live": "session-1"})
    assert [each.get("ok") for each in told] == [None, True]


@pytest.mark.parametrize(("origin", "who"), [("", "anna"), ("192.0.2.7", "anna at 192.0.2.7")])
def test_who_asks_is_told_to_the_session_with_where_they_are(machine, origin, who):
    told, asked = said(machine, Role.operator, WATER, origin)
    assert asked == [{"id": 7, "do": "water", "who": who}]
    assert told == [], "the session answers"


@pytest.mark.parametrize(
    ("message", "cure"),
    [
        ({**WATER, "id": True}, "id: give a whole number"),
        ({**WATER, "live": "session-2"}, "no such session"),
        ({**WATER, "live": ["session-1"]}, "'live': give a text"),
        ({"id": 1, "do": "look", "live": "session-1", "who": "anna"}, "look: give do, id, live and nothing else"),
    ],
)
def test_what_is_asked_wrongly_reaches_no_session(machine, message, cure):
    [answer], asked = said(machine, Role.operator, message)
    assert not answer["ok"]
    assert cure in answer["text"]
    assert asked == []


@pytest.mark.parametrize("value", ["1e999", "1.5", "[" * 900 + "]" * 900, "{}", "null"])
def test_what_is_neither_text_nor_number_is_refused(machine, value):
    """Some of it could not be sent on, and would have ended the browser's connection."""

    async def talk():
        hub, browser = Hub(), Browser()
        machine.found = ["session-1"]
        await hub.look()
        text = f'"id": 1, "do": "note", "live": "session-1", "text": "x", "who": {value}'
        hub.hear(browser, Role.operator, f"{{{text}}}", "")
        assert hub._feeds["session-1"].asked == []
        [answer] = browser.told
        assert (answer["ok"], "'who': give a text" in answer["text"]) == (False, True)

    asyncio.run(talk())


def test_sessions_are_looked_for_again_whatever_went_wrong(machine, monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.0)

    async def talk():
        hub, browser = Hub(), Browser()
        hub.enter(browser)
        machine.found = OSError(24, "Too many open files")
        looking = asyncio.create_task(hub.keep_looking())
        while not hub.problem:
            await asyncio.sleep(0)
        machine.found = ["session-1"]
        while not hub.live():
            await asyncio.sleep(0)
        looking.cancel()
        assert "Too many open files" in browser.told[1]["problem"]
        assert browser.told[-1]["problem"] == ""

    asyncio.run(talk())
