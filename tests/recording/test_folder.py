"""Session folders and session.json."""

import errno
import json
import os
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import local_datetime
from core.errors import InputError, RecordingError, SourceError
from recording.folder import check_space, create_session_folder, read_session_json, write_session_json

START = 1_700_000_000_250_000_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_the_folder_is_clopys_and_never_used_twice(tmp_path):
    folders = [create_session_folder(tmp_path / "new" / "root", "M1", START) for _ in range(3)]
    stamps = [f"{local_datetime(START + second * 10**9):%Y%m%d%H%M%S}" for second in range(3)]
    assert folders == [tmp_path / "new" / "root" / "M1" / stamp / "S1" for stamp in stamps]
    assert all(folder.is_dir() and not list(folder.iterdir()) for folder in folders)


@pytest.mark.parametrize("mouse", ["", ".", "..", "a/b", "a\nb", " a", "a" * 300])
def test_names_that_are_no_folder(tmp_path, mouse):
    with pytest.raises(InputError, match=r"use letters|shorter name"):
        create_session_folder(tmp_path, mouse, START)


def test_a_file_in_the_way_and_a_root_that_cannot_be_made(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(RecordingError, match="set data_root"):
        create_session_folder(tmp_path / "data", "M1", START)
    with pytest.raises(RecordingError, match="cannot make a session folder in /proc"):
        create_session_folder(tmp_path.__class__("/proc/rigloop"), "M1", START)


def test_a_clock_that_stands_still_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("recording.folder._TRIES", 1)
    create_session_folder(tmp_path, "M1", START)
    with pytest.raises(InputError, match="check the clock"):
        create_session_folder(tmp_path, "M1", START)


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_json_comes_back(tmp_path_factory, meta):
    folder = tmp_path_factory.mktemp("s")
    write_session_json(folder, {"old": 1})
    write_session_json(folder, meta)
    assert read_session_json(folder) == meta
    assert [path.name for path in folder.iterdir()] == ["session.json"]


def test_no_number_becomes_null(tmp_path):
    write_session_json(tmp_path, {"a": float("nan"), "b": [1.5, float("inf")], "c": (1, 2)})
    text = (tmp_path / "session.json").read_text()
    assert json.loads(text) == {"a": None, "b": [1.5, None], "c": [1, 2]}


def test_errors_name_the_file(tmp_path):
    with pytest.raises(RecordingError, match=r"cannot write .*session.json: No such file"):
        write_session_json(tmp_path / "missing", {})
    with pytest.raises(SourceError, match=r"cannot read .*session.json: No such file .*; check the path"):
        read_session_json(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("settings", ""), ("settings", True), ("counts", "a"), ("devices", []), ("software", 3), ("seeds", 0),
        ("simulation", False), ("calibration", [1]), ("resumes", "S1"), ("started_wall_ns", 10**30),
        ("started_wall_ns", float("inf")), ("started_wall_ns", 1.5), ("first_frame_ns", True), ("first_frame_ns", "0"),
    ],
)  # fmt: skip
def test_values_that_nobody_could_use_are_named(tmp_path, key, value):
    path = tmp_path / "session.json"
    path.write_text(json.dumps({"mouse": "M1", key: value}))
    with pytest.raises(SourceError, match=rf'session\.json: "{key}" is .*, not an? .*; restore it') as told:
        read_session_json(tmp_path)
    assert "\n" not in str(told.value)
    path.write_text(json.dumps({key: None}))
    assert read_session_json(tmp_path) == {key: None}


@pytest.mark.parametrize("free", [0, 99, 100, 101])
@pytest.mark.parametrize("where", [".", "new/root"])
def test_space_is_looked_for_before_anything_is_made(tmp_path, monkeypatch, free, where):
    looked = []

    def statvfs(path):
        looked.append(path)
        return SimpleNamespace(f_bavail=free, f_frsize=10**6, f_bfree=10**9)

    monkeypatch.setattr(os, "statvfs", statvfs)
    problem = check_space(tmp_path / where, 100 * 10**6)
    assert looked == [tmp_path]
    assert (problem == "") == (free >= 100)
    if problem:
        assert f"{tmp_path / where}: {free} MB are free on that disk; 100 MB are kept for the log" in problem
        assert "set data_root to another disk" in problem
    assert list(tmp_path.iterdir()) == []


def test_space_that_cannot_be_looked_for_is_a_problem(tmp_path, monkeypatch):
    def statvfs(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    assert check_space(tmp_path, 1) == ""
    monkeypatch.setattr(os, "statvfs", statvfs)
    assert "the disk or card is failing" in check_space(tmp_path, 1)
