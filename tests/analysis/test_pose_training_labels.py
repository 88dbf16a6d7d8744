"""Labelled frames are read as DeepLabCut writes them; what is held out is in runs that nothing trained on touches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pose_training_labels import GAP, read_folders, split_blocks
from core.errors import InputError
from tests.support.labelled import HEAD, SPLIT_HEAD, frames, write_folder


def test_one_column_of_paths(tmp_path):
    folder = write_folder(tmp_path / "v", HEAD + "labeled-data/v/a.png,1.5,2,3,4\nlabeled-data/v/b.png,5,6,,\n")
    labels = read_folders([folder])
    assert labels.parts == ("snout", "tail")
    assert labels.images == (folder / "a.png", folder / "b.png")
    np.testing.assert_array_equal(labels.points, [[[1.5, 2], [3, 4]], [[5, 6], [np.nan, np.nan]]])


@pytest.mark.parametrize(
    "row", ["labeled-data,v,a.png,1,2,3,4", "x,y,labeled-data\\v\\a.png,1,2,3,4"], ids=["split", "windows"]
)
def test_three_columns_of_paths(tmp_path, row):
    labels = read_folders([write_folder(tmp_path / "v", f"{SPLIT_HEAD}{row}\n")])
    assert labels.images == (tmp_path / "v" / "a.png",)
    np.testing.assert_array_equal(labels.points, [[[1, 2], [3, 4]]])


def test_half_a_label_is_none(tmp_path):
    labels = read_folders([write_folder(tmp_path / "v", HEAD + "a.png,1,,3,4\n")])
    assert np.isnan(labels.points[0, 0]).all()


def test_a_byte_order_mark_and_empty_lines_do_not_matter(tmp_path):
    labels = read_folders([write_folder(tmp_path / "v", "\ufeff" + HEAD + "a.png,1,2,3,4\n\n,,,,\n")])
    assert len(labels) == 1


def test_folders_and_files_are_one_set(tmp_path):
    one = write_folder(tmp_path / "one", HEAD + frames(2))
    two = write_folder(tmp_path / "two", HEAD + frames(3))
    labels = read_folders([one, two / "CollectedData_me.csv"])
    assert labels.videos == (0, 0, 1, 1, 1)
    assert [image.parent for image in labels.images] == [one] * 2 + [two] * 3


def test_the_real_ones(shared_data):
    labels = read_folders([shared_data / "openfield" / "labeled-data" / "m4s1"])
    assert (labels.parts, len(labels)) == (("snout", "leftear", "rightear", "tailbase"), 116)
    hidden = read_folders([shared_data / "reaching" / "labeled-data" / "reachingvideo1"])
    assert np.isnan(hidden.points).any()
    assert all(image.is_file() for image in labels.images + hidden.images)


@pytest.mark.parametrize(
    ("csv", "said"),
    [
        ("a,b\n", "not DeepLabCut's labels"),
        ("scorer,m,m\nindividuals,a,a\nbodyparts,s,s\ncoords,x,y\n", "several animals"),
        (HEAD.replace("x,y,x,y", "x,y,likelihood,x"), "not DeepLabCut's labels"),
        (HEAD.replace("snout,snout", "snout,tail"), "each name stands above its x and y"),
        (HEAD + "a.png,1,2,3\n", "has 3 coordinates, not 4"),
        (HEAD + "a.png,1,2,3,four\n", "'four' in the row of a.png is not a number"),
        (HEAD + "a.png,1,2,3,inf\n", "'inf' in the row of a.png is not a number"),
        (HEAD + "a.png,1,2,3,4\nb/a.png,1,2,3,4\n", "a.png has two rows"),
        (HEAD + ",1,2,3,4\n", "without the name of an image"),
        (HEAD + "a.png,,,,\n", "0 frames with a label"),
    ],
    ids=["other", "animals", "columns", "parts", "short", "word", "inf", "twice", "nameless", "empty"],
)
def test_what_is_refused(tmp_path, csv, said):
    with pytest.raises(InputError, match=r"(?s)^[^\n]*$") as error:
        read_folders([write_folder(tmp_path / "v", csv)], fewest=1)
    assert said in str(error.value)


def test_which_csv_must_be_clear(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_folders([tmp_path / "nowhere"])
    with pytest.raises(InputError, match="no CSV of labels"):
        read_folders([tmp_path])
    folder = write_folder(tmp_path / "v", HEAD + frames(2))
    (folder / "CollectedData_you.csv").write_text(HEAD, encoding="utf-8")
    with pytest.raises(InputError, match=r"CollectedData_me\.csv, CollectedData_you\.csv"):
        read_folders([folder])


def test_body_parts_must_agree(tmp_path):
    one = write_folder(tmp_path / "one", HEAD + frames(2))
    two = write_folder(tmp_path / "two", HEAD.replace("tail", "ear") + frames(2))
    with pytest.raises(InputError, match=r"two.*snout, ear, but .*one.*snout, tail"):
        read_folders([one, two])


@given(
    videos=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    share=st.floats(0, 0.9),
    blocks=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_held_out_frames_are_runs_of_neighbours_that_nothing_trained_on_touches(videos, share, blocks, seed):
    of_video = [video for video, count in enumerate(videos) for _ in range(count)]
    train, held = split_blocks(of_video, share, blocks, np.random.default_rng(seed))
    assert not set(train) & set(held)
    for one in held:
        near = {n for n in range(one - GAP, one + GAP + 1) if 0 <= n < len(of_video)}
        assert not {n for n in near if of_video[n] == of_video[one]} & set(train)
    for video, count in enumerate(videos):
        of_this = [n for n in held if of_video[n] == video]
        runs = sum(1 for n in of_this if n - 1 not in of_this)
        assert runs <= blocks
        assert abs(len(of_this) - share * count) <= 0.5 * blocks + 1e-6


def test_nothing_is_held_out_where_all_is_trained_on():
    train, held = split_blocks([0] * 20, 0.0, 3, np.random.default_rng(1))
    assert (list(train), list(held)) == (list(range(20)), [])


def test_the_same_seed_is_the_same_split():
    first, again, other = (split_blocks([0] * 116, 0.2, 3, np.random.default_rng(seed))[1] for seed in (1, 1, 2))
    assert list(first) == list(again) != list(other)
