"""Labelled frames of the drawn mouse, in DeepLabCut's format."""

import csv
import math

import cv2
import pytest

from insilico.limb_labels import main
from tests.insilico.limbs import marker_at


def rows_of(folder):
    with (folder / "CollectedData_rigloop.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_frames_and_labels_in_deeplabcuts_format(tmp_path, capsys):
    out = tmp_path / "labels"
    assert main([str(out), "--frames", "14", "--size", "160x120", "--seed", "2"]) == 0
    assert "14 frames, labelled in " in capsys.readouterr().out
    rows = rows_of(out)
    assert rows[0] == ["scorer"] + ["rigloop"] * 6
    assert rows[1] == ["bodyparts", "fl_l", "fl_l", "fl_r", "fl_r", "snout", "snout"]
    assert rows[2] == ["coords", "x", "y", "x", "y", "x", "y"]
    assert len(rows) == 17
    places = set()
    for row in rows[3:]:
        image = cv2.imread(str(out / row[0].rpartition("/")[2]))
        assert image.shape == (120, 160, 3)
        label = (float(row[1]), float(row[2]))
        assert math.dist(marker_at(image, 60.0), label) < 0.5
        places.add(label)
    assert len(places) == 14


def test_equal_seeds_write_equal_frames_and_others_do_not(tmp_path):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert main([str(tmp_path / name), "--frames", "2", "--seed", seed, "--bare"]) == 0
    frames = [(tmp_path / name / "img0001.png").read_bytes() for name in "abc"]
    assert frames[0] == frames[1] != frames[2]


def test_a_part_outside_the_frame_has_no_label(tmp_path):
    assert main([str(tmp_path / "a"), "--frames", "2", "--start", "5,60", "--target", "40,60"]) == 0
    assert all(row[5:] and row[3] for row in rows_of(tmp_path / "a")[3:])
    assert main([str(tmp_path / "b"), "--frames", "2", "--start", "80,3", "--target", "80,40"]) == 0
    assert rows_of(tmp_path / "b")[3][5:] == ["", ""]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--start", "900,60"], "start_center 900, 60 lies outside the 160x120 px frame"),
        (["--size", "40x30"], "40x30 px is too small"),
        (["--ppmm", "0"], "ppmm is 0"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(tmp_path, capsys, asked, said):
    assert main([str(tmp_path / "a"), *asked]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_labels_that_are_there_are_not_overwritten(tmp_path, capsys):
    assert main([str(tmp_path / "a"), "--frames", "1"]) == 0
    assert main([str(tmp_path / "a"), "--frames", "1"]) == 2
    assert "is there already; give another folder" in capsys.readouterr().err
