"""Files, videos and images that cannot be replayed: each is told in one line, with its cure."""

from __future__ import annotations

import errno
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from camera.replay import probe_source
from core.errors import SourceError
from tests.camera import recordings as rec
from tests.camera.problems import FPS, Make, assert_one_clear_line


def missing(tmp: Path) -> Path:
    return tmp / "nowhere"


def empty_folder(tmp: Path) -> Path:
    return tmp


def folder_of_other_things(tmp: Path) -> Path:
    (tmp / "notes.txt").write_text("hello")
    return tmp


def text_file(tmp: Path) -> Path:
    (tmp / "notes.txt").write_text("hello")
    return tmp / "notes.txt"


def single_image(tmp: Path) -> Path:
    return rec.write_images(tmp, rec.pictures(1)) / "img1.png"


def not_hdf5(tmp: Path) -> Path:
    (tmp / rec.STREAM).write_bytes(b"not at all HDF5" * 100)
    return tmp


def empty_hdf5_file(tmp: Path) -> Path:
    (tmp / rec.STREAM).touch()
    return tmp / rec.STREAM


def cut_hdf5(tmp: Path) -> Path:
    path = rec.write_hdf5(tmp / rec.STREAM, rec.pictures(20))
    path.write_bytes(path.read_bytes()[:3000])
    return path


def no_dataset(tmp: Path) -> Path:
    with h5py.File(tmp / rec.STREAM, "w") as file:
        file["frames"] = rec.pictures(2)
    return tmp / rec.STREAM


def group_of_that_name(tmp: Path) -> Path:
    with h5py.File(tmp / rec.STREAM, "w") as file:
        file.create_group("raw_images")
    return tmp / rec.STREAM


def three_dimensions(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / rec.STREAM, rec.pictures(4)[..., 0])


def four_channels(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / rec.STREAM, np.zeros((4, 5, 6, 4), np.uint8))


def no_pixels(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / rec.STREAM, np.zeros((4, 0, 6, 3), np.uint8))


def floats(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / rec.STREAM, np.zeros((4, 5, 6, 3), np.float32))


def no_frames(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / rec.STREAM, np.zeros((0, 5, 6, 3), np.uint8))


def unknown_filter(tmp: Path) -> Path:
    """Return a dataset with a compression that is not installed; optional, so that HDF5 writes it all the same."""
    with h5py.File(tmp / rec.STREAM, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((1, 5, 6, 3))
        plist.set_filter(32999, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((4, 5, 6, 3))
        h5py.h5d.create(file.id, b"raw_images", h5py.h5t.NATIVE_UINT8, space, plist)
    return tmp / rec.STREAM


def two_hdf5(tmp: Path) -> Path:
    for name in ("a.h5", "b.h5"):
        rec.write_hdf5(tmp / name, rec.pictures(2))
    return tmp


def table_of_others_only(tmp: Path) -> Path:
    return rec.write_table_of_others(tmp)


def damaged_video(tmp: Path) -> Path:
    (tmp / "film.mp4").write_bytes(b"\0" * 5000)
    return tmp / "film.mp4"


def video_without_frames(tmp: Path) -> Path:
    path = rec.write_video(tmp / "film.avi", rec.pictures(3))
    path.write_bytes(path.read_bytes()[:5700])
    return path


def two_videos(tmp: Path) -> Path:
    for name in ("a.avi", "b.avi"):
        rec.write_video(tmp / name, rec.pictures(2))
    return tmp


def images_of_two_sizes(tmp: Path) -> Path:
    rec.write_images(tmp, rec.pictures(2))
    rec.write_images(tmp, rec.pictures(1, height=20), stem="other")
    return tmp


def images_of_two_types(tmp: Path) -> Path:
    rec.write_images(tmp, rec.pictures(2))
    rec.write_images(tmp, rec.pictures(1, dtype="uint16"), stem="other")
    return tmp


def damaged_image(tmp: Path) -> Path:
    rec.write_images(tmp, rec.pictures(2))
    (tmp / "img3.png").write_bytes(b"no image")
    return tmp


def float_image(tmp: Path) -> Path:
    cv2.imwrite(str(tmp / "a.tif"), np.zeros((5, 6, 3), np.float32))
    return tmp


def stack_of_images(tmp: Path) -> Path:
    cv2.imwritemulti(str(tmp / "a.tif"), list(rec.pictures(3)))
    return tmp


PROBLEMS: list[tuple[Make, str]] = [
    (missing, "there is no such file or folder; give a session folder"),
    (empty_folder, "the folder is empty; give a session folder"),
    (folder_of_other_things, "holds no recording; give"),
    (text_file, "is not a recording; give"),
    (single_image, "is a single image; give the folder it is in"),
    (not_hdf5, "is not an HDF5 file, or is damaged; give"),
    (empty_hdf5_file, "is not an HDF5 file, or is damaged; give"),
    (cut_hdf5, r"is damaged \(.*truncated file.*\); restore it from a copy, or give another recording"),
    (no_dataset, r"has no dataset raw_images \(it holds frames\); give"),
    (group_of_that_name, "has no dataset raw_images"),
    (three_dimensions, r"has 3 dimensions, \(4, 24, 32\); give"),
    (four_channels, r"has 4 channels, \(4, 5, 6, 4\); give"),
    (no_pixels, "have no pixels"),
    (floats, "is of type float32; give"),
    (no_frames, "holds no frames; give"),
    (unknown_filter, r"\(HDF5 filter 32999\), which is not installed here; pip install hdf5plugin"),
    (two_hdf5, "holds 2 recordings; name one of them, such as .*a.h5"),
    (table_of_others_only, "has no dataset raw_images"),
    (damaged_video, "is not a video, or is damaged; give"),
    (video_without_frames, "can be decoded|is damaged"),
    (two_videos, "holds 2 videos; name one"),
    (images_of_two_sizes, "is 32x20 px, but img1.png is 32x24; give"),
    (images_of_two_types, "is uint16, but img1.png is uint8; give"),
    (damaged_image, "img3.png: cannot be decoded as an image; replace"),
    (float_image, "is of type float32; give"),
    (stack_of_images, "holds several images; give"),
]


@pytest.mark.parametrize(("make", "message"), PROBLEMS, ids=lambda value: getattr(value, "__name__", None))
def test_a_problem_is_one_clear_line(make: Make, message: str, tmp_path: Path) -> None:
    assert_one_clear_line(make(tmp_path), message)


@pytest.mark.parametrize("path", ["", "  "])
def test_no_path_is_said_to_be_missing(path: str) -> None:
    with pytest.raises(SourceError, match="no recording to replay is named; set vid_root"):
        probe_source(path, FPS)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rec.write_hdf5(tmp_path / rec.STREAM, rec.pictures(2))

    def refuse(*_args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # tests may run as root, who may read everything
    with pytest.raises(SourceError, match=r"may not be read \(Permission denied\); ask its owner"):
        probe_source(path, FPS)
