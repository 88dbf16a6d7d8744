"""Sessions replayed without some of their images, or without all, and files of images that are damaged."""

import itertools
import os

import pytest

from core.errors import InputError, SourceError
from recording import schema
from recording.clopy import export_clopy
from recording.nwb import SubjectFacts, export_nwb
from recording.reader import open_images, open_session
from recording.subject import SubjectSettings
from session import running
from session.replay import replay_session
from session.replay_change import NO_IMAGE
from tests.session.killed_sessions import recovered
from tests.session.replayable import HISTORY_FRAMES, change_table
from tests.session.replayable import session as session
from tests.support.killed import as_killed
from tests.support.memory_recorder import MemoryRecorder
from tests.support.sessions import run, settings_for


def test_an_index_of_images_that_is_damaged_is_told_before_anything_is_replayed(session):
    import h5py

    path = session / "image_stream.hdf5"
    with h5py.File(path) as file:
        images = file[schema.IMAGES][:]
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset(schema.IMAGES, data=images, maxshape=(None, *images.shape[1:]), chunks=True)
        chunks = [data.id.get_chunk_info(n) for n in range(data.id.get_num_chunks())]
    replay_session(session)
    # What lies between two images and is none is the index.
    begins = sorted(chunk.byte_offset for chunk in chunks)
    size = chunks[0].size
    gap = max(itertools.pairwise(begins), key=lambda two: two[1] - two[0])
    assert gap[1] - gap[0] > size
    whole = bytearray(path.read_bytes())
    whole[gap[0] + size : gap[1]] = b"\xa5" * (gap[1] - gap[0] - size)
    path.write_bytes(whole)
    told = []
    with pytest.raises(SourceError, match=r"image_stream\.hdf5: is damaged \(Can.t get number of"):
        replay_session(session, progress=lambda *each: told.append(each))
    assert told == []


def test_a_damaged_index_of_a_killed_sessions_images_is_told_as_well(session):
    as_killed(session)
    path = session / "image_stream.hdf5"
    # The last block of the array in which HDF5 notes where the images lie: up to there, all could be replayed.
    whole = bytearray(path.read_bytes())
    whole[whole.rindex(b"EADB") + 14] ^= 0xFF
    path.write_bytes(whole)
    told = []
    with pytest.raises(SourceError, match=r"image_stream\.hdf5: is damaged \(Can.t get number of.*restore it") as said:
        replay_session(session, progress=lambda *each: told.append(each))
    assert told == []
    assert len(str(said.value).splitlines()) == 1


def give_out(session, how, folder):
    with open_session(session) as opened:
        if how == "replay":
            replay_session(session)
        elif how == "CLoPy":
            export_clopy(opened, folder / "clopy")
        else:
            export_nwb(opened, folder / "a.nwb", SubjectFacts(SubjectSettings()), allow_incomplete=True)


@pytest.mark.parametrize("recover_it", [False, True], ids=["killed", "recovered"])
@pytest.mark.parametrize("how", ["replay", "CLoPy", "NWB"])
def test_images_behind_the_end_of_a_file_that_was_cut_are_no_black_ones(killed, tmp_path, how, recover_it):
    session, _, _ = killed()
    if recover_it:
        recovered(session)
    path, out = session / "image_stream.hdf5", tmp_path / "out"
    out.mkdir()
    with open_images(path) as file:
        images = file[schema.IMAGES]
        last = max(images.id.get_chunk_info(n).byte_offset for n in range(images.id.get_num_chunks()))
    os.truncate(path, last + 1)
    cure = "restore it from a copy" + ("$" if recover_it else ", or try `rigloop recover`$")
    with pytest.raises(SourceError, match=rf"hdf5: is damaged \(the file ends before image \d+\); {cure}"):
        give_out(session, how, out)
    assert list(out.iterdir()) == []


def test_images_that_were_begun_only_are_none_that_are_missing(session):
    """A session that was killed before the first of them: its rows name none, its file holds none."""
    as_killed(session)
    change_table(session / "frames.csv", lambda rows: [{**row, "image": "-1"} for row in rows])
    (session / "image_stream.hdf5").write_bytes(b"")
    replayed = replay_session(session)
    assert replayed.compared.mismatches == 0
    assert replayed.without_image == replayed.compared.rows > 100


class TestImagesThatAreMissing:
    @pytest.mark.parametrize(("mode", "reach"), [("green_minus_blue", 1), ("blue_regressed", 2)])
    def test_what_needs_them_is_taken_as_recorded(self, tmp_path, monkeypatch, mode, reach):
        monkeypatch.setattr(running, "Recorder", type("Lossy", (MemoryRecorder,), {"lose": {1, 60, 64}}))
        result = run(settings_for(tmp_path, dff_mode=mode, reward_threshold="0.01"))
        replayed = replay_session(result.session)
        assert replayed.compared.mismatches == 0
        assert replayed.without_image == 3
        history = reach * HISTORY_FRAMES
        assert replayed.taken_as_recorded == 1 + history + 1 + history + 4
        again = replay_session(result.session, {"dff_history": "0.5"})
        assert again.change.no_signal > 0
        assert NO_IMAGE in set(again.change.session.frames.reason)

    @pytest.mark.parametrize("how", ["not recorded", "deleted"])
    def test_all_of_them(self, session, how):
        (session / "image_stream.hdf5").unlink()
        if how == "not recorded":
            change_table(session / schema.FRAMES_CSV, lambda rows: [{**row, "image": "-1"} for row in rows])
        replayed = replay_session(session)
        assert replayed.compared.mismatches == 0
        assert replayed.taken_as_recorded == replayed.compared.rows
        assert replay_session(session, {"reward_threshold": "0.01"}).change.changed.successes > 0
        with pytest.raises(InputError, match="another signal needs the recorded images"):
            replay_session(session, {"dff_history": "2"})

    def test_a_file_that_lost_some_of_them_is_damaged(self, session):
        import h5py

        with h5py.File(session / "image_stream.hdf5", "r+") as file:
            images = file[schema.IMAGES][:50]
            del file[schema.IMAGES]
            file[schema.IMAGES] = images
        with pytest.raises(InputError, match="damaged; 50 of its"):
            replay_session(session)
