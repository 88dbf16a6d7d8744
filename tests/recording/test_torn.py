"""What a power failure may leave: files that end early, or in zeros. They open, or are told as damaged in one line."""

import os
import random
import shutil
from pathlib import Path

import pytest

from camera.find_source import open_source
from core.errors import CameraError, SourceError
from recording import schema
from recording.files import Syncer
from recording.folder import write_session_json
from recording.reader import open_session
from recording.schema import EventRow, InputRow, MissingRow
from recording.session_files import SYNC_S, SessionFiles
from tests.recording.samples import frame_row, timing_row
from tests.recording.test_writer import make_spec
from tests.recording.videos import SHAPE, VIDEO, number_of, picture

COUNT = 40
IMAGES = {"brain": "image_stream.hdf5", "movement": VIDEO}
LOGS = [schema.FRAMES_CSV, schema.TIMING_CSV, *(name for _, name, _ in schema.SIDE_TABLES)]


def side_of(number):
    time_ns = frame_row(number).time_ns
    rows = [EventRow(time_ns, "mark", 0, 'a "b", c'), InputRow(number, time_ns, "lick", 0.0, "")]
    return [*rows, MissingRow(number - 1, time_ns, "driver")] if number % 10 == 0 else rows


def files_of(folder, image_file):
    return SessionFiles(make_spec(folder, image_file=image_file, image_shape=SHAPE))


@pytest.fixture(scope="module", params=IMAGES)
def running(request, tmp_path_factory):
    """A session as it lies on the disk while it runs, never closed."""
    folder, name = tmp_path_factory.mktemp("torn"), IMAGES[request.param]
    files = files_of(folder, name)
    for number in range(1, COUNT + 1):
        files.add(picture(number), frame_row(number), timing_row(number), side_of(number))
        if number % 7 == 0:
            files.flush()
    files.flush()
    write_session_json(folder, {"kind": "clmf" if name == VIDEO else "clnf", "outcome": "running", "settings": {}})
    yield folder, name
    files.close()


def torn_copies(folder, name, place, tears):
    """Yield copies of a session, one file cut short or zeros from there on, with how many bytes are whole."""
    content = (folder / name).read_bytes()
    rng = random.Random(name)
    for number in range(tears):
        whole = rng.randrange(len(content))
        rest = b"" if number % 2 else bytes(len(content) - whole)
        copy = place / str(number)
        shutil.copytree(folder, copy)
        (copy / name).write_bytes(content[:whole] + rest)
        yield copy, whole


def tried(call, *arguments):
    """Return what a call returns, or the one line of what it raised."""
    try:
        return call(*arguments)
    except (SourceError, CameraError) as error:
        text = f"{type(error).__name__}: {error}"
    assert "\n" not in text
    return text


@pytest.mark.parametrize("name", LOGS)
def test_a_torn_log_opens_up_to_the_tear(running, tmp_path, name):
    folder, _ = running
    with open_session(folder) as whole:
        before = (whole.frames.frame.tolist(), whole.timing.frame.tolist(), whole.events, whole.inputs, whole.missing)
    header = (folder / name).read_bytes().index(b"\n") + 1
    for copy, whole in torn_copies(folder, name, tmp_path, 20):
        session = tried(open_session, copy)
        assert isinstance(session, str) is (whole < header), session
        if whole < header:
            continue
        after = (session.frames.frame.tolist(), session.timing.frame.tolist(), session.events, session.inputs,
                 session.missing)  # fmt: skip
        for had, has in zip(before, after, strict=True):
            assert list(has) == list(had)[: len(has)]


def test_torn_images_give_those_before_the_tear_and_then_one_line(running, tmp_path):
    folder, name = running
    kept = 0
    for copy, _ in torn_copies(folder, name, tmp_path, 20):
        assert len(open_session(copy).frames) >= COUNT - 1
        source = tried(open_source, copy, 30.0)
        if isinstance(source, str):
            continue
        read = 0
        while read < COUNT and not isinstance(image := tried(source.images.get, read), str):
            # A picture that the tear goes through is dark from there on.
            assert number_of(image) & ~(read + 1) == 0
            read += 1
        source.close()
        kept += read
    assert kept > 2 * COUNT


def test_a_torn_session_json_is_told_in_one_line(running, tmp_path):
    folder, _ = running
    for copy, _ in torn_copies(folder, schema.SESSION_JSON, tmp_path, 10):
        said = tried(open_session, copy)
        assert not isinstance(said, str) or "delete it to read the rest" in said


@pytest.mark.parametrize("image_file", IMAGES.values())
def test_every_file_of_a_session_is_synced_images_first(tmp_path, monkeypatch, image_file):
    synced = []
    real = os.fsync

    def fsync(handle):
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    files = files_of(tmp_path, image_file)
    monkeypatch.setattr(os, "fsync", fsync)
    files._syncer._sync()
    assert synced == [image_file, *LOGS]
    synced.clear()
    files.close()
    assert synced == [image_file, *LOGS], "the last time when all is written"


def test_syncs_come_every_few_seconds(monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr("recording.session_files.Syncer", lambda paths, s: made.append(s) or Syncer(paths, s))
    files_of(tmp_path, "").close()
    assert made == [SYNC_S] == [3.0]
