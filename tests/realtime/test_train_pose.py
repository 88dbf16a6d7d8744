"""A pose model is trained, by the command and for real, on pictures of two dots. Steps, since machines are loaded."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT

TRAIN = str(ROOT / "analysis" / "train_pose_model.py")
EVALUATE = str(ROOT / "analysis" / "evaluate_pose_model.py")
FRAMES, SIDE = 60, 64
STEPS = 200
PATIENCE_S = 180


@pytest.fixture(autouse=True)
def need_torch():
    """The pose extra is large, and not everyone's; on CI its absence is a failure."""
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("dlclive") is None:
        cure = "torch and deeplabcut-live are not installed: make pose"
        if os.environ.get("RIGLOOP_POSE") == "1":
            pytest.fail(cure)
        pytest.skip(cure)


@pytest.fixture(scope="module")
def dots(tmp_path_factory):
    """Labelled pictures of a red dot and a green one; the green one is hidden in every fifth."""
    import cv2

    folder = tmp_path_factory.mktemp("labeled-data") / "dots"
    folder.mkdir()
    rng = np.random.default_rng(5)
    rows = ["scorer,,,me,me,me,me", "bodyparts,,,red,red,green,green", "coords,,,x,y,x,y"]
    for number in range(FRAMES):
        image = rng.integers(90, 120, (SIDE, SIDE, 3), dtype=np.uint8)
        points = rng.integers(8, SIDE - 8, (2, 2))
        cells = []
        for (x, y), colour, hidden in zip(points, ((0, 0, 255), (0, 255, 0)), (False, number % 5 == 0), strict=True):
            if not hidden:
                cv2.circle(image, (int(x), int(y)), 4, colour, -1)
            cells += ["", ""] if hidden else [str(x), str(y)]
        cv2.imwrite(str(folder / f"img{number:03}.png"), image)
        rows.append(f"labeled-data,dots,img{number:03}.png,{','.join(cells)}")
    (folder / "CollectedData_me.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


def run(*argv):
    return subprocess.run(
        [sys.executable, *map(str, argv)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        # Two threads that share a processor with other work wait for each other most of the time.
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def test_a_model_is_trained_that_dlclive_runs(dots, tmp_path):
    model = tmp_path / "dots.pt"
    done = run(TRAIN, dots, "--output", model, "--steps", STEPS, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["resize"], said["size"], said["original"]) == (1.0, [SIDE, SIDE], [SIDE, SIDE])
    assert said["frames"] + said["held_out"] < FRAMES
    assert said["errors"]["all"]["median_px"] < 3, said
    assert "min left" in done.stderr
    # The same through DLCLive once more, of the file alone.
    again = run(EVALUATE, model, dots, "--held-out", "--json")
    assert again.returncode == 0, again.stderr
    measured = json.loads(again.stdout)
    assert measured["frames"] == said["held_out"]
    assert measured["errors"]["all"] == pytest.approx(said["errors"]["all"])
    exported = run("-c", f"import torch; print(sorted(torch.load({str(model)!r}, weights_only=True)))")
    assert exported.stdout.strip() == "['config', 'pose']"
    assert os.listdir(tmp_path) == ["dots.pt"]


def test_all_frames_within_a_time(dots, tmp_path):
    done = run(TRAIN, dots, "--output", tmp_path / "all.pt", "--minutes", "0.15", "--all", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["steps"] > 1
    assert (said["frames"], said["held_out"], said["errors"]) == (FRAMES, 0, None)
    # A step that takes longer than any before it may end later than the budget, by so much.
    assert said["minutes"] < 0.25
    none_left_out = run(EVALUATE, tmp_path / "all.pt", dots, "--held-out")
    assert (none_left_out.returncode, none_left_out.stderr.count("\n")) == (2, 1)


def test_interrupted_it_leaves_nothing_and_says_what_it_did(dots, tmp_path):
    command = [sys.executable, TRAIN, str(dots), "--output", str(tmp_path / "m.pt"), "--minutes", "9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as training:
        said = b""
        while b"step 1" not in said:
            # Without a terminal the bar is written every ten seconds.
            new = training.stderr.read1(4096)
            assert new, said
            said += new
        training.send_signal(signal.SIGINT)
        out, rest = training.communicate(timeout=PATIENCE_S)
    assert (training.returncode, out) == (130, b"")
    last = rest.decode().splitlines()[-1]
    assert last.startswith("stopped: ")
    assert last.endswith("no model was written")
    assert " steps in " in last
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--net", "mobilenetv3_small_100"), "not a ResNet of timm"),
        (("--size", "16x16"), "32 px a side"),
    ],
    ids=["net", "size"],
)
def test_what_only_torch_and_images_tell(dots, tmp_path, argv, said):
    done = run(TRAIN, dots, "--output", tmp_path / "m.pt", *argv)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_what_is_no_model(dots, tmp_path):
    (tmp_path / "m.pt").write_bytes(b"no model")
    done = run(EVALUATE, tmp_path / "m.pt", dots)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "not a model in DeepLabCut-Live's PyTorch format" in done.stderr
