"""What a path is taken for, and what is told of a recording before it is replayed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from camera.replay import SourceInfo, SourceKind, probe_source
from recording.schema import SESSION_JSON
from tests.camera import recordings as rec
from tests.camera.problems import FPS


def test_probing_changes_nothing(tmp_path: Path) -> None:
    rec.write_session(tmp_path / "S1", rec.pictures(3), rec.session_rows(3))
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.rglob("*") if p.is_file()}
    probe_source(tmp_path, FPS)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.rglob("*") if p.is_file()} == before


def test_info_of_an_hdf5_file(tmp_path: Path) -> None:
    path = rec.write_hdf5(tmp_path / rec.STREAM, rec.pictures(30, dtype="uint16"))
    info = probe_source(path, 10.0)
    assert info == SourceInfo(SourceKind.hdf5, rec.WIDTH, rec.HEIGHT, 30, "uint16", 10.0, 3.0)


def test_info_of_one_frame(tmp_path: Path) -> None:
    path = rec.write_hdf5(tmp_path / rec.STREAM, rec.pictures(1))
    assert probe_source(path, 4.0).duration_s == 0.25


def place_clopy(tmp: Path) -> tuple[Path, SourceKind]:
    rec.write_clopy(tmp, 3, [0, 20, 40])
    return tmp, SourceKind.hdf5


def place_clopy_parent(tmp: Path) -> tuple[Path, SourceKind]:
    (tmp / "S1").mkdir()
    rec.write_clopy(tmp / "S1", 3, [0, 20, 40])
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
    return rec.write_session(tmp, rec.pictures(3), rec.session_rows(3)) / rec.STREAM, SourceKind.session


def place_session_with_clopy_log(tmp: Path) -> tuple[Path, SourceKind]:
    rec.write_clopy_log(tmp, [0])
    return rec.write_session(tmp, rec.pictures(3), rec.session_rows(3)), SourceKind.session


def place_video_folder(tmp: Path) -> tuple[Path, SourceKind]:
    rec.write_video(tmp / "film.avi", rec.pictures(3))
    return rec.write_table_of_others(tmp), SourceKind.video


def place_labelled_images(tmp: Path) -> tuple[Path, SourceKind]:
    """Return what DeepLabCut leaves: images with a table in HDF5 beside them."""
    rec.write_images(tmp, rec.pictures(3))
    return rec.write_table_of_others(tmp), SourceKind.images


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
    rec.write_hdf5(tmp_path / rec.STREAM, rec.pictures(3))
    (tmp_path / SESSION_JSON).write_text("{}")
    assert probe_source(tmp_path, FPS).kind is SourceKind.hdf5
