"""The commands that train and evaluate pose models, but for the network (tests/realtime/test_train_pose.py)."""

import json
import subprocess
import sys

import numpy as np
import pytest

from analysis import evaluate_pose_model, pose_training_net, train_pose_model
from analysis.pose_training_labels import read_folders
from analysis.pose_training_report import as_json, common_points, measure_errors, table, video_images
from core.errors import InputError, SourceError
from tests.conftest import ROOT
from tests.support.labelled import HEAD, frames, names, write_folder

SCRIPT = ROOT / "analysis" / "train_pose_model.py"


POINTS = np.array([[[0.0, 0], [np.nan, np.nan]], [[10, 0], [5, 5]], [[0, 10], [np.nan, np.nan]]])
POSES = np.array([[[0, 3, 0.9], [0, 0, 0.1]], [[14, 3, 0.8], [5, 7, 0.7]], [[0, 10, 0.7], [0, 0, 0.1]]])


def test_errors_are_over_labelled_frames():
    snout, tail, both = measure_errors(("snout", "tail"), POINTS, POSES)
    assert (snout.labels, snout.median_px, snout.likelihood) == (3, 3.0, 0.8)
    assert (tail.labels, tail.median_px, tail.p90_px) == (1, 2.0, 2.0)
    assert (both.part, both.labels, both.median_px) == ("all", 4, 2.5)


def test_a_part_that_is_never_labelled():
    errors = measure_errors(("a",), np.full((2, 1, 2), np.nan), np.zeros((2, 1, 3)))
    assert as_json(errors)["a"] == {"labels": 0, "median_px": None, "p90_px": None, "likelihood": None}
    assert json.loads(json.dumps(as_json(errors))) == as_json(errors)
    assert len(table(errors).splitlines()) == 3


def test_labels_in_the_order_of_the_model(tmp_path):
    labels = read_folders([write_folder(tmp_path / "v", HEAD + "a.png,1,2,3,4\n")])
    points = common_points(labels, ("tail", "paw", "snout"))
    np.testing.assert_array_equal(points, [[[3, 4], [np.nan, np.nan], [1, 2]]])
    with pytest.raises(InputError, match="not tail of the labels"):
        common_points(labels, ("snout", "paw"))


def test_frames_of_a_video_by_number(tmp_path):
    import cv2

    video = tmp_path / "v.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    for level in range(0, 200, 20):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    labels = read_folders([write_folder(tmp_path / "v", HEAD + "img2.png,1,2,3,4\nimg0007.png,1,2,3,4\n")])
    assert [round(float(image.mean()) / 20) for image in video_images(video, labels)] == [2, 7]
    late = read_folders([write_folder(tmp_path / "w", HEAD + "img12.png,1,2,3,4\n")])
    with pytest.raises(SourceError, match="up to frame 12"):
        list(video_images(video, late))
    unordered = read_folders([write_folder(tmp_path / "x", HEAD + "img9.png,1,2,3,4\nimg3.png,1,2,3,4\n")])
    with pytest.raises(InputError, match="not in ascending order"):
        list(video_images(video, unordered))
    nameless = read_folders([write_folder(tmp_path / "y", HEAD + "img.png,1,2,3,4\n")])
    with pytest.raises(InputError, match="no frame number"):
        list(video_images(video, nameless))


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "v", HEAD + frames(12), names(12))


def run_command(capsys, *argv):
    try:
        code = train_pose_model.main([str(argument) for argument in argv])
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return code, err


def test_without_torch_it_says_what_to_install(capsys, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(pose_training_net.importlib.util, "find_spec", lambda name: None)
    code, said = run_command(capsys, folder, "--output", tmp_path / "m.pt")
    assert code == 3
    assert "torch" in said
    assert "make pose" in said


def test_outputs_that_are_refused(capsys, folder, tmp_path):
    (tmp_path / "m.pt").touch()
    code, said = run_command(capsys, folder, "--output", tmp_path / "m.pt")
    assert (code, "exists" in said) == (2, True)
    code, said = run_command(capsys, folder, "--output", tmp_path / "no" / "m.pt")
    assert (code, "no such folder" in said) == (2, True)


def test_too_few_frames(capsys, tmp_path):
    few = write_folder(tmp_path / "few", HEAD + frames(9))
    code, said = run_command(capsys, few, "--output", tmp_path / "m.pt")
    assert code == 2
    assert "9 frames with a label" in said


@pytest.mark.parametrize(
    "wrong",
    [
        ("--minutes", "0"),
        ("--minutes", "soon"),
        ("--size", "320"),
        ("--size", "0x10"),
        ("--hold-out", "1"),
        ("--batch", "1"),
        ("--turn", "200"),
        ("--seed", "-1"),
        ("--steps", "5", "--minutes", "1"),
        ("--all", "--hold-out", "0.1"),
        ("--precision", "fp8"),
    ],
    ids=" ".join,
)
def test_options_that_are_refused(capsys, folder, tmp_path, wrong):
    code, said = run_command(capsys, folder, "--output", tmp_path / "m.pt", *wrong)
    assert code == 2
    assert said.startswith("train_pose_model.py: ")


def test_a_time_budget_ends_before_a_step_that_would_end_too_late():
    now = [0.0]
    args = train_pose_model.make_parser().parse_args(["x", "--output", "m.pt", "--minutes", "1"])
    done = train_pose_model.budget(args, lambda: now[0])
    assert done(0) == 0
    now[0] = 20.0
    assert done(1) == pytest.approx(1 / 3)
    now[0] = 39.0
    assert done(2) == pytest.approx(39 / 60)
    now[0] = 41.0
    assert done(3) == 1


def test_a_number_of_steps():
    args = train_pose_model.make_parser().parse_args(["x", "--output", "m.pt", "--steps", "8"])
    assert [train_pose_model.budget(args, lambda: 1e9)(steps) for steps in (0, 2, 8)] == [0, 0.25, 1]


def test_it_is_a_script_of_its_own(tmp_path):
    for script in (train_pose_model, evaluate_pose_model):
        done = subprocess.run([sys.executable, script.__file__, "--help"], cwd=tmp_path, capture_output=True)
        assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "nowhere", "--output", "m.pt"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nowhere: no such folder")


def test_a_model_to_evaluate_must_know_what_was_held_out(tmp_path, monkeypatch):
    labels = read_folders([write_folder(tmp_path / "v", HEAD + frames(3))])
    config = {"rigloop": {"held_out": ["v/img001.png"]}}
    monkeypatch.setattr(evaluate_pose_model, "read_config", lambda model: config)
    assert evaluate_pose_model.held_out_of("m.pt", labels).images == (tmp_path / "v" / "img001.png",)
    config["rigloop"]["held_out"] = ["w/img001.png"]
    with pytest.raises(InputError, match="names none of these frames"):
        evaluate_pose_model.held_out_of("m.pt", labels)
