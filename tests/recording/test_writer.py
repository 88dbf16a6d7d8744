"""The writer process's own loop and files, in this process: how it learns that it is alone, and when a disk is full."""

import os
import socket
import threading
from types import SimpleNamespace

import pytest

from recording import writer
from recording.backlog import Backlog, make_backlog_memory
from recording.reader import open_session
from recording.session_files import SessionFiles, WriterSpec
from recording.wire import NO_SLOT, pack_frame
from tests.recording.samples import NAMES, SHAPE, frame_row, image, timing_row

COUNT = 150


def make_spec(folder, **changes):
    options = {
        "image_file": "",
        "slots": 0,
        "reserve_bytes": 0,
        "controller": os.getppid(),
        "image_shape": SHAPE,
        "image_dtype": "uint8",
        "part_names": NAMES,
        "part_prefix": "dff_",
    }
    return WriterSpec(folder=folder, **{**options, **changes})


@pytest.fixture
def backlog():
    handle = make_backlog_memory()
    yield handle
    os.close(handle)


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        # Whoever cannot send fails at once, and does not hang.
        ours.setblocking(False)
        yield ours, theirs


def hand_over(link, count):
    for number in range(1, count + 1):
        for message in pack_frame(NO_SLOT, frame_row(number), timing_row(number), ()):
            link.send(message)


def test_messages_behind_a_reset_connection_are_still_taken(tmp_path, ends, backlog):
    """A controller that dies with replies unread resets the connection; its last messages are there all the same."""
    ours, theirs = ends
    hand_over(ours, COUNT)
    spec = make_spec(tmp_path)
    loop = writer._Writer(theirs, backlog, spec, None, SessionFiles(spec))
    # With nothing more to say, it is the reading that meets the reset.
    loop._post()
    ours.close()
    loop.run()
    assert open_session(tmp_path).frames.frame.tolist() == list(range(1, COUNT + 1))


def test_a_writer_whose_controller_is_gone_ends_though_its_socket_is_held_open(tmp_path, ends, backlog, monkeypatch):
    """As by a forked relative of the controller. First it takes all that was sent."""
    ours, theirs = ends
    monkeypatch.setattr(writer, "FLUSH_S", 0.0)
    hand_over(ours, COUNT)
    spec = make_spec(tmp_path, controller=os.getpid())
    loop = threading.Thread(target=writer._Writer(theirs, backlog, spec, None, SessionFiles(spec)).run, daemon=True)
    loop.start()
    loop.join(20)
    ended = not loop.is_alive()
    ours.close()
    loop.join(20)
    assert ended
    assert open_session(tmp_path).frames.frame.tolist() == list(range(1, COUNT + 1))


def test_what_a_killed_controller_had_no_time_to_send_is_taken_too(tmp_path, ends, backlog):
    """Rows that waited because the disk lagged: in memory that the writer has as well."""
    ours, theirs = ends
    waiting = Backlog(backlog)
    hand_over(ours, COUNT)
    for _ in range(COUNT):
        waiting.note_sent()
    for number in range(COUNT + 1, 3 * COUNT + 1):
        [message] = pack_frame(NO_SLOT, frame_row(number), timing_row(number), ())
        assert waiting.append(message)
    spec = make_spec(tmp_path)
    loop = writer._Writer(theirs, backlog, spec, None, SessionFiles(spec))
    ours.close()
    loop.run()
    assert open_session(tmp_path).frames.frame.tolist() == list(range(1, 3 * COUNT + 1))


@pytest.mark.parametrize("reserve", [0, 20, 80, 500])
def test_images_leave_the_reserve_between_two_flushes(tmp_path, monkeypatch, reserve):
    """At full speed a disk fills before the next flush: it is looked at by bytes, too."""
    n_bytes = image(1).nbytes
    room = 600
    kept = [0]
    with monkeypatch.context() as patch:
        patch.setattr(
            os, "statvfs", lambda path: SimpleNamespace(f_bavail=room - kept[0], f_frsize=n_bytes, f_bfree=room)
        )
        files = SessionFiles(make_spec(tmp_path, image_file="images.hdf5", reserve_bytes=reserve * n_bytes))
        for number in range(1, room + 1):
            files.add(image(number), frame_row(number), timing_row(number), ())
            kept[0] += files.ended is None
        frames, images = files.close()
    assert (frames, images) == (room, kept[0])
    assert reserve - max(1, reserve / 8) <= room - images <= reserve + 1
    assert files.problems == []
    if reserve:
        assert files.ended.cause == "disk_full"
        assert "kept for the log" in files.ended.text
    else:
        assert files.ended is None
    with open_session(tmp_path / "images.hdf5") as session:
        assert session.frames.image.tolist() == [*range(images), *[-1] * (room - images)]
        ends = [event for event in session.events if event.kind == "images_ended"]
    assert [event.detail.partition(":")[0] for event in ends] == ["disk_full"] * (reserve > 0)


def test_a_disk_that_tells_nothing_ends_the_images_and_not_the_log(tmp_path, monkeypatch):
    files = SessionFiles(make_spec(tmp_path, image_file="images.hdf5", reserve_bytes=1))
    files.add(image(1), frame_row(1), timing_row(1), ())

    def statvfs(path):
        raise OSError(5, os.strerror(5))

    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", statvfs)
        files.add(image(2), frame_row(2), timing_row(2), ())
        assert files.close() == (2, 1)
    assert files.problems == []
    assert files.ended.cause == "image_file_failed"
    assert "the disk or card is failing" in files.ended.text
