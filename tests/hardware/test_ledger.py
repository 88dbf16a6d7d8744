"""The water of the day: what is written is read, days are told apart, damage is tolerated at the end only."""

import errno
import os
import pwd
import threading
import time
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutputError
from hardware.guard import Guard
from hardware.guardian_spec import GuardSpec
from hardware.ledger import Ledger, Opening, check_ledger, hold_ledger
from hardware.ledger_day import DayWater, local_day, read_day, read_together, recent_openings
from hardware.ledger_rows import HEADER, Purpose
from hardware.scribe import Scribe
from hardware.settings import OutputSettings

NOON_NS = 1_700_000_000_000_000_000
DAY_NS = 86_400 * 10**9
TODAY = local_day(NOON_NS)


def write(path, *openings):
    ledger = Ledger(path)
    for opening in openings:
        ledger.add(opening)
    ledger.sync()
    ledger.close()


def test_no_file_is_no_water_and_reading_makes_none(tmp_path):
    path = tmp_path / "M1" / "water.csv"
    assert read_day(path, TODAY).seconds == 0
    check_ledger(path)
    assert not path.parent.exists()


@given(rows=st.lists(st.tuples(st.integers(-2, 2), st.sampled_from(Purpose), st.integers(0, 10**6)), max_size=20))
def test_days_and_purposes_are_told_apart(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("ledger") / "water.csv"
    write(path, *(Opening(NOON_NS + day * DAY_NS, what, us / 1e6, "S1") for day, what, us in rows))
    for day in range(-3, 3):
        water = read_day(path, TODAY + timedelta(days=day))
        for purpose in Purpose:
            expected = sum(us for d, what, us in rows if d >= day and what is purpose) / 1e6
            assert water.by_purpose[purpose] == pytest.approx(expected, abs=1e-9)
        assert water.seconds == pytest.approx(sum(water.by_purpose.values()), abs=1e-9)
        later = sum(d > day for d, _, _ in rows)
        assert water.warning.startswith(f"{later} rows of {path} are dated after" if later else "")
        assert bool(water.warning) == bool(later)


CORRECTED = st.tuples(
    st.integers(-1, 1), st.sampled_from([Purpose.reward, Purpose.free]), st.integers(-(10**6), 10**6),
    st.sampled_from(["", "S1"]),
)  # fmt: skip


@given(rows=st.lists(CORRECTED, max_size=20))
def test_no_correction_takes_off_more_than_its_own_opening_gave(tmp_path_factory, rows):
    """Whatever negative rows there are, a day has at least what its uncorrected openings gave."""
    path = tmp_path_factory.mktemp("ledger") / "water.csv"
    write(path, *(Opening(NOON_NS + day * DAY_NS, what, us / 1e6, session) for day, what, us, session in rows))
    for day in range(-2, 2):
        untouched = 0
        for at, (d, what, us, session) in enumerate(rows):
            following = next((u for _, w, u, s in rows[at + 1 :] if (w, s) == (what, session)), 0)
            untouched += us if d >= day and us > 0 and following >= 0 else 0
        given = sum(us for d, _, us, _ in rows if d >= day and us > 0)
        assert untouched - 1e-6 <= read_day(path, TODAY + timedelta(days=day)).seconds * 1e6 <= given + 1e-6


def test_a_drop_that_was_cut_after_midnight_is_corrected_on_its_own_day(tmp_path):
    path = tmp_path / "water.csv"
    write(path, Opening(NOON_NS - DAY_NS, Purpose.free, 1.0), Opening(NOON_NS, Purpose.reward, 0.3))
    write(path, Opening(NOON_NS, Purpose.free, -0.9))
    assert read_day(path, TODAY).seconds == pytest.approx(0.3)
    assert read_day(path, TODAY - timedelta(days=1)).seconds == pytest.approx(0.4)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_a_whole_last_row_counts_and_stays_whatever_ends_it(tmp_path, end):
    """As an editor or a spreadsheet leaves it."""
    path = tmp_path / "water.csv"
    row = Opening(NOON_NS, Purpose.reward, 0.25).line().strip()
    path.write_bytes(f"{HEADER}\r\n{row}\r\n{row}{end}".encode("utf-8-sig"))
    assert read_day(path, TODAY).seconds == 0.5
    write(path, Opening(NOON_NS, Purpose.reward, 0.5))
    assert read_day(path, TODAY).seconds == 1.0


S = 10**9


@pytest.mark.parametrize(
    ("ago", "now_s", "expected"),
    [
        ([], 100, []),
        ([(9.0, 1.0)], 100, [(91, 92)]),
        ([(11.5, 1.0)], 100, []),
        ([(10.5, 1.0)], 100, [(89.5, 90.5)]),
        ([(9.0, 1.0), (4.0, 0.5), (4.0, -0.3)], 100, [(91, 92), (96, 96.2)]),
        ([(0.2, 1.0)], 100, [(99, 100)]),
        ([(-3600.0, 1.0)], 100, [(99, 100)]),
        ([(8.0, 1.0)], 2, [(-6, -5)]),
    ],
    ids=["none", "within", "before", "half-way", "cut", "killed within it", "the clock was set back", "rebooted"],
)
def test_openings_of_the_last_10_s_are_read_from_the_ledger(tmp_path, ago, now_s, expected):
    """Each row (seconds ago by the time of day, length) comes out on the monotonic clock, ended by now."""
    path = tmp_path / "water.csv"
    write(path, *(Opening(NOON_NS - round(began * S), Purpose.reward, seconds) for began, seconds in ago))
    found = recent_openings([path, tmp_path / "none.csv"], NOON_NS, now_s * S)
    assert [(start / S, end / S) for start, end in found] == [pytest.approx(each, abs=2e-6) for each in expected]


PLACES = st.sampled_from([(0,), (1,), (0, 1)])


@given(rows=st.lists(st.tuples(PLACES, st.integers(0, 2), st.sampled_from([100, 250])), max_size=12))
def test_what_stands_in_one_of_two_ledgers_counts_and_what_stands_in_both_counts_once(tmp_path_factory, rows):
    """The rows of two computers, or of two users; some of them within the same millisecond."""
    paths = [tmp_path_factory.mktemp("ledger") / name for name in ("shared.csv", "copy.csv")]
    for at, path in enumerate(paths):
        write(path, *(Opening(NOON_NS + s * S, Purpose.reward, ms / 1000) for where, s, ms in rows if at in where))
    total = 0
    for s, ms in {row[1:] for row in rows}:
        total += ms * max(sum(at in where and [s, ms] == row for where, *row in rows) for at in (0, 1))
    for order in (paths, paths[::-1]):
        assert read_together(order, TODAY).seconds * 1000 == pytest.approx(total)
        openings = recent_openings(order, NOON_NS + 5 * S, 100 * S)
        assert sum(end - start for start, end in openings) == pytest.approx(total * 1e6, abs=len(rows))


def test_a_correction_that_a_kill_kept_out_of_one_ledger_takes_nothing_off(tmp_path):
    paths = [tmp_path / name for name in ("shared.csv", "copy.csv")]
    for path in paths:
        write(path, Opening(NOON_NS, Purpose.free, 1.0))
    write(paths[0], Opening(NOON_NS + S, Purpose.free, -0.75))
    assert read_together(paths, TODAY).seconds == 1.0
    write(paths[1], Opening(NOON_NS + S, Purpose.free, -0.75))
    assert read_together(paths, TODAY).seconds == 0.25


def test_rows_are_the_same_whatever_offset_their_times_are_written_with(tmp_path):
    """As after a journey, or where a person has edited one of them."""
    rows = ("2023-11-14T22:13:20.000+00:00,free,0.500000,", "2023-11-15T03:43:20.000+05:30,free,0.5,")
    paths = [tmp_path / name for name in ("shared.csv", "copy.csv")]
    for path, row in zip(paths, rows, strict=True):
        path.write_text(f"{HEADER}\n{row}\n")
    assert read_together(paths, date(2023, 11, 14)).seconds == 0.5


def test_two_ledgers_are_read_together_and_the_one_with_a_later_date_is_named(tmp_path):
    shared, copy = tmp_path / "shared.csv", tmp_path / "copy.csv"
    write(shared, Opening(NOON_NS, Purpose.reward, 0.5), Opening(NOON_NS + 3 * DAY_NS, Purpose.free, 0.1))
    write(copy, Opening(NOON_NS, Purpose.reward, 0.5))
    day = read_together([copy, shared], TODAY)
    assert (day.seconds, day.by_purpose[Purpose.free]) == (pytest.approx(0.6), pytest.approx(0.1))
    assert str(shared) in day.warning
    assert str(copy) not in day.warning
    assert sum(end - start for start, end in recent_openings([copy, shared], NOON_NS + S, 100 * S)) == 0.6 * S


def test_each_row_goes_into_both_ledgers_and_one_that_fails_is_told(tmp_path):
    shared, copy = tmp_path / "state" / "M1.csv", tmp_path / "data" / "water.csv"
    scribe = Scribe([shared, copy])
    scribe.add(Opening(NOON_NS, Purpose.reward, 0.5))
    assert scribe.close(10)
    assert [read_day(path, TODAY).seconds for path in (shared, copy)] == [0.5, 0.5]
    copy.unlink()
    copy.mkdir()
    scribe = Scribe([shared, copy])
    scribe.add(Opening(NOON_NS, Purpose.reward, 0.25))
    assert not scribe.close(10)
    assert str(copy) in scribe.problem
    assert read_day(shared, TODAY).seconds == 0.75, "the one that the day is counted by has it"


def test_one_at_a_time_writes_and_the_next_one_reads_all(tmp_path):
    path = tmp_path / "M1" / "water.csv"
    first = Ledger(path, hold_ledger(path))
    with pytest.raises(OutputError, match="still written by another session"):
        hold_ledger(path, 0.01)
    first.add(Opening(NOON_NS, Purpose.reward, 0.25))
    first.close()
    os.close(hold_ledger(path, 0.01))
    assert read_day(path, TODAY).seconds == 0.25


def test_a_ledger_that_was_removed_or_replaced_takes_no_row_in_silence(tmp_path):
    path = tmp_path / "water.csv"
    ledger = Ledger(path, hold_ledger(path))
    path.unlink()
    with pytest.raises(OutputError, match=os.strerror(errno.ENOENT)):
        ledger.add(Opening(NOON_NS, Purpose.reward, 0.25))
    ledger.add(Opening(NOON_NS, Purpose.reward, 0.5))
    ledger.close()
    assert read_day(path, TODAY).seconds == 0.5


def test_rows_do_not_wait_for_a_disk_that_is_busy_with_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "water.csv"
    busy, well = threading.Event(), threading.Event()
    monkeypatch.setattr(os, "fdatasync", lambda file: (busy.set(), well.wait(10)))
    scribe = Scribe([path])
    try:
        scribe.add(Opening(NOON_NS, Purpose.reward, 0.25))
        assert busy.wait(10)
        scribe.add(Opening(NOON_NS, Purpose.reward, 0.5))
        deadline = time.monotonic() + 10
        while read_day(path, TODAY).seconds != 0.75:
            assert time.monotonic() < deadline, "the second row waits for the first one's disk"
        assert not scribe.close(0.01)
    finally:
        well.set()
    assert scribe.close(10)


def test_whatever_goes_wrong_in_writing_is_told_and_no_correction_takes_from_another_row(tmp_path, monkeypatch):
    path = tmp_path / "water.csv"
    scribe = Scribe([path])
    scribe.add(Opening(NOON_NS, Purpose.reward, 0.25))
    deadline = time.monotonic() + 10
    while read_day(path, TODAY).seconds != 0.25:
        assert time.monotonic() < deadline
    with monkeypatch.context() as broken:
        broken.setattr(Opening, "line", lambda self: 1 / 0)
        scribe.add(Opening(NOON_NS, Purpose.reward, 0.5))
        while "ZeroDivisionError" not in scribe.problem:
            assert time.monotonic() < deadline
    scribe.add(Opening(NOON_NS, Purpose.reward, -0.2))
    assert not scribe.close(10)
    assert read_day(path, TODAY).seconds == 0.25


def test_the_file_is_plain(tmp_path):
    path = tmp_path / "M1" / "water.csv"
    write(path, Opening(NOON_NS, Purpose.reward, 0.25, "2026-11-21_M1"))
    write(path, Opening(NOON_NS, Purpose.free, -0.1))
    header, first, second = path.read_text().splitlines()
    assert header == HEADER
    assert first.endswith(",reward,0.250000,2026-11-21_M1")
    assert second.endswith(",free,-0.100000,")


@pytest.mark.parametrize("tail", ["2026-11-21T10:0", "x", "\0\0\0\0"])
def test_a_row_that_was_never_finished_is_taken_off(tmp_path, tail):
    path = tmp_path / "water.csv"
    write(path, Opening(NOON_NS, Purpose.reward, 0.25))
    with path.open("a") as file:
        file.write(tail)
    assert read_day(path, TODAY).seconds == 0.25
    write(path, Opening(NOON_NS, Purpose.reward, 0.5))
    assert read_day(path, TODAY).seconds == 0.75
    assert tail not in path.read_text()


@pytest.mark.parametrize(
    "row", ["nonsense", "2026-11-21T10:00:00+00:00,tea,0.1,", "2026-11-21,reward,much,", "a,b",
            "2026-11-21,reward,nan,", "2026-11-21,free,1e400,"],
)  # fmt: skip
def test_damage_elsewhere_is_named(tmp_path, row):
    path = tmp_path / "water.csv"
    write(path, Opening(NOON_NS, Purpose.reward, 0.25))
    with path.open("a") as file:
        file.write(row + "\n")
    for use in (lambda: read_day(path, TODAY), lambda: check_ledger(path)):
        with pytest.raises(OutputError, match=r"water\.csv, line 3 is damaged .*remove the line"):
            use()


def test_a_day_without_water_has_every_purpose():
    assert DayWater(0.0, dict.fromkeys(Purpose, 0.0)).by_purpose.keys() == set(Purpose)


def test_a_full_disk_is_named_and_leaves_whole_rows(tmp_path, monkeypatch):
    path = tmp_path / "water.csv"
    ledger = Ledger(path)
    ledger.add(Opening(NOON_NS, Purpose.reward, 0.25))
    real_write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real_write(file, data[:10]))
    with pytest.raises(OutputError, match=os.strerror(errno.ENOSPC)):
        ledger.add(Opening(NOON_NS, Purpose.reward, 0.5))
    monkeypatch.undo()
    ledger.add(Opening(NOON_NS, Purpose.reward, 1.0))
    ledger.close()
    assert read_day(path, TODAY).seconds == 1.25


def test_a_folder_in_the_way_is_named(tmp_path):
    with pytest.raises(OutputError, match="cannot read"):
        read_day(tmp_path, TODAY)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write(tmp_path / "file" / "water.csv", Opening(NOON_NS, Purpose.reward, 0.25))


def test_a_ledger_that_is_anothers_is_named_with_its_owner_and_how_to_get_it(tmp_path, monkeypatch):
    """As after ``sudo rigloop water``: the folder is this user's, the file is root's."""
    path = tmp_path / "water.csv"
    write(path, Opening(NOON_NS, Purpose.reward, 0.25))
    owner = pwd.getpwuid(path.stat().st_uid).pw_name
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="give this user the right to that folder"):
        check_ledger(path)
    monkeypatch.setattr(os, "geteuid", lambda: 123456)
    told = rf"water\.csv cannot be written; it is the file of {owner}: sudo chown 123456 {path}$"
    with pytest.raises(OutputError, match=told):
        check_ledger(path)
    with pytest.raises(OutputError, match="give this user the right to that folder"):
        check_ledger(tmp_path / "M2" / "water.csv")


def test_the_client_refuses_what_is_over_the_days_bound_at_once(tmp_path, monkeypatch):
    path = tmp_path / "water.csv"
    monkeypatch.setattr("core.clock.MonotonicClock.wall_ns", lambda self: NOON_NS)
    write(path, Opening(NOON_NS, Purpose.flush, 119.5))
    guard = Guard(GuardSpec(outputs=OutputSettings(max_day_water_s=120), ledger=path))
    with pytest.raises(OutputError, match="max_day_water_s is 120"):
        guard.valve.pulse(0.6, 0)
