"""Files in CLoPy's format: where they are written, and what is never overwritten."""

import os
import re

import pytest

from core.errors import InputError, RecordingError, SourceError
from recording.clopy import ClopyExport, export_clopy, write_clopy_files
from recording.reader import open_session
from tests.recording.clopy_sessions import log_of, make_session
from tests.recording.samples import frame_row


@pytest.mark.parametrize("meta", [{}, {"settings": None}, {"experiment": "mine"}])
def test_metadata_may_be_absent(tmp_path, meta):
    folder = tmp_path / "20240102030405" / "S1"
    folder.mkdir(parents=True)
    with make_session(folder, [frame_row(1), frame_row(2)], meta=meta) as session:
        assert export_clopy(session, tmp_path / "out") == ClopyExport(2, 0)
    assert log_of(tmp_path / "out")[1][1] == "2024-01-02 03:04:05.000000"
    assert not (tmp_path / "out" / "image_stream.hdf5").exists()


def test_export_appears_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    out = tmp_path / "out"
    with make_session(folder, [frame_row(1, image=0)], images=1) as session:
        out.mkdir()
        (out / "mine.txt").write_text("")
        with pytest.raises(InputError, match="not empty"):
            export_clopy(session, out)
        (out / "mine.txt").unlink()
        assert export_clopy(session, out) == ClopyExport(1, 0)
        with pytest.raises(RecordingError, match="give another name"):
            export_clopy(session, folder / "frames.csv" / "x")
    (folder / "image_stream.hdf5").unlink()
    with (
        make_session(folder, [frame_row(1, image=1)], images=2) as session,
        pytest.raises(SourceError, match="expected 0"),
    ):
        export_clopy(session, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "s"]


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("beside", [(), ("frames.csv",), ("session.json",)])
def test_clopys_own_files_keep_their_bytes(tmp_path, beside):
    with make_session(tmp_path, [frame_row(1)]) as session:
        write_clopy_files(session, tmp_path)
        write_clopy_files(session, tmp_path)
    for name in {path.name for path in tmp_path.iterdir()} - {"VideoTimestamp.txt", "config.ini", *beside}:
        (tmp_path / name).unlink()
    before = bytes_of(tmp_path)
    with pytest.raises(InputError, match=re.escape(str(tmp_path)) + ".*give a DIR"):
        write_clopy_files(session, tmp_path)
    assert bytes_of(tmp_path) == before
    if "session.json" in beside:
        with pytest.raises(SourceError, match=r"frames\.csv is not there.*move session\.json away"):
            open_session(tmp_path)
    elif not beside:
        with open_session(tmp_path) as theirs, pytest.raises(InputError, match="give a DIR"):
            write_clopy_files(theirs, theirs.folder)
    assert bytes_of(tmp_path) == before


def test_a_folder_that_is_missing_is_said_so(tmp_path):
    with make_session(tmp_path, []) as session, pytest.raises(RecordingError, match="make the folder first"):
        write_clopy_files(session, tmp_path / "missing")


def test_what_a_killed_export_left_is_removed_by_the_next(tmp_path):
    (tmp_path / "s").mkdir()
    host = os.uname().nodename
    dead = [f".out.{host}-{pid}.tmp" for pid in (2**22 + 1, 10**30, os.getpid())]
    kept = [f".out.{host}-{os.getppid()}.tmp", ".out.elsewhere-4194305.tmp", f".other.{host}-4194305.tmp"]
    for name in (*dead, *kept):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.ini").write_text("")
    with make_session(tmp_path / "s", [frame_row(1, image=0)], images=1) as session:
        export_clopy(session, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "out", "s"])


def test_an_export_that_is_stopped_leaves_nothing(tmp_path):
    (tmp_path / "s").mkdir()
    told = []

    def stop(done, total):
        if total:
            told.append((done, total))
            raise KeyboardInterrupt

    with (
        make_session(tmp_path / "s", [frame_row(n, image=n - 1) for n in (1, 2)], images=2) as session,
        pytest.raises(KeyboardInterrupt),
    ):
        export_clopy(session, tmp_path / "out", stop)
    assert told == [(2, 2)]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
