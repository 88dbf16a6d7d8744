"""What a page sees of a session through their link, and what the session takes from it."""

import os
import socket

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import InputError, RecordingError
from core.values import as_ns
from dashboard.live_reader import LiveReader, Refused, find_live
from recording import lock_file
from recording.schema import EventRow, InputRow
from session import live_link
from session.live_link import CONTROLS_AT_A_TIME, EVENTS, PERIOD_NS, LiveLink
from session.live_wire import CONTROL_BYTES, LASTING, PAGES, ROWS, SLOTS, UNTOLD, Tag, live_folder, new_socket, pack
from tests.support.live import ABOUT, connect


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    # Longer than what an address of a socket holds.
    long = tmp_path / ("long" * 25)
    long.mkdir()
    monkeypatch.setattr(lock_file, "SHARED_FOLDERS", (long,))
    return long


class Session:
    """A session that only shows."""

    def __init__(self, name="session-1"):
        self.clock = VirtualClock(as_ns(50))
        self.link = LiveLink(self.clock, name)
        self.link.open(ABOUT)
        self.asked, self.pages = [], []
        self.frames = 0

    def look(self):
        self.clock.sleep_until_ns(self.clock.now_ns() + PERIOD_NS)
        self.link.look(lambda: {"frames": self.frames}, self.take)

    def take(self, message, answer):
        self.asked.append(dict(message))
        answer(message["do"] == "water", "as you like")

    def frame(self, seconds=0.01):
        self.frames += 1
        k = self.frames
        self.clock.sleep_until_ns(self.clock.now_ns() + as_ns(seconds))
        row = (k, as_ns(k), 1.0, 2.0, k / 10, 0.05, 1000.0, 1, 1, 1, 0, 3, 0, 0, 0, (k * 1.0, k * 2.0))
        self.link.put(row, np.full(ABOUT["shape"], k % 256, np.uint8), self.clock.now_ns())

    def page(self, name="session-1"):
        self.pages.append(connect(name, self.look, self.link))
        return self.pages[-1]

    def close(self):
        for page in self.pages:
            page.close()
        self.link.close({})


@pytest.fixture
def session():
    made = Session()
    yield made
    made.close()


def test_a_page_is_told_what_it_looks_at(session):
    page = session.page()
    assert page.about == {**ABOUT, "shape": [4, 6, 3], "names": ["M1_L", "M1_R"]}


def test_every_row_and_the_newest_image(session):
    session.frame()
    page = session.page()
    for _ in range(20):
        session.frame()
    session.look()
    news, answers = page.read()
    assert answers == []
    assert news.rows["frame"].tolist() == list(range(1, 22))
    assert news.rows["parts"][-1].tolist() == [21.0, 42.0]
    assert (news.rows_lost, news.status) == (0, {"frames": 21})
    assert news.image[0, 0, 0] in range(15, 22)
    assert page.read() == (None, [])


def test_images_come_at_fifteen_a_second_whatever_the_frame_rate(session):
    for fps, most in ((10, 10), (15, 15), (30, 15), (100, 16), (300, 16)):
        page, shown = session.page(), 0
        for _ in range(2 * fps):
            session.frame(1 / fps)
            session.link.look(dict, session.take)
            news, _ = page.read()
            shown += news is not None and news.image is not None
        assert 2 * min(fps, 14) <= shown <= 2 * most + 1, fps
        page.close()


def test_nobody_looks_and_no_image_is_copied(session):
    for _ in range(5):
        session.frame()
        session.look()
    assert session.link._image == 0


def test_a_page_that_reads_late_misses_rows_and_knows_how_many(session):
    page = session.page()
    session.frame()
    session.look()
    page.read()
    for _ in range(ROWS + 100):
        session.frame()
    session.look()
    news, _ = page.read()
    assert (len(news.rows), news.rows_lost) == (ROWS, 100)


def test_an_image_that_is_written_again_meanwhile_is_left_out(session):
    page = session.page()
    session.frame()
    session.look()
    session.link._memory.numbers[1 % SLOTS] = 99
    news, _ = page.read()
    assert news.image is None


def test_a_page_that_never_reads_costs_nothing_but_its_updates(session):
    idle, page = session.page(), session.page()
    for _ in range(3000):
        session.frame()
        session.link.note([EventRow(1, "mark", 0, "x" * 200)])
        session.look()
        page.read()
    assert page.read() == (None, [])
    session.frame()
    session.look()
    assert page.read()[0].status == {"frames": 3001}
    news, _ = idle.read()
    assert news.status["frames"] < 3001


def told_to(session, page):
    """Return the events that a page is told until there are no more."""
    told = []
    for _ in range(60):
        session.look()
        news, _ = page.read()
        told += news.events if news else []
    return told


def test_events_are_told_once_and_in_order_and_the_newest_are_kept_for_who_comes_late(session):
    events = [EventRow(k, "mark", k % 3, f"number {k}") for k in range(EVENTS + 10)]
    session.link.note([*events, InputRow(1, 1, "lick", 0.0, "")])
    told = told_to(session, session.page())
    assert [event[0] for event in told] == list(range(11, EVENTS + 11))
    assert told[-1][1:] == [EVENTS + 9, "mark", (EVENTS + 9) % 3, f"number {EVENTS + 9}"]


def test_what_people_changed_and_what_was_lost_is_kept_whatever_came_since(session):
    lasting = [EventRow(k, kind, 1, kind) for k, kind in enumerate(sorted(LASTING))]
    session.link.note([*lasting, *(EventRow(k, "mark", 1, "") for k in range(EVENTS + 5))])
    late = told_to(session, session.page())
    assert [event[2] for event in late] == [*sorted(LASTING), *["mark"] * EVENTS]
    session.link.note([EventRow(1, "set", 2, "max_trial_dur = 7")])
    assert [event[2:] for event in told_to(session, session.page())][-1] == ["set", 2, "max_trial_dur = 7"]


def test_licks_and_lost_frames_are_told_by_rows_alone(session):
    page = session.page()
    session.link.note([EventRow(k, kind, 1, "") for k, kind in enumerate([*sorted(UNTOLD), "note"] * 9)])
    assert [event[2] for event in told_to(session, page)] == ["note"] * 9


def test_what_a_page_asks_for_is_answered_to_it_alone(session):
    page, other = session.page(), session.page()
    # While the other one was let in, it was told more than its socket holds.
    page.read()
    assert page.ask({"id": 7, "do": "water", "who": "anna"})
    assert page.ask({"id": 8, "do": "dance", "who": "anna"})
    session.look()
    assert session.asked == [{"id": 7, "do": "water", "who": "anna"}, {"id": 8, "do": "dance", "who": "anna"}]
    answers = page.read()[1]
    assert answers == [{"id": 7, "ok": True, "text": "as you like"}, {"id": 8, "ok": False, "text": "as you like"}]
    assert other.read()[1] == []
    with pytest.raises(InputError, match="too long"):
        page.ask({"id": 9, "do": "note", "text": "x" * 9000})


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"Z{}",
        b"C[]",
        b"C{",
        b"\xff\x00",
        b"C" + b"9" * 5000,
        b'C{"id":"1"}',
        b'C{"do":"water"}',
        b'C{"id":1,"do":"%s"}' % (b"x" * (CONTROL_BYTES - 15)),
        b"C" + b"[" * 3000,
    ],
)
def test_who_sends_what_is_no_message_is_let_go(session, message):
    folder = os.open(live_folder(), os.O_RDONLY)
    stranger = new_socket()
    stranger.connect(f"/proc/self/fd/{folder}/session-1.sock")
    os.close(folder)
    session.look()
    stranger.recv(10_000)
    stranger.send(message) if message else stranger.shutdown(socket.SHUT_WR)
    session.look()
    session.look()
    assert session.asked == []
    assert session.link._pages == []
    stranger.close()


def test_another_user_is_not_let_in(session, monkeypatch):
    monkeypatch.setattr(live_link, "_user_of", lambda peer: os.geteuid() + 1)
    with pytest.raises(InputError, match="does not let the page in"):
        session.page()
    assert session.link._pages == []


def test_of_many_wishes_some_are_taken_at_a_time(session):
    page = session.page()
    for number in range(2 * CONTROLS_AT_A_TIME):
        assert page.ask({"id": number, "do": "water", "who": "anna"})
    for taken in (1, 2):
        session.look()
        assert len(session.asked) == taken * CONTROLS_AT_A_TIME


def test_an_image_has_no_number_while_it_is_written(session, monkeypatch):
    session.page()
    memory, seen, copy = session.link._memory, [], np.copyto

    def spied(to, image):
        seen.append(memory.numbers[1 % SLOTS])
        copy(to, image)

    monkeypatch.setattr(np, "copyto", spied)
    session.frame()
    memory.numbers[1 % SLOTS] = 1 - SLOTS
    session.link._image = 0
    session.frame()
    assert seen == [0, 0]
    assert memory.numbers[1 % SLOTS] == 1


def test_so_many_pages_and_no_more(session):
    pages = [session.page() for _ in range(PAGES)]
    with pytest.raises(Refused, match="session-1: 4 pages look at it already, as many as may; end one"):
        session.page()
    pages[0].close()
    session.look()
    session.page()


def test_the_end_is_told(session):
    page = session.page()
    page.read()
    session.frame()
    session.link.close({"outcome": "complete", "text": "3 of 3"})
    with pytest.raises(EOFError):
        page.read()
    assert page.end == {"outcome": "complete", "text": "3 of 3"}
    assert find_live() == []


def test_sessions_are_found_and_those_that_were_killed_forgotten(session):
    second = Session("session-2")
    assert find_live() == find_live(["session-1"]) == ["session-1", "session-2"]
    second.close()
    dead = new_socket()
    folder = os.open(live_folder(), os.O_RDONLY)
    dead.bind(f"/proc/self/fd/{folder}/session-3.sock")
    dead.close()
    os.close(folder)
    assert find_live() == ["session-1"]
    assert [path.name for path in live_folder().iterdir()] == ["session-1.sock"]
    with pytest.raises(InputError, match="does not run"):
        LiveReader("session-3")


def test_one_that_is_known_is_not_asked_again(session):
    find_live(["session-1"])
    with pytest.raises(BlockingIOError):
        session.link._listening.accept()
    find_live()
    session.link._listening.accept()[0].close()


def test_one_that_ends_while_it_is_looked_for(session, monkeypatch):
    (live_folder() / "gone.sock").symlink_to("nowhere")
    assert find_live() == ["session-1"]


def test_a_folder_that_others_can_enter_is_refused(folder):
    (folder / f"rigloop-live-{os.geteuid()}").mkdir(mode=0o755)
    with pytest.raises(RecordingError, match="not this user's own"):
        LiveLink(VirtualClock(), "x").open(ABOUT)


def test_another_version_is_told(session):
    session.link._hello = pack(Tag.HELLO, {**ABOUT, "wire": 0})
    with pytest.raises(InputError, match="another version"):
        session.page()


def test_notes_of_any_script_reach_a_page_that_comes_late(session):
    """Fifty of them would be longer than a message may be."""
    for k in range(60):
        session.link.note([EventRow(k, "note", 0, "\u4e2d" * 500)])
    page = session.page()
    told = []
    for _ in range(60):
        session.look()
        news, _ = page.read()
        told += [event[0] for event in news.events] if news is not None else []
    assert told == list(range(1, 61))


def test_a_note_of_five_hundred_characters_of_any_script_is_short_enough(session):
    page = session.page()
    assert page.ask({"id": 1, "do": "note", "who": "\U0001f600" * 60, "text": "\U0001f600" * 500})
    session.look()
    assert len(session.asked[0]["text"]) == 500


def test_a_session_is_found_only_once_it_listens(monkeypatch, folder):
    """A page that finds a socket on which nobody listens takes its session for gone, and removes it."""
    found = []

    class Looking(socket.socket):
        def listen(self, backlog):
            found.append(find_live())
            super().listen(backlog)

    monkeypatch.setattr(live_link, "new_socket", lambda: Looking(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    session = Session()
    assert found == [[]]
    assert find_live() == ["session-1"]
    session.close()
    assert list(live_folder().iterdir()) == []


def test_a_page_that_has_no_descriptor_left_says_so(monkeypatch):
    def none():
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("dashboard.live_reader.new_socket", none)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(RecordingError, match="Too many open files"):
        LiveReader("session-1")
    assert len(os.listdir("/proc/self/fd")) == len(before)
