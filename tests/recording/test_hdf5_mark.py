"""The mark of a file whose writer was killed: taken off without a change to anything else."""

import numpy as np
import pytest

from core.errors import RecordingError, SourceError
from recording import hdf5_mark
from recording.hdf5_mark import has_mark, lookup3, open_without_mark, take_mark_off
from recording.recorded import open_images
from tests.support.killed import leave_marked

HEAD = 48


def pictures(count, shape=(8, 6, 3)):
    return np.random.default_rng(count).integers(0, 256, (count, *shape)).astype(np.uint8)


@pytest.fixture
def marked(tmp_path):
    def make(count):
        leave_marked(tmp_path / "image_stream.hdf5", pictures(count))
        return tmp_path / "image_stream.hdf5"

    return make


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"", 0xDEADBEEF),
        (b"Four score and seven years ago", 0x17770551),
    ],
)
def test_the_checksum_is_the_one_of_its_author(data, checksum):
    """The two values are those that lookup3.c itself prints."""
    assert lookup3(data) == checksum


@pytest.mark.parametrize("count", [0, 1, 5, 70, 300])
def test_every_program_opens_it_and_nothing_else_has_changed(marked, count):
    import h5py

    path = marked(count)
    before = path.read_bytes()
    assert has_mark(path)
    with pytest.raises(OSError, match="already open for write"):
        h5py.File(path, "r", locking=False)
    with open_without_mark(path) as file:
        assert (file["raw_images"][:] == pictures(count)).all()
    assert path.read_bytes() == before
    take_mark_off(path)
    assert not has_mark(path)
    assert path.read_bytes()[HEAD:] == before[HEAD:]
    for mode in ("r", "r+", "r"):  # whoever writes to it later cuts nothing off either
        with h5py.File(path, mode) as file:
            assert (file["raw_images"][:] == pictures(count)).all()
    after = path.read_bytes()
    take_mark_off(path)
    assert path.read_bytes() == after, "once more"


def test_a_file_that_was_closed_stays_as_it_is(tmp_path):
    import h5py

    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["raw_images"] = pictures(3)
    before = path.read_bytes()
    take_mark_off(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[:40], id="cut in its superblock"),
        pytest.param(lambda data: data[:HEAD], id="cut behind its superblock"),
        pytest.param(lambda data: b"x" + data[1:], id="no HDF5"),
        pytest.param(lambda data: data[:20] + b"x" + data[21:], id="superblock"),
        pytest.param(lambda data: data[:HEAD] + bytes(400) + data[448:], id="root group"),
    ],
)
def test_a_damaged_file_is_told_and_stays_as_it_is(marked, damage):
    path = marked(20)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    with pytest.raises(SourceError, match=path.name):
        take_mark_off(path)
    assert path.read_bytes() == damaged


def test_a_file_that_does_not_open_afterwards_is_put_back(marked, monkeypatch):
    path = marked(4)
    before = path.read_bytes()

    def fail(path):
        raise OSError("not this time")

    monkeypatch.setattr(hdf5_mark, "open_finished", fail)
    with pytest.raises(RecordingError, match=path.name):
        take_mark_off(path)
    assert path.read_bytes() == before
    with open_images(path) as file:
        assert (file["raw_images"][:] == pictures(4)).all()
