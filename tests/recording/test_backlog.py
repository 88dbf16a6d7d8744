"""The queue of messages that outlives its process."""

import os
from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from recording.backlog import Backlog, left_behind, make_backlog_memory

HALF = 2048


@pytest.fixture
def memory():
    handle = make_backlog_memory(HALF)
    yield handle
    os.close(handle)


def test_what_waits_is_found_by_who_has_the_memory(memory):
    backlog = Backlog(memory, HALF)
    for message in (b"one", b"", b"three"):
        assert backlog.append(message)
    assert left_behind(memory, 0, HALF) == [b"one", b"", b"three"]
    assert left_behind(memory, 2, HALF) == [b"three"], "the first two had arrived"
    assert left_behind(memory, 3, HALF) == []


def test_no_more_than_half_of_a_half_waits(memory):
    backlog = Backlog(memory, HALF)
    taken = 0
    while backlog.append(b"x" * 84):
        taken += 1
    assert taken == len(backlog) == HALF // 2 // 100
    assert left_behind(memory, 0, HALF) == [b"x" * 84] * taken


@pytest.mark.parametrize("cut", range(1, 20, 3))
def test_an_entry_cut_short_by_the_kill_is_left_out(memory, cut):
    backlog = Backlog(memory, HALF)
    backlog.append(b"whole")
    before = os.pread(memory, 2 * HALF, 0)
    backlog.append(b"cut")
    begin = 16 + len(b"whole")
    os.pwrite(memory, before[begin + cut :], begin + cut)
    if cut < 19:
        assert left_behind(memory, 0, HALF) == [b"whole"]


def test_nothing_waits_in_new_memory(memory):
    assert left_behind(memory, 0, HALF) == []
    with pytest.raises(IndexError):
        Backlog(memory, HALF).first()


class Queue(RuleBasedStateMachine):
    """Against a deque: the writer finds at any time what waits, and nothing else."""

    def __init__(self):
        super().__init__()
        self.handle = make_backlog_memory(HALF)
        self.backlog = Backlog(self.handle, HALF)
        self.model = deque()
        self.sent = 0

    def teardown(self):
        self.backlog.close()
        os.close(self.handle)

    @rule(message=st.binary(max_size=300))
    def append(self, message):
        room = sum(16 + len(each) for each in (*self.model, message)) <= HALF // 2
        assert self.backlog.append(message) == room
        if room:
            self.model.append(message)

    @precondition(lambda self: self.model)
    @rule(count=st.integers(1, 5))
    def send(self, count):
        for _ in range(min(count, len(self.model))):
            assert self.backlog.first() == self.model.popleft()
            self.backlog.pop()
            self.sent += 1

    @precondition(lambda self: not self.model)
    @rule()
    def send_at_once(self):
        self.backlog.note_sent()
        self.sent += 1

    @invariant()
    def the_writer_finds_what_waits(self):
        assert len(self.backlog) == len(self.model)
        assert left_behind(self.handle, self.sent, HALF) == list(self.model)


Queue.TestCase.settings = settings(max_examples=60, stateful_step_count=60)
TestQueue = Queue.TestCase
