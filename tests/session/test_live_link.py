"""What a page sees of a session through their link, and what the session takes from it."""

import os
import socket

import numpy as np
import pytest

from core.errors import InputError
from dashboard.live_reader import Refused, find_live
from recording.schema import EventRow
from session import live_link
from session.live_link import CONTROLS_AT_A_TIME
from session.live_wire import CONTROL_BYTES, PAGES, ROWS, SLOTS, live_folder, new_socket
from tests.support.live import ABOUT
from tests.support.shown_session import folder as folder
from tests.support.shown_session import session as session

pytestmark = pytest.mark.usefixtures("folder")


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


def test_a_note_of_five_hundred_characters_of_any_script_is_short_enough(session):
    page = session.page()
    assert page.ask({"id": 1, "do": "note", "who": "\U0001f600" * 60, "text": "\U0001f600" * 500})
    session.look()
    assert len(session.asked[0]["text"]) == 500
