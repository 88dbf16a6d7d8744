"""A row of frames.csv never names an image that is not in the file."""

import h5py
import pytest

from recording.files import ImageFile
from recording.reader import open_session
from recording.session_files import SessionFiles
from tests.recording.samples import frame_row, image, timing_row
from tests.recording.test_writer import make_spec


def add(files, numbers):
    for number in numbers:
        files.add(image(number), frame_row(number), timing_row(number), ())


@pytest.fixture
def full(monkeypatch):
    """Return a function that makes HDF5 fail on a full disk from now on: what was not flushed is lost."""

    def fill():
        def flush(file):
            raise OSError(28, "No space left on device")

        def close(file):
            file._images.resize(file.flushed, axis=0)
            file._file.close()
            raise RuntimeError("unable to flush file's cached information")

        monkeypatch.setattr(ImageFile, "flush", flush)
        monkeypatch.setattr(ImageFile, "close", close)

    return fill


@pytest.mark.parametrize("flushed", [0, 3])
def test_a_row_never_names_a_missing_image(tmp_path, full, flushed):
    files = SessionFiles(make_spec(tmp_path, image_file="images.hdf5"))
    add(files, range(1, flushed + 1))
    files.flush()
    add(files, range(flushed + 1, flushed + 3))
    full()
    add(files, range(flushed + 3, flushed + 5))
    assert files.close() == (flushed + 4, flushed)
    assert files.problems == []
    assert files.ended.cause == "disk_full"
    assert "images.hdf5" in files.ended.text
    with h5py.File(tmp_path / "images.hdf5", "r") as file:
        assert file["raw_images"].shape[0] == flushed
    with open_session(tmp_path) as session:
        assert session.frames.image.tolist() == [*range(flushed), -1, -1, -1, -1]
        [event] = session.events
    assert (event.time_ns, event.kind) == (frame_row(flushed + 4).time_ns, "images_ended")


@pytest.mark.parametrize(("number", "cause"), [(28, "disk_full"), (122, "disk_full"), (5, "image_file_failed")])
def test_images_that_the_disk_does_not_keep_end_and_the_log_goes_on(tmp_path, number, cause):
    """What fails is the sync, seconds after the write went well."""
    files = SessionFiles(make_spec(tmp_path, image_file="images.hdf5"))
    add(files, range(1, 4))
    files._syncer.failed[tmp_path / "images.hdf5"] = OSError(number, "it fails")
    files.flush()
    assert files.ended.cause == cause
    assert "cannot sync" in files.ended.text
    add(files, range(4, 6))
    # Again and again, as long as the disk fails.
    files._syncer.failed[tmp_path / "images.hdf5"] = OSError(number, "it fails")
    assert files.close() == (5, 3)
    assert files.problems == []
    with open_session(tmp_path) as session:
        assert session.frames.image.tolist() == [0, 1, 2, -1, -1]
        assert [event.kind for event in session.events] == ["images_ended"]


def test_a_log_that_the_disk_does_not_keep_is_a_failure(tmp_path):
    files = SessionFiles(make_spec(tmp_path, image_file="images.hdf5"))
    add(files, range(1, 4))
    for _ in range(2):
        files._syncer.failed[tmp_path / "frames.csv"] = OSError(5, "it fails")
        files.flush()
    assert files.close() == (3, 3)
    [problem] = files.problems
    assert "cannot sync" in problem
    assert files.ended is None
