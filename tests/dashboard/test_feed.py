"""A session as it is handed to who looks: nobody is given a row or an event twice, none is missed, pictures are new."""

import asyncio
import json
import os
import struct
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import VirtualClock
from dashboard.feed import ANSWER_S, COLUMNS, EVENTS, HISTORY_ROWS, Feed
from dashboard.live_reader import News
from recording import lock_file
from session.live_link import PERIOD_NS, LiveLink
from session.live_wire import WIRE, row_dtype
from tests.support.jumping_loop import run
from tests.support.live import connect

S = 10**9
NAMES = ("M1_L", "M1_R")
ABOUT = {
    "shape": (8, 8, 3), "kind": "clnf", "names": NAMES, "mouse": "M", "live": True,
    "settings": {"dff_history": 6, "dff_mode": "green"},
}  # fmt: skip


class Reader:
    """A link that says what a test lets it say."""

    def __init__(self):
        self.about, self.end = ABOUT, None
        self._read, self._write = os.pipe()
        self.coming = deque()
        self.asked = []
        self.listens = True

    def fileno(self):
        return self._read

    def read(self):
        os.read(self._read, 1)
        said = self.coming.popleft()
        if isinstance(said, Exception):
            raise said
        return said

    def say(self, said):
        self.coming.append(said)
        os.write(self._write, b"x")

    def ask(self, control):
        self.asked.append(control)
        return self.listens

    def close(self):
        os.close(self._read)
        os.close(self._write)


class Watcher:
    """Takes everything; ``newest`` is what a browser would be sent next."""

    def __init__(self):
        self.told, self.newest = [], None

    def give(self, update):
        self.newest = update

    def forget(self):
        self.newest = None

    def tell(self, message):
        self.told.append(message)

    def take(self):
        update, self.newest = self.newest, None
        return unpacked(update())


def unpacked(data):
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    blobs, at = {}, 4 + length
    for name, size in header["blobs"].items():
        blobs[name] = data[at : at + size]
        at += size
    assert at == len(data)
    n, columns = header["rows"]["n"], header["rows"]["columns"]
    return header, np.frombuffer(blobs["rows"], "<f4").reshape(n, len(columns)), blobs


def rows(first, last):
    """Rows of these numbers, 0.1 s apart, each with its number as trial."""
    table = np.zeros(last - first + 1, row_dtype(len(NAMES)))
    table["number"] = table["trial"] = np.arange(first, last + 1)
    table["time_ns"] = table["number"] * S // 10 + 5 * S
    table["late_us"], table["span_us"] = table["number"], np.nan
    return table


def news(first, last, events=(), image=None):
    image = np.full((8, 8, 3), 100, np.uint8) if image else None
    return News({"frames": last}, list(events), rows(first, last), 0, image), []


async def fed(steps):
    """Run steps, each a callable of feed, reader; the loop turns between them. Returns feed and reader."""
    reader = Reader()
    over = []
    feed = Feed("session-1", reader, over.append)
    for step in steps:
        result = step(feed, reader)
        await (result if asyncio.iscoroutine(result) else asyncio.sleep(0))
        for _ in range(3):
            await asyncio.sleep(0)
    if not over:
        feed.close()
    return over


def say(*given, **more):
    return lambda feed, reader: reader.say(news(*given, **more))


def test_who_comes_late_is_told_what_has_been_and_then_what_comes():
    watcher = Watcher()
    run(
        fed(
            [
                say(1, 4, events=[[1, 6 * S, "success", 1, ""]]),
                lambda feed, reader: feed.add(watcher),
                say(5, 6, events=[[2, 7 * S, "fail", 2, ""]]),
            ]
        )
    )
    [hello] = watcher.told
    assert (hello["t"], hello["live"], hello["first_ns"]) == ("hello", "session-1", 5 * S + S // 10)
    assert [event[0] for event in hello["events"]] == [1]
    header, table, _ = watcher.take()
    assert header["rows"]["columns"] == [*COLUMNS, *NAMES]
    assert table[:, COLUMNS.index("trial")].tolist() == [1, 2, 3, 4, 5, 6]
    assert table[:, 0] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert [event[0] for event in header["events"]] == [2]
    assert (header["live"], header["status"], header["rows"]["lost"]) == ("session-1", {"frames": 6}, 0)


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans(), st.booleans()), max_size=30))
def test_no_row_and_no_event_is_missed_or_given_twice_however_slow_a_browser_is(updates):
    quick, slow = Watcher(), Watcher()
    seen = {quick: ([], []), slow: ([], [])}

    def look(watcher):
        if watcher.newest is not None:
            header, table, _ = watcher.take()
            assert header["rows"]["lost"] == 0
            seen[watcher][0].extend(table[:, COLUMNS.index("trial")].astype(int).tolist())
            seen[watcher][1].extend(event[0] for event in header["events"])

    steps, row, event = [lambda feed, reader: (feed.add(quick), feed.add(slow))], 0, 0
    for count, happens, takes in updates:
        if happens:
            event += 1
        told = [[event, row * S, "note", 0, "x"]] if happens else []
        steps += [say(row + 1, row + count, events=told, image=True), lambda feed, reader: look(quick)]
        row += count
        if takes:
            steps.append(lambda feed, reader: look(slow))
    run(fed([*steps, lambda feed, reader: look(slow)]))
    for numbers, events in seen.values():
        assert numbers == list(range(1, row + 1))
        assert events == list(range(1, event + 1))


def test_pictures_are_encoded_for_who_looks_and_given_once():
    watcher, other, late = Watcher(), Watcher(), Watcher()
    taken = []
    run(
        fed(
            [
                say(1, 1, image=True),
                lambda feed, reader: feed.add(watcher),
                lambda feed, reader: taken.append(watcher.take()),
                say(2, 2, image=True),
                lambda feed, reader: taken.append(watcher.take()),
                say(3, 3),
                lambda feed, reader: taken.append(watcher.take()),
                lambda feed, reader: feed.add(other),
                lambda feed, reader: taken.append(other.take()),
                lambda feed, reader: feed.remove(watcher),
                lambda feed, reader: feed.remove(other),
                say(4, 4, image=True),
                lambda feed, reader: feed.add(late),
                lambda feed, reader: taken.append(late.take()),
            ]
        )
    )
    assert [sorted(blobs) for _, _, blobs in taken] == [
        ["rows"],
        ["camera", "map", "rows"],
        ["rows"],
        ["camera", "map", "rows"],
        # While nobody looked, none was made; what is left from before is old.
        ["rows"],
    ]


def test_history_is_bounded_and_what_a_browser_misses_by_it_is_told():
    watcher = Watcher()
    steps = [say(1, 10), lambda feed, reader: feed.add(watcher), lambda feed, reader: watcher.take()]
    steps += [say(number, number + 4999) for number in range(11, 30_011, 5000)]
    run(fed(steps))
    header, table, _ = watcher.take()
    assert HISTORY_ROWS <= len(table) <= HISTORY_ROWS + 5000
    assert header["rows"]["lost"] == 30_000 - len(table)
    assert table[-1, COLUMNS.index("trial")] == 30_010


def test_events_are_bounded():
    watcher = Watcher()
    events = [[number, number, "crossing", 0, ""] for number in range(1, EVENTS + 10)]
    run(fed([say(1, 1, events=events), lambda feed, reader: feed.add(watcher)]))
    assert [event[0] for event in watcher.told[0]["events"]] == list(range(10, EVENTS + 10))


def test_who_comes_late_is_told_what_people_changed_and_what_was_lost_however_long_ago():
    changed = [[1, S, "operator", 1, "set anna"], [2, S, "set", 1, "max_trial_dur = 7"], [3, S, "lost", 1, "camera: x"]]
    many = [[4 + n, S, "crossing", 1, ""] for n in range(EVENTS + 9)]
    watcher = Watcher()
    steps = [say(1, 1, events=changed), say(2, 2, events=many), lambda feed, reader: feed.add(watcher)]
    run(fed(steps))
    assert watcher.told[0]["events"] == changed + many[9:]


def test_latency_is_that_of_the_last_seconds_without_what_was_not_measured():
    watcher = Watcher()
    run(fed([lambda feed, reader: feed.add(watcher), *(say(at, at + 9) for at in range(1, 1001, 10))]))
    header, _, _ = watcher.take()
    [(name, [p50, p99])] = header["latency"].items()
    assert name == "late_us"
    assert 890 < p50 < 960
    assert p99 == pytest.approx(1000, abs=2)


def test_who_looks_elsewhere_is_sent_nothing_of_it_any_more():
    watcher = Watcher()
    run(fed([lambda feed, reader: feed.add(watcher), say(1, 2), lambda feed, reader: feed.remove(watcher), say(3, 4)]))
    assert watcher.newest is None


@pytest.mark.parametrize(
    ("end", "error", "outcome", "text"),
    [
        ({"outcome": "complete", "text": "all"}, EOFError(), "complete", "all"),
        (None, EOFError(), "lost", "`rigloop recover`"),
        (None, ValueError("'Q' is not a valid Tag"), "lost", "'Q'"),
    ],
)
def test_an_end_is_told_once_with_its_reason(end, error, outcome, text):
    watcher = Watcher()
    answers = []

    def finish(feed, reader):
        feed.ask({"do": "water"}, lambda ok, text: answers.append((ok, text)))
        watcher.newest = "an update that has not been sent"
        reader.end = end
        reader.say(error)

    over = run(fed([lambda feed, reader: feed.add(watcher), finish]))[0]
    assert [feed.name for feed in over] == ["session-1"]
    assert watcher.newest is None
    [told] = watcher.told[1:]
    assert (told["t"], told["live"], told["outcome"]) == ("end", "session-1", outcome)
    assert text in told["text"]
    assert answers == [(False, "the session ended before it was given")]


def test_an_answer_reaches_who_asked_and_silence_is_told_in_time():
    answers = []

    def ask(name):
        return lambda feed, reader: feed.ask({"do": name}, lambda ok, text: answers.append((name, ok, text)))

    async def later():
        await asyncio.sleep(ANSWER_S + 0.1)

    def answer(feed, reader):
        assert [control["id"] for control in reader.asked] == [1, 2]
        reader.say((None, [{"id": 2, "ok": True, "text": "given"}, {"id": 2, "ok": True, "text": "again"}]))

    def deaf(feed, reader):
        reader.listens = False
        ask("pause")(feed, reader)

    run(fed([ask("water"), ask("note"), answer, lambda feed, reader: later(), deaf]))
    assert [(name, ok) for name, ok, _ in answers] == [("note", True), ("water", False), ("pause", False)]
    assert "no answer within 10 s" in answers[1][2]


def test_a_real_link_is_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(lock_file, "SHARED_FOLDERS", (tmp_path,))
    clock = VirtualClock()
    link = LiveLink(clock, "session-2")
    link.open({**ABOUT, "wire": WIRE, "dtype": "uint8"})

    def look(status=dict):
        clock.sleep_until_ns(clock.now_ns() + PERIOD_NS)
        link.look(status, lambda *asked: None)

    reader = connect("session-2", look, link)
    watcher = Watcher()

    async def follow():
        over = []
        feed = Feed("session-2", reader, over.append)
        feed.add(watcher)
        link.put(
            (1, S, 50.0, 100.0, 0.5, 0.1, 0.0, 0, 1, 0, 0, 0, 0, 2, 0, (0.1, 0.2)), np.zeros((8, 8, 3), np.uint8), S
        )
        look(lambda: {"frames": 1})
        for _ in range(5):
            await asyncio.sleep(0)
        shown = watcher.take()
        link.close({"outcome": "complete", "text": "done"})
        for _ in range(5):
            await asyncio.sleep(0)
        return over, shown

    (over, (_, table, blobs)), _ = run(follow())
    assert sorted(blobs) == ["camera", "map", "rows"]
    assert table[0, COLUMNS.index("licks")] == 2
    assert table[0, len(COLUMNS) :] == pytest.approx([0.1, 0.2])
    assert [message["t"] for message in watcher.told] == ["hello", "end"]
    assert len(over) == 1
