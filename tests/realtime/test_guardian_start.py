"""A guardian that cannot be started: what was begun is undone, and the error says why."""

import errno
import os
import threading

import pytest

from core.errors import OutputError
from hardware import guard_pair
from hardware.guard import Guard
from hardware.guard_pair import Pair
from hardware.guardian_spec import Orders
from hardware.steps import to_the_end
from tests.support.guarded import lines_in_memory, spec


@pytest.fixture
def started(monkeypatch):
    """The processes that are started while a test runs."""
    spawn, processes = guard_pair._spawn, []

    def note(*words):
        processes.append(spawn(*words))
        return processes[-1]

    monkeypatch.setattr(guard_pair, "_spawn", note)
    yield processes
    for process in processes:
        process.kill()
        process.wait(10)


def files_of(what):
    """Return how many files of a kind this process has open."""
    count = 0
    for each in os.listdir("/proc/self/fd"):
        try:
            count += what in os.readlink(f"/proc/self/fd/{each}")
        except FileNotFoundError:
            # The listing's own.
            continue
    return count


def test_a_watcher_that_cannot_be_started_leaves_no_guardian_and_no_socket(monkeypatch, started, capfd):
    note = guard_pair._spawn

    def fail(module, *words):
        if module.endswith("watcher"):
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return note(module, *words)

    monkeypatch.setattr(guard_pair, "_spawn", fail)
    guard = Guard(spec())
    before = files_of("socket"), files_of("rigloop-life")
    with pytest.raises(OutputError, match=r"cannot be started \(Resource temporarily unavailable\)"):
        guard.start()
    assert [process.returncode is None for process in started] == [False], "it has ended, and was waited for"
    assert (files_of("socket"), files_of("rigloop-life")) == before
    assert guard.pids == ()
    guard.close()
    assert capfd.readouterr().err == ""


def test_a_pair_that_cannot_be_ended_is_let_go_of_and_ends_by_itself(monkeypatch, started, capfd):
    pair = Pair()

    def give_up(*_):
        raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))

    def hang():
        raise OutputError("guardian: process 1 cannot be ended")

    monkeypatch.setattr(guard_pair, "give_orders", give_up)
    monkeypatch.setattr(pair, "end", hang)
    with pytest.raises(OutputError, match="cannot be ended"):
        to_the_end(pair.opening(Orders(spec(), 0.0, 0.0)))
    assert [process.wait(20) for process in started] == [0, 0]
    assert capfd.readouterr().err == "", "no traceback of processes that were never given an order"


def test_where_there_is_no_thread_for_the_sign_of_life_the_start_fails_and_leaves_nothing(monkeypatch, started):
    start = threading.Thread.start

    def fail(thread):
        if thread.name == "rigloop-heartbeat":
            raise RuntimeError("can't start new thread")
        start(thread)

    with lines_in_memory(monkeypatch) as trace:
        guard = Guard(spec())
        monkeypatch.setattr(threading.Thread, "start", fail)
        with pytest.raises(OutputError, match=r"no thread .*can't start new thread.*; end other programs"):
            guard.start()
        assert [process.returncode for process in started] == [0, 0]
        assert guard.pids == ()
        assert not trace.owned
        guard.close()
