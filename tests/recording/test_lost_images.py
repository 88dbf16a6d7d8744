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
