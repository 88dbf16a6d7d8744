"""The first day's picture: of which session it is, what is in it, and when it is read again."""

import fcntl
import os
import shutil

import cv2
import h5py
import numpy as np
import pytest

from core.errors import InputError
from dashboard import places
from dashboard.places import KEPT, MEAN_IMAGES, FirstDays
from recording.folder import read_session_json, write_session_json
from recording.index_live import MOUSE_LOCK
from recording.schema import IMAGES, SESSION_JSON
from tests.support.recorded_folders import put_clopy, put_session, root

__all__ = ["root"]
DAYS = ("20261120093015", "20261121093015", "20261122093015")
SETTINGS = {"rig": "rig1", "ppmm": 25.6, "bregma": [135, 128.5], "roi.M1_L": "1,2,3,4", "roi": "M1_L", "seed": 3}


def put(root, date=DAYS[0], images=None, mouse="M1", dtype="uint8", **facts):
    """Write a session with images, (n, 12, 16, 3)."""
    folder = put_session(root, mouse, date, settings=SETTINGS, **facts)
    if images is not None:
        with h5py.File(folder / "image_stream.hdf5", "w") as file:
            file[IMAGES] = np.asarray(images).astype(dtype)
    return folder


def movie(level, n=40, green=7):
    images = np.full((n, 12, 16, 3), level)
    images[:, 2, 5, 1] = green
    return images


def decoded(day):
    return cv2.imdecode(np.frombuffer(day.png, np.uint8), cv2.IMREAD_UNCHANGED)


def test_it_is_the_first_session_with_images(root):
    put(root, DAYS[0])
    put(root, DAYS[1], movie(60))
    put(root, DAYS[2], movie(90))
    day = FirstDays().find(root, "M1", "clnf")
    assert day.facts() == {
        "session": f"M1/{DAYS[1]}/S1", "date": "2026-11-21", "kind": "clnf", "image": [16, 12], "images": MEAN_IMAGES,
        "ppmm": 25.6, "bregma": [135.0, 128.5], "rois": {"M1_L": "1,2,3,4"},
    }  # fmt: skip
    picture = decoded(day)
    assert picture.shape == (12, 16)
    assert picture[2, 5] == 7
    assert picture[0, 0] == 60


def test_it_is_the_mean_of_the_first_images(root):
    images = movie(60)
    images[:10, 0, 0, 1] = 90
    images[MEAN_IMAGES:] = 255
    put(root, images=images)
    day = FirstDays().find(root, "M1", "clnf")
    assert decoded(day)[0, 0] == 70
    assert day.grey[0, 0] == 70
    assert day.grey.max() == 70


def test_a_short_session_has_fewer(root):
    put(root, images=movie(60, n=3))
    assert FirstDays().find(root, "M1", "clnf").images == 3


def test_sixteen_bits_are_stretched_in_the_picture_alone(root):
    put(root, images=movie(1000, green=2000), dtype="uint16")
    day = FirstDays().find(root, "M1", "clnf")
    assert decoded(day)[2, 5] == 255
    assert decoded(day)[0, 0] in (127, 128)
    assert day.grey[2, 5] == 2000


def test_movement_sessions_have_a_picture_in_colours_and_one_of_another_kind_is_passed_over(root):
    put(root, DAYS[0], movie(60))
    images = movie(60)
    images[..., 2] = 200
    put(root, DAYS[1], images, kind="clmf").joinpath("image_stream.hdf5").rename(
        root / "M1" / DAYS[1] / "S1" / "behavior_video.h5"
    )
    meta = read_session_json(root / "M1" / DAYS[1] / "S1")
    meta["settings"] = {**SETTINGS, "video_file": "behavior_video.h5"}
    write_session_json(root / "M1" / DAYS[1] / "S1", meta)
    day = FirstDays().find(root, "M1", "clmf")
    assert day.row.day == "2026-11-21"
    assert decoded(day)[0, 0].tolist() == [60, 60, 200]
    assert day.grey[0, 0] == pytest.approx(320 / 3)
    assert FirstDays().find(root, "M1", "clnf").row.day == "2026-11-20"
    assert FirstDays().find(root, "M1", "").row.day == "2026-11-20"


def test_settings_that_a_session_does_not_tell_are_none(root):
    folder = put(root, images=movie(60))
    for told in ({}, {"ppmm": True, "bregma": [1, 2, 3], "roi.A": 3}, {"ppmm": "x", "bregma": [1, None]}, None):
        write_session_json(folder, {**read_session_json(folder), "settings": told})
        facts = FirstDays().find(root, "M1", "clnf").facts()
        assert (facts["ppmm"], facts["bregma"], facts["rois"]) == (None, None, {})


def damage_cut(folder):
    path = folder / "image_stream.hdf5"
    os.truncate(path, path.stat().st_size // 2)


def damage_other(folder):
    (folder / "image_stream.hdf5").write_bytes(b"no images")


def damage_empty(folder):
    with h5py.File(folder / "image_stream.hdf5", "w") as file:
        file[IMAGES] = np.empty((0, 12, 16, 3), np.uint8)


def damage_json(folder):
    (folder / SESSION_JSON).write_text("{")


@pytest.mark.parametrize("damage", [damage_cut, damage_other, damage_empty, damage_json])
def test_a_damaged_session_is_passed_over(root, damage):
    damage(put(root, DAYS[0], movie(60)))
    put(root, DAYS[1], movie(90))
    assert FirstDays().find(root, "M1", "clnf").row.day == "2026-11-21"


def test_the_session_that_runs_is_passed_over_and_one_that_was_killed_is_not(root):
    put(root, DAYS[0], movie(60), outcome="running")
    put(root, DAYS[1], movie(90), outcome="running")
    days = FirstDays()
    assert days.find(root, "M1", "clnf").row.day == "2026-11-20"
    shutil.rmtree(root / "M1" / DAYS[0])
    with (root / "M1" / MOUSE_LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert days.find(root, "M1", "clnf") is None
        (root / "M1" / DAYS[1] / "S1" / SESSION_JSON).write_text("{")
        assert days.find(root, "M1", "clnf") is None
        write_session_json(root / "M1" / DAYS[1] / "S1", {"mouse": "M1", "kind": "clnf", "outcome": "complete"})
        assert days.find(root, "M1", "clnf").row.day == "2026-11-21"


def test_a_session_of_clopys_may_be_the_first(root):
    folder = put_clopy(root, "M1", "20231114221324")
    put(root, DAYS[1], movie(90))
    days = FirstDays()
    assert days.find(root, "M1", "clnf").row.day == "2026-11-21"
    with h5py.File(folder / "image_stream.hdf5", "w") as file:
        file[IMAGES] = movie(60).astype(np.uint8)
    day = days.find(root, "M1", "clnf")
    assert (day.row.day, day.ppmm) == ("2023-11-14", None)


def test_where_there_is_nothing_there_is_no_first_day(root):
    days = FirstDays()
    assert days.find(root, "M1", "clnf") is None
    assert days.find(root / "not there", "M1", "clnf") is None
    put(root, mouse="M2", images=movie(60))
    assert days.find(root, "M1", "clnf") is None


def test_a_data_root_that_cannot_be_read_is_told(root):
    (root / "file").write_text("")
    with pytest.raises(InputError, match=r"Not a directory.*or give another with --data-root"):
        FirstDays().find(root / "file", "M1", "clnf")


def test_a_picture_is_read_again_only_when_its_files_have_changed(root, monkeypatch):
    read, real = [], places._read
    monkeypatch.setattr(places, "_read", lambda session, row: read.append(row.path) or real(session, row))
    put(root, DAYS[0])
    folder = put(root, DAYS[1], movie(60))
    days = FirstDays()
    first = days.find(root, "M1", "clnf")
    assert days.find(root, "M1", "clnf") is first
    assert len(read) == 1
    put(root, DAYS[1], movie(70))
    assert decoded(days.find(root, "M1", "clnf"))[0, 0] == 70
    meta = read_session_json(folder)
    write_session_json(folder, {**meta, "settings": {**SETTINGS, "ppmm": 30.0}})
    assert days.find(root, "M1", "clnf").ppmm == 30
    assert len(read) == 3
    damage_other(folder)
    for _ in range(2):
        assert days.find(root, "M1", "clnf") is None
    assert len(read) == 4


def test_few_pictures_are_kept(root, monkeypatch):
    read, real = [], places._read
    monkeypatch.setattr(places, "_read", lambda session, row: read.append(row.path) or real(session, row))
    mice = [f"M{number}" for number in range(KEPT + 1)]
    for mouse in mice:
        put(root, mouse=mouse, images=movie(60, n=2))
    days = FirstDays()
    for mouse in [*mice, *mice[1:], mice[0], mice[0]]:
        assert days.find(root, mouse, "clnf").row.mouse == mouse
    assert len(read) == KEPT + 2
