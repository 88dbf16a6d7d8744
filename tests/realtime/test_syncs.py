"""While a session runs the disk is asked to keep its files, again and again, and not only at the end."""

import os
import threading
from collections import Counter
from pathlib import Path

import pytest

from recording import schema, session_files
from recording.session_files import SessionFiles
from tests.recording.samples import frame_row, timing_row
from tests.recording.test_writer import SHAPE, make_spec
from tests.recording.videos import VIDEO

LOGS = [schema.FRAMES_CSV, schema.TIMING_CSV, *(name for _, name, _ in schema.SIDE_TABLES)]
TIMES = 3


@pytest.mark.parametrize("image_file", ["", "image_stream.hdf5", VIDEO])
def test_files_are_synced_while_they_are_open(tmp_path, monkeypatch, image_file):
    wanted = {*LOGS, image_file} - {""}
    synced, enough = Counter(), threading.Event()
    real = os.fsync

    def fsync(handle):
        real(handle)
        synced[Path(f"/proc/self/fd/{handle}").readlink().name] += 1
        if all(synced[name] >= TIMES for name in wanted):
            enough.set()

    monkeypatch.setattr(session_files, "SYNC_S", 0.01)
    monkeypatch.setattr(os, "fsync", fsync)
    files = SessionFiles(make_spec(tmp_path, image_file=image_file, image_shape=SHAPE))
    try:
        files.add(None, frame_row(1), timing_row(1), ())
        files.flush()
        assert enough.wait(timeout=30), f"synced while open: {dict(synced)}"
    finally:
        files.close()
    assert files.problems == []
