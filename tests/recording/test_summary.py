"""The summary table: whole rows under the right header, whoever writes."""

import csv
import errno
import fcntl
import os
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import VirtualClock, local_datetime
from core.errors import RecordingError
from recording.summary import COLUMNS, LOCK_S, MOVEMENT_COLUMNS, OLD_COLUMNS, SummaryRow, append_summary, check_summary

START = 1_700_000_000_141_333_000
ROW = SummaryRow(
    "M1", "S1", "/data/M1/20231114221320/S1", START, START + 32_866_635_000, 32.866635,
    15.000014452346582, 6.0, 15.0, 18, 0.1, 2, 1.0, "normal_audio_normal_reward", "complete", 0.6, 1.25,
)  # fmt: skip


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_new_file_has_clopys_columns_the_outcome_and_water(tmp_path):
    path = tmp_path / "summary.csv"
    assert check_summary(path) == ""
    append_summary(path, ROW)
    append_summary(path, ROW._replace(outcome="aborted", day_water_s=None))
    assert check_summary(path) == ""
    header, first, second = read(path)
    assert tuple(header) == COLUMNS
    at = local_datetime(START // 10**9 * 10**9)
    assert first[:4] == ["M1", "S1", ROW.data_path, f"{at:%Y-%m-%d %H:%M:%S}.141333"]
    assert first[5:] == [
        "32.866635", "15.000014452346582", "90", "18", "0.1", "2", "1.0", "normal_audio_normal_reward", "complete",
        "0.6", "1.25",
    ]  # fmt: skip
    assert header[-2:] == ["water_s", "day_water_s"]
    assert second[-3:] == ["aborted", "0.6", ""]


MOVEMENT = ROW._replace(kind="clmf", start_radius_px=14.0, target_radius_px=20.6)


def test_movement_sessions_have_a_table_of_their_own(tmp_path):
    path = tmp_path / "summary.csv"
    assert check_summary(path, "clmf") == ""
    append_summary(path, MOVEMENT)
    append_summary(path, MOVEMENT._replace(start_radius_px=float("nan")))
    assert check_summary(path, "clmf") == ""
    header, first, second = read(path)
    assert tuple(header) == MOVEMENT_COLUMNS
    assert first[5:] == [
        "32.866635", "15.000014452346582", "18", "14", "21", "2", "1.0", "normal_audio_normal_reward", "complete",
        "0.6", "1.25",
    ]  # fmt: skip
    assert second[8] == "0"


@pytest.mark.parametrize(("there", "comes", "words"), [(ROW, MOVEMENT, "neurofeedback"), (MOVEMENT, ROW, "movement")])
def test_a_table_of_the_other_kind_is_refused(tmp_path, there, comes, words):
    path = tmp_path / "summary.csv"
    append_summary(path, there)
    before = path.read_bytes()
    problem = check_summary(path, comes.kind)
    assert f"is a table of {words} sessions" in problem
    assert "set summary_file to another name" in problem
    with pytest.raises(RecordingError, match="set summary_file to another name"):
        append_summary(path, comes)
    assert path.read_bytes() == before


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_without_water_keeps_its_width(tmp_path, end):
    path = tmp_path / "summary.csv"
    path.write_text(",".join(OLD_COLUMNS) + end, newline="")
    assert check_summary(path) == ""
    append_summary(path, ROW)
    append_summary(path, ROW._replace(outcome="aborted"))
    header, first, second = read(path)
    assert len(header) == len(first) == len(second) == len(OLD_COLUMNS)
    assert (first[-1], second[-1]) == ("complete", "aborted")
    assert first[10] == "2"


def test_the_columns_are_those_of_clopys_own_table(shared_data):
    path = shared_data / "clopy" / "sessions" / "1roi" / "expt_1roi_trial_summary.csv"
    assert read(path)[0] == list(COLUMNS[:-3])
    assert "CLoPy's columns" in check_summary(path)


def test_the_columns_of_movement_are_those_of_clopys_own_table(tmp_path, shared_data):
    source = shared_data / "clopy" / "sessions" / "clmf" / "expt_dlclive_summary.csv"
    header, theirs = read(source)
    assert header == list(MOVEMENT_COLUMNS[:-3])
    path = tmp_path / "summary.csv"
    path.write_bytes(source.read_bytes())
    assert "CLoPy's columns" in check_summary(path, "clmf")
    # 4 and 6 mm at 3.5 px/mm, as in its config.
    own = tmp_path / "own.csv"
    append_summary(own, MOVEMENT._replace(start_radius_px=4 * 3.5, target_radius_px=6 * 3.5))
    ours = read(own)[1]
    assert (ours[8], ours[9]) == (theirs[8], theirs[9])
    assert [type_of(cell) for cell in ours[:-3]] == [type_of(cell) for cell in theirs]


def type_of(cell):
    """What a cell reads as."""
    return int if cell.isdigit() else float if cell.replace(".", "").isdigit() else str


@pytest.mark.parametrize("header", [",".join(COLUMNS[:-1]), ",".join(COLUMNS[:-3]), "a,b", "\x00"])
def test_other_columns_are_never_written_under(tmp_path, header):
    path = tmp_path / "summary.csv"
    path.write_text(header + "\n1,2\n")
    assert "set summary_file to another name" in check_summary(path)
    with pytest.raises(RecordingError, match="set summary_file to another name"):
        append_summary(path, ROW)
    assert path.read_text() == header + "\n1,2\n"


def test_a_row_cut_short_does_not_swallow_the_next(tmp_path):
    path = tmp_path / "summary.csv"
    append_summary(path, ROW)
    path.write_text(path.read_text()[:-20])
    append_summary(path, ROW)
    assert read(path)[2][-3] == "complete"
    assert len(read(path)) == 3


def test_rigs_take_turns(tmp_path):
    path = tmp_path / "summary.csv"
    rigs = [
        threading.Thread(target=lambda n=n: [append_summary(path, ROW._replace(mouse_id=f"M{n}")) for _ in range(20)])
        for n in range(4)
    ]
    for rig in rigs:
        rig.start()
    for rig in rigs:
        rig.join()
    rows = read(path)
    assert len(rows) == 81
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert sum(row[0] == "mouse_id" for row in rows) == 1


@given(st.text(), st.floats(), st.integers(0, 99))
def test_any_text_and_number_stay_in_their_cells(tmp_path_factory, text, number, rewards):
    path = tmp_path_factory.mktemp("s") / "summary.csv"
    row = ROW._replace(mouse_id=text.replace("\x00", ""), fps=number, framerate=number, rewards=rewards)
    append_summary(path, row)
    append_summary(path, row)
    _, first, second = read(path)
    assert first == second
    assert len(first) == len(COLUMNS)
    assert first[6] == repr(number)
    assert first[10] == str(rewards)


def test_a_full_disk_leaves_the_table_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "summary.csv"
    append_summary(path, ROW)
    before = path.read_bytes()
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: write(handle, data[:10]))
        with pytest.raises(RecordingError, match="free space"):
            append_summary(path, ROW)
    assert path.read_bytes() == before
    with pytest.raises(RecordingError, match=re.escape(os.strerror(errno.ENOENT))):
        append_summary(tmp_path / "missing" / "summary.csv", ROW)
    with pytest.raises(RecordingError):
        append_summary(tmp_path, ROW)


def test_a_file_held_by_another_process_ends_in_an_error(tmp_path):
    path = tmp_path / "summary.csv"
    append_summary(path, ROW)
    before = path.read_bytes()
    clock = VirtualClock()
    start = clock.now_ns()
    # Another opening of the file is another owner to flock, as another process is.
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        with pytest.raises(RecordingError, match=r"cannot write .*summary\.csv: another process .*'fuser "):
            append_summary(path, ROW, clock)
    assert LOCK_S <= (clock.now_ns() - start) / 1e9 < LOCK_S + 0.1
    assert path.read_bytes() == before
    append_summary(path, ROW, clock)
    assert len(read(path)) == 3


def test_a_turn_that_comes_in_time_is_taken(tmp_path):
    path = tmp_path / "summary.csv"
    path.touch()
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        class Release(VirtualClock):
            def sleep_until_ns(self, time_ns):
                super().sleep_until_ns(time_ns)
                if self.now_ns() > 6_000_000_000:
                    fcntl.flock(other, fcntl.LOCK_UN)

        append_summary(path, ROW, Release())
    assert len(read(path)) == 2


def test_where_a_folder_is_missing_its_own_error_says_it(tmp_path):
    (tmp_path / "file").write_text("")
    assert check_summary(tmp_path / "missing" / "summary.csv") == ""
    assert check_summary(tmp_path / "file" / "summary.csv") == ""


def make_folder(path):
    path.mkdir()


def make_pipe(path):
    os.mkfifo(path)


def make_circle(path):
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "cure"),
    [
        (make_folder, "set summary_file to another name"),
        (make_pipe, "set summary_file to another name"),
        (make_circle, "give another name"),
    ],
)
def test_what_is_no_file_is_told_before_a_session(tmp_path, make, cure):
    path = tmp_path / "summary.csv"
    make(path)
    assert cure in check_summary(path)
    with pytest.raises(RecordingError):
        append_summary(path, ROW)


def test_a_table_that_cannot_be_added_to_is_told_before_a_session(tmp_path, monkeypatch):
    path = tmp_path / "summary.csv"
    append_summary(path, ROW)
    opened = os.open

    def read_only(name, flags, *rest, **more):
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(name, flags, *rest, **more)

    # Root may write to any file, so the system's refusal is made here.
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", read_only)
        assert "give this user the right to write there" in check_summary(path)
    assert "give a shorter name" in check_summary(tmp_path / ("a" * 300))
