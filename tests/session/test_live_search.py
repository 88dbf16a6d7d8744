"""How pages find the sessions that run on a machine."""

import os
import socket

import pytest

from core.clock import VirtualClock
from core.errors import InputError, RecordingError
from dashboard.live_reader import LiveReader, find_live
from session import live_link
from session.live_link import LiveLink
from session.live_wire import Tag, live_folder, new_socket, pack
from tests.support.live import ABOUT
from tests.support.shown_session import Session
from tests.support.shown_session import folder as folder
from tests.support.shown_session import session as session

pytestmark = pytest.mark.usefixtures("folder")


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
