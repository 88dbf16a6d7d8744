"""Small parts of the guardian: messages, the outbox, silence, the memory board, reports, real time, the Pi's kernel."""

import fcntl
import itertools
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutputError
from hardware.board import Board, OutputLine
from hardware.boards import make_board
from hardware.bounds import last_openings
from hardware.guard import Guard
from hardware.guard_link import as_report
from hardware.guardian_life import Life, Silence, Who, make_life_memory
from hardware.guardian_spec import GuardSpec
from hardware.guardian_wire import Kind, Message, Outbox, pack, unpack
from hardware.memory_board import TRACE_VARIABLE, MemoryBoard, MemoryTrace
from hardware.persist import Persist, describe_persist, read_persist
from hardware.realtime import become_realtime, pin_to_core, rights_cure, user_name
from hardware.settings import BoardKind, PinSettings

MS = 1_000_000
NS = st.integers(-(2**62), 2**62)
PINS = PinSettings(output_board=BoardKind.memory, pin_sync=4)


@given(
    st.builds(
        Message, st.sampled_from(Kind), st.sampled_from(OutputLine), st.booleans(), st.integers(0, 2**32 - 1), NS, NS,
        st.text(max_size=300),
    )
)  # fmt: skip
def test_a_message_comes_back(message):
    assert unpack(pack(message)) == message


@pytest.mark.parametrize("packet", [b"x", pack(Message(Kind.SET))[:-1], b"\xff" * 24, b"\x02\x63" + bytes(22)])
def test_what_is_no_message_is_an_error(packet):
    with pytest.raises(OutputError, match="cannot be read"):
        unpack(packet)


def test_an_outbox_never_waits_keeps_the_order_and_counts_what_it_lost():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.setblocking(False)
        outbox = Outbox(ours)
        for number in range(10_000):
            outbox.put(Message(Kind.EDGE, number=number))
        heard = []
        for _ in range(10_000):
            try:
                heard.append(unpack(theirs.recv(4096)))
            except BlockingIOError:
                outbox.post(5)
        lost = heard.pop()
        assert [m.number for m in heard] == list(range(len(heard)))
        assert len(heard) > 4096
        assert (lost.kind, lost.number) == (Kind.LOST, 10_000 - len(heard))
        theirs.close()
        outbox.put(Message(Kind.EDGE))


def test_silence_is_the_time_that_the_looker_was_awake():
    silence = Silence(20 * MS)
    assert silence.look(1, 0) == 0
    assert silence.look(1, 5 * MS) == 5 * MS
    assert silence.look(1, 1000 * MS) == 25 * MS, "the whole machine stood still"
    assert silence.look(2, 1005 * MS) == 0
    assert silence.look(2, 1010 * MS) == 5 * MS
    silence.heard()
    assert silence.look(2, 1015 * MS) == 5 * MS


def test_life_is_seen_through_another_map_of_the_page():
    memory = make_life_memory()
    one, other = Life(memory), Life(memory)
    os.close(memory)
    one.beat(Who.GUARDIAN)
    assert [other.count(who) for who in Who] == [0, 1, 0, 0]
    for life in (one, other, one):
        life.close()


@pytest.mark.parametrize(
    ("message", "kind", "detail"),
    [
        (Message(Kind.EDGE, OutputLine.VALVE, True, 3, 7), "edge", "valve 1"),
        (Message(Kind.EDGE, OutputLine.SYNC, False, 0, 7), "sync", "0"),
        (Message(Kind.CUT, number=3, a=7, b=250 * MS, text="why"), "water_cut", "drop 3 closed after 0.250000 s: why"),
        (Message(Kind.DROPPED, number=4, a=7, text="why"), "water_cut", "drop 4 not given: why"),
        (Message(Kind.WAIT, number=4, a=7, b=1500 * MS), "water_wait", "drop 4 waits 1.500 s, as the bounds ask"),
        (Message(Kind.REFUSED, number=4, a=7, text="why"), "refused", "why"),
        (Message(Kind.LEDGER, number=4, a=7, text="why"), "ledger", "why"),
        (Message(Kind.TAKEN, a=7, text="the guardian hung"), "lines_low", "the guardian hung"),
        (Message(Kind.LOST, number=9, a=7), "reports_lost", "9 reports of the outputs found no room"),
    ],
)
def test_what_the_log_is_told(message, kind, detail):
    assert as_report(message) == (7, kind, detail)


class TestMemoryBoard:
    @pytest.fixture
    def trace(self, tmp_path):
        trace = MemoryTrace.create(tmp_path / "lines")
        yield trace
        trace.close()

    def test_the_factory_makes_it_on_the_file_that_the_environment_names(self, tmp_path, trace, monkeypatch):
        monkeypatch.setenv(TRACE_VARIABLE, str(tmp_path / "lines"))
        board: Board = make_board(PINS)
        board.write(OutputLine.VALVE, True, 5)
        board.alive()
        assert trace.is_high(OutputLine.VALVE)
        (edge,) = trace.edges(OutputLine.VALVE)
        assert (edge.high, edge.at_most_ns) == (True, 5)
        board.close()
        board.close()
        assert not trace.is_high(OutputLine.VALVE)
        assert trace.edges() == trace.edges(OutputLine.VALVE)
        for use in (board.alive, lambda: board.write(OutputLine.VALVE, True)):
            with pytest.raises(OutputError, match="closed"):
                use()

    def test_lines_are_busy_while_somebody_drives_them(self, tmp_path, trace):
        assert not trace.owned
        board = MemoryBoard(PINS, tmp_path / "lines")
        assert trace.owned
        with pytest.raises(OutputError, match="busy; end the program"):
            MemoryBoard(PINS, tmp_path / "lines")
        board.close()
        MemoryBoard(PINS, tmp_path / "lines").close()

    @pytest.mark.parametrize("persist", [True, False])
    def test_a_killed_owner_leaves_levels_only_where_the_kernel_keeps_them(self, tmp_path, persist):
        trace = MemoryTrace.create(tmp_path / "kept", persist=persist)
        board = MemoryBoard(PINS, tmp_path / "kept")
        board.write(OutputLine.VALVE, True)
        assert trace.is_high(OutputLine.VALVE)
        fcntl.flock(board._file, fcntl.LOCK_UN)
        assert trace.is_high(OutputLine.VALVE) is persist
        MemoryBoard(PINS, tmp_path / "kept").close()
        assert not trace.is_high(OutputLine.VALVE)
        trace.close()

    def test_it_fails_when_told_to(self, tmp_path):
        MemoryTrace.create(tmp_path / "failing", fail_on=2).close()
        board = MemoryBoard(PINS, tmp_path / "failing")
        board.write(OutputLine.VALVE, True)
        with pytest.raises(OutputError, match="write 2"):
            board.write(OutputLine.VALVE, False)
        board.close()
        assert not board.is_high(OutputLine.VALVE)

    def test_more_edges_than_it_holds_leave_the_last(self):
        times = iter(range(5000))
        board = MemoryBoard(PINS, now_ns=lambda: next(times))
        for k in range(3000):
            board.write(OutputLine.SYNC, k % 2 == 0)
        assert [edge.time_ns for edge in board.edges()] == list(range(3000 - 1024, 3000))

    def test_a_file_that_is_none_is_refused(self, tmp_path):
        (tmp_path / "text").write_text("no trace")
        for name in ("text", "nowhere"):
            with pytest.raises(OutputError, match=r"MemoryTrace\.create"):
                MemoryBoard(PINS, tmp_path / name)


class TestPersist:
    @pytest.mark.parametrize(
        ("texts", "is_"),
        [
            ({}, Persist.unknown),
            ({"bcm2835": "Y\n"}, Persist.kept),
            ({"bcm2835": "1"}, Persist.kept),
            ({"bcm2835": "N\n"}, Persist.dropped),
            ({"bcm2835": "?"}, Persist.unknown),
            ({"rp1": "Y\n"}, Persist.kept),
            ({"bcm2835": "N\n", "rp1": "Y\n"}, Persist.kept),
            ({"bcm2835": "Y\n", "rp1": "N\n"}, Persist.kept),
            ({"bcm2835": "N\n", "rp1": "N\n"}, Persist.dropped),
            ({"bcm2835": "?", "rp1": "N\n"}, Persist.unknown),
        ],
    )
    def test_the_parameters_are_read(self, tmp_path, texts, is_):
        for driver, text in texts.items():
            folder = tmp_path / f"pinctrl_{driver}" / "parameters"
            folder.mkdir(parents=True)
            (folder / "persist_gpio_outputs").write_text(text)
        assert read_persist(tmp_path) is is_

    def test_the_cure_is_named_where_there_is_something_to_cure(self):
        assert "dtparam=strict_gpiod" in describe_persist(Persist.kept)
        assert "strict" not in describe_persist(Persist.dropped)

    @pytest.mark.parametrize("persist", Persist)
    def test_what_goes_past_the_kernel_stays_high_whatever_the_parameter_says(self, persist):
        text = describe_persist(persist, mapped=True)
        assert "stays high" in text
        assert "rpi_lgpio" in text
        assert "strict_gpiod" not in text


def test_a_core_that_is_not_there_is_refused_with_those_that_are():
    before = os.sched_getaffinity(0)
    assert "choose one of" in pin_to_core(4000)
    assert pin_to_core(-1) == ""
    assert os.sched_getaffinity(0) == before


def test_a_right_is_asked_for_in_the_name_of_the_user_who_lacks_it(monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert "write 'root - rtprio 90' into /etc/security/limits.d/rigloop.conf" in become_realtime(10)
    assert "write 'anna - memlock unlimited' into" in rights_cure("memlock unlimited", "anna")
    assert user_name(2**31 - 7) == "2147483641:2147483641", "a container's user may have no name"


def test_a_guard_that_was_not_started_refuses_and_closes():
    guard = Guard(GuardSpec(PINS))
    with pytest.raises(OutputError, match="call start"):
        guard.valve.pulse(0.1, 0)
    assert guard.reports() == ()
    guard.close()
    guard.close()


def test_what_is_kept_of_past_openings_is_all_that_the_duty_knows_of_and_fits_into_a_message():
    now = 100 * 1000 * MS
    pulses = [(t, t + 10 * MS) for t in range(0, now, 20 * MS)]
    assert last_openings(pulses[::100], now) == [pulse for pulse in pulses[::100] if pulse[1] > now - 10_000 * MS]
    kept = last_openings(pulses, now)
    assert len(kept) < 300
    assert sum(end - start for start, end in kept) == 500 * 10 * MS
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(kept))
    assert kept[0][0] >= now - 10_000 * MS
