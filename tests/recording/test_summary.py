"""The summary table: whole rows under the right header, whoever writes."""

import csv
import errno
import os
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import local_datetime
from core.errors import RecordingError
from recording.summary import COLUMNS, SummaryRow, append_summary, check_summary

START = 1_700_000_000_141_333_000
ROW = SummaryRow(
    "M1", "S1", "/data/M1/20231114221320/S1", START, START + 32_866_635_000, 15.000014452346582, 6.0, 15.0, 18, 0.1, 2,
    1.0, "normal_audio_normal_reward", "complete",
)  # fmt: skip


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_new_file_has_clopys_columns_and_the_outcome(tmp_path):
    path = tmp_path / "summary.csv"
    assert check_summary(path) == ""
    append_summary(path, ROW)
    append_summary(path, ROW._replace(outcome="aborted"))
    assert check_summary(path) == ""
    header, first, second = read(path)
    assert tuple(header) == COLUMNS
    at = local_datetime(START // 10**9 * 10**9)
    assert first[:4] == ["M1", "S1", ROW.data_path, f"{at:%Y-%m-%d %H:%M:%S}.141333"]
    assert first[5:] == [
        "32.866635", "15.000014452346582", "90", "18", "0.1", "2", "1.0", "normal_audio_normal_reward", "complete",
    ]  # fmt: skip
    assert second[-1] == "aborted"


def test_the_columns_are_those_of_clopys_own_table(shared_data):
    path = shared_data / "clopy" / "sessions" / "1roi" / "expt_1roi_trial_summary.csv"
    assert read(path)[0] == list(COLUMNS[:-1])
    assert "CLoPy's columns" in check_summary(path)


@pytest.mark.parametrize("header", [",".join(COLUMNS[:-1]), "a,b", "\x00"])
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
    assert read(path)[2][-1] == "complete"
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
    assert "cannot read" in check_summary(tmp_path)
