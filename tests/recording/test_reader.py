"""Finding and opening sessions."""

import h5py
import numpy as np
import pytest

from core.errors import SourceError
from recording.folder import write_session_json
from recording.reader import count_images, open_session
from tests.recording.samples import frame_row
from tests.recording.test_csvrows import write_session


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "M1" / "20240102030405" / "S1"
    folder.mkdir(parents=True)
    write_session(folder, [frame_row(1)])
    with h5py.File(folder / "image_stream.hdf5", "w") as file:
        file["raw_images"] = np.zeros((2, 4, 4, 3), np.uint8)
    return folder


@pytest.mark.parametrize("where", [".", "..", "image_stream.hdf5"])
def test_a_session_is_found_from(folder, where):
    with open_session(folder / where) as session:
        assert session.folder.resolve() == folder
        assert len(session.frames) == 1
        assert count_images(session) == 2
        session.close()
        assert session.images().shape == (2, 4, 4, 3)


def test_metadata_and_the_name_of_the_image_file_come_from_session_json(folder):
    (folder / "image_stream.hdf5").rename(folder / "mine.hdf5")
    meta = {"mouse": "M1", "settings": {"raw_image_file": "mine.hdf5"}}
    write_session_json(folder, meta)
    with open_session(folder) as session:
        assert session.meta == meta
        assert session.has_images
        assert session.images().shape[0] == 2


@pytest.mark.parametrize("name", ["nothing", "image.tif", "M1"])
def test_what_is_no_session_is_said_so(tmp_path, folder, name):
    with pytest.raises(SourceError, match="give the folder S1"):
        open_session(tmp_path / name)


def test_images_that_are_missing_or_no_images(folder):
    path = folder / "image_stream.hdf5"
    path.write_bytes(b"not HDF5 at all")
    with pytest.raises(SourceError, match="cannot read"):
        open_session(folder).images()
    with h5py.File(path, "w") as file:
        file["raw_images"] = np.zeros(3)
    with pytest.raises(SourceError, match="no dataset raw_images"):
        open_session(folder).images()
    path.unlink()
    assert count_images(open_session(folder)) == 0
    with pytest.raises(SourceError, match="does not exist"):
        open_session(folder).images()


def test_a_log_alone_is_a_session(folder):
    for name in ("timing.csv", "events.csv"):
        (folder / name).unlink()
    session = open_session(folder)
    assert len(session.timing) == 0
    assert session.events == ()
