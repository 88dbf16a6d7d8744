"""What a path is taken for, and what is said of one that cannot be replayed."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from camera.replay import SourceInfo, SourceKind, open_replay, probe_source
from core.errors import InputError, SourceError
from recording.schema import CLOPY_LOG, FRAMES_CSV, SESSION_JSON
from tests.camera import recordings as rec

FPS = 15.0
STREAM = "image_stream.hdf5"


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
    (tmp / STREAM).write_bytes(b"not at all HDF5" * 100)
    return tmp


def empty_hdf5_file(tmp: Path) -> Path:
    (tmp / STREAM).touch()
    return tmp / STREAM


def cut_hdf5(tmp: Path) -> Path:
    path = rec.write_hdf5(tmp / STREAM, rec.pictures(20))
    path.write_bytes(path.read_bytes()[:3000])
    return path


def no_dataset(tmp: Path) -> Path:
    with h5py.File(tmp / STREAM, "w") as file:
        file["frames"] = rec.pictures(2)
    return tmp / STREAM


def group_of_that_name(tmp: Path) -> Path:
    with h5py.File(tmp / STREAM, "w") as file:
        file.create_group("raw_images")
    return tmp / STREAM


def three_dimensions(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / STREAM, rec.pictures(4)[..., 0])


def four_channels(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / STREAM, np.zeros((4, 5, 6, 4), np.uint8))


def no_pixels(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / STREAM, np.zeros((4, 0, 6, 3), np.uint8))


def floats(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / STREAM, np.zeros((4, 5, 6, 3), np.float32))


def no_frames(tmp: Path) -> Path:
    return rec.write_hdf5(tmp / STREAM, np.zeros((0, 5, 6, 3), np.uint8))


def unknown_filter(tmp: Path) -> Path:
    """Return a dataset with a compression that is not installed; optional, so that HDF5 writes it all the same."""
    with h5py.File(tmp / STREAM, "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((1, 5, 6, 3))
        plist.set_filter(32999, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((4, 5, 6, 3))
        h5py.h5d.create(file.id, b"raw_images", h5py.h5t.NATIVE_UINT8, space, plist)
    return tmp / STREAM


def two_hdf5(tmp: Path) -> Path:
    for name in ("a.h5", "b.h5"):
        rec.write_hdf5(tmp / name, rec.pictures(2))
    return tmp


def foreign_hdf5_only(tmp: Path) -> Path:
    with h5py.File(tmp / "CollectedData.h5", "w") as file:
        file["df_with_missing"] = 1
    return tmp


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


def clopy(tmp: Path, n_images: int, times_us: list[int]) -> Path:
    rec.write_hdf5(tmp / STREAM, rec.pictures(n_images))
    rec.write_clopy_log(tmp, times_us)
    return tmp


def log_too_short(tmp: Path) -> Path:
    return clopy(tmp, 4, [0, 10, 20])


def log_from_two(tmp: Path) -> Path:
    rec.write_hdf5(tmp / STREAM, rec.pictures(2))
    rec.write_clopy_log(tmp, [0, 10], first=2)
    return tmp


def log_backwards(tmp: Path) -> Path:
    return clopy(tmp, 4, [0, 20, 10, 30])


def log_standing_still(tmp: Path) -> Path:
    return clopy(tmp, 3, [0, 20, 20])


def log_damaged(tmp: Path) -> Path:
    clopy(tmp, 3, [0, 20, 40])
    log = tmp / CLOPY_LOG
    log.write_text(log.read_text().replace("\n2\t", "\ntwo\t"))
    return tmp


def log_without_columns(tmp: Path) -> Path:
    clopy(tmp, 3, [0, 20, 40])
    (tmp / CLOPY_LOG).write_text("a\tb\n1\t2\n")
    return tmp


def log_empty(tmp: Path) -> Path:
    clopy(tmp, 3, [0, 20, 40])
    (tmp / CLOPY_LOG).write_text("")
    return tmp


def log_binary(tmp: Path) -> Path:
    clopy(tmp, 3, [0, 20, 40])
    (tmp / CLOPY_LOG).write_bytes(b"\xff\xfe\x00")
    return tmp


def session_without_file(tmp: Path) -> Path:
    rec.write_session(tmp, rec.pictures(2), rec.session_rows(2))
    (tmp / STREAM).unlink()
    return tmp


def session_without_images(tmp: Path) -> Path:
    return rec.write_session(tmp, rec.pictures(0), [(k, k * 10, 0, 0, -1) for k in (1, 2)])


def session_damaged(tmp: Path) -> Path:
    rec.write_session(tmp, rec.pictures(2), rec.session_rows(2))
    table = tmp / FRAMES_CSV
    table.write_text(table.read_text().replace("\n2,", "\nX,"))
    return tmp


def session_without_columns(tmp: Path) -> Path:
    rec.write_session(tmp, rec.pictures(2), rec.session_rows(2))
    (tmp / FRAMES_CSV).write_text("a,b\n1,2\n")
    return tmp


def session_backwards(tmp: Path) -> Path:
    return rec.write_session(tmp, rec.pictures(2), [(1, 50, 0, 0, 0), (2, 40, 0, 0, 1)])


def session_images_twice(tmp: Path) -> Path:
    return rec.write_session(tmp, rec.pictures(2), [(1, 50, 0, 0, 1), (2, 60, 0, 0, 1)])


def many_sessions(tmp: Path) -> Path:
    for day in ("20240101120000", "20240102120000"):
        rec.write_session(tmp / day / "S1", rec.pictures(2), rec.session_rows(2))
    return tmp


PROBLEMS: list[tuple[Callable[[Path], Path], str]] = [
    (missing, "there is no such file or folder; give a session folder"),
    (empty_folder, "the folder is empty; give a session folder"),
    (folder_of_other_things, "holds no recording; give"),
    (text_file, "is not a recording; give"),
    (single_image, "is a single image; give the folder it is in"),
    (not_hdf5, "is not an HDF5 file, or is damaged; give"),
    (empty_hdf5_file, "is not an HDF5 file, or is damaged; give"),
    (cut_hdf5, "cannot be opened .* h5clear"),
    (no_dataset, r"has no dataset raw_images \(it holds frames\); give"),
    (group_of_that_name, "has no dataset raw_images"),
    (three_dimensions, r"has 3 dimensions, \(4, 24, 32\); give"),
    (four_channels, r"has 4 channels, \(4, 5, 6, 4\); give"),
    (no_pixels, "have no pixels"),
    (floats, "is of type float32; give"),
    (no_frames, "holds no frames; give"),
    (unknown_filter, r"\(HDF5 filter 32999\), which is not installed here; pip install hdf5plugin"),
    (two_hdf5, "holds 2 recordings; name one of them, such as .*a.h5"),
    (foreign_hdf5_only, "has no dataset raw_images"),
    (damaged_video, "is not a video, or is damaged; give"),
    (video_without_frames, "can be decoded|is damaged"),
    (two_videos, "holds 2 videos; name one"),
    (images_of_two_sizes, "is 32x20 px, but img1.png is 32x24; give"),
    (images_of_two_types, "is uint16, but img1.png is uint8; give"),
    (damaged_image, "img3.png: cannot be decoded as an image; replace"),
    (float_image, "is of type float32; give"),
    (stack_of_images, "holds several images; give"),
    (log_too_short, "VideoTimestamp.txt: has 3 rows for 4 images, none for frame 4; .*rename"),
    (log_from_two, "none for frame 1"),
    (log_backwards, "VideoTimestamp.txt: the time stamps go backwards at frame 3 .*rename"),
    (log_standing_still, "the time stamps stand still at frame 3"),
    (log_damaged, "VideoTimestamp.txt, line 3: 'two"),
    (log_without_columns, "has no columns|no columns frame and time"),
    (log_empty, "has no header line"),
    (log_binary, "cannot be read"),
    (session_without_file, "kept no images, so it cannot be replayed; give"),
    (session_without_images, "none of its 2 frames has an image"),
    (session_damaged, "frames.csv"),
    (session_without_columns, "frames.csv"),
    (session_backwards, "the time stamps go backwards at frame 2"),
    (session_images_twice, "column image does not rise"),
    (many_sessions, "holds 2 sessions; name one of them, such as .*20240102120000"),
]


@pytest.mark.parametrize(("make", "message"), PROBLEMS, ids=lambda value: getattr(value, "__name__", None))
def test_a_problem_is_one_clear_line(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(SourceError, match=message) as caught:
        probe_source(path, FPS)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    assert isinstance(caught.value, InputError)
    with pytest.raises(SourceError, match=message):
        open_replay(str(path), FPS)


@pytest.mark.parametrize("path", ["", "  "])
def test_no_path_is_said_to_be_missing(path: str) -> None:
    with pytest.raises(SourceError, match="no recording to replay is named; set vid_root"):
        probe_source(path, FPS)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rec.write_hdf5(tmp_path / STREAM, rec.pictures(2))

    def refuse(*_args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # tests may run as root, who may read everything
    with pytest.raises(SourceError, match=r"may not be read \(Permission denied\); ask its owner"):
        probe_source(path, FPS)


def test_probing_changes_nothing(tmp_path: Path) -> None:
    rec.write_session(tmp_path / "S1", rec.pictures(3), rec.session_rows(3))
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.rglob("*") if p.is_file()}
    probe_source(tmp_path, FPS)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.rglob("*") if p.is_file()} == before


def test_info_of_an_hdf5_file(tmp_path: Path) -> None:
    path = rec.write_hdf5(tmp_path / STREAM, rec.pictures(30, dtype="uint16"))
    info = probe_source(path, 10.0)
    assert info == SourceInfo(SourceKind.hdf5, rec.WIDTH, rec.HEIGHT, 30, "uint16", 10.0, 3.0)


def test_info_of_one_frame(tmp_path: Path) -> None:
    path = rec.write_hdf5(tmp_path / STREAM, rec.pictures(1))
    assert probe_source(path, 4.0).duration_s == 0.25


def place_clopy(tmp: Path) -> tuple[Path, SourceKind]:
    clopy(tmp, 3, [0, 20, 40])
    return tmp, SourceKind.hdf5


def place_clopy_parent(tmp: Path) -> tuple[Path, SourceKind]:
    (tmp / "S1").mkdir()
    clopy(tmp / "S1", 3, [0, 20, 40])
    return tmp, SourceKind.hdf5


def place_other_name(tmp: Path) -> tuple[Path, SourceKind]:
    rec.write_hdf5(tmp / "mouse.h5", rec.pictures(3))
    (tmp / "table.h5").write_bytes(b"damaged, and not ours")
    return tmp, SourceKind.hdf5


def place_session(tmp: Path) -> tuple[Path, SourceKind]:
    return rec.write_session(tmp, rec.pictures(3), rec.session_rows(3)), SourceKind.session


def place_session_parent(tmp: Path) -> tuple[Path, SourceKind]:
    rec.write_session(tmp / "S1", rec.pictures(3), rec.session_rows(3))
    return tmp, SourceKind.session


def place_stream_of_session(tmp: Path) -> tuple[Path, SourceKind]:
    """Return the HDF5 file of a session: its log has times that must not be lost."""
    return rec.write_session(tmp, rec.pictures(3), rec.session_rows(3)) / STREAM, SourceKind.session


def place_session_with_clopy_log(tmp: Path) -> tuple[Path, SourceKind]:
    rec.write_clopy_log(tmp, [0])
    return rec.write_session(tmp, rec.pictures(3), rec.session_rows(3)), SourceKind.session


def place_video_folder(tmp: Path) -> tuple[Path, SourceKind]:
    rec.write_video(tmp / "film.avi", rec.pictures(3))
    return foreign_hdf5_only(tmp), SourceKind.video


def place_labelled_images(tmp: Path) -> tuple[Path, SourceKind]:
    """Return what DeepLabCut leaves: images with a table in HDF5 beside them."""
    rec.write_images(tmp, rec.pictures(3))
    return foreign_hdf5_only(tmp), SourceKind.images


PLACES = [
    place_clopy,
    place_clopy_parent,
    place_other_name,
    place_session,
    place_session_parent,
    place_stream_of_session,
    place_session_with_clopy_log,
    place_video_folder,
    place_labelled_images,
]


@pytest.mark.parametrize("make", PLACES)
def test_what_a_path_is_taken_for(make: Callable[[Path], tuple[Path, SourceKind]], tmp_path: Path) -> None:
    path, kind = make(tmp_path)
    info = probe_source(path, FPS)
    assert (info.kind, info.n_frames, info.width, info.height) == (kind, 3, rec.WIDTH, rec.HEIGHT)


def test_a_session_that_only_has_its_json_is_a_plain_file(tmp_path: Path) -> None:
    rec.write_hdf5(tmp_path / STREAM, rec.pictures(3))
    (tmp_path / SESSION_JSON).write_text("{}")
    assert probe_source(tmp_path, FPS).kind is SourceKind.hdf5
