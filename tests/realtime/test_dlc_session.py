"""The whole way with the real deeplabcut-live: a session on the real video of a mouse, and one of the simulated mouse
with a model that was trained on pictures of it. By the commands, as a user gives them."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from analysis.pose_training_labels import read_folders
from analysis.pose_training_report import video_images
from recording.reader import count_images, open_session
from tests.conftest import ROOT, SHARED_DATA
from tests.support.sessions import CONFIG

FOLDER = SHARED_DATA / "openfield"
PATIENCE_S = 900
"""A loaded machine takes a second for a frame."""

if os.environ.get("RIGLOOP_POSE") != "1" and (find_spec("dlclive") is None or not FOLDER.is_dir()):
    pytest.skip("needs the extra pose (make pose) and ../shared/data", allow_module_level=True)

OPENFIELD = f"""\
[clmf_openfield]
vid_source      = replay
vid_root        = {FOLDER / "m3v1mp4.mp4"}
resolution      = 640, 480
framerate       = 30
ppmm            = 8
pose_backend    = dlc
dlc_model_path  = {FOLDER / "pose_resnet10t.pt"}
dlc_resize      = 0.5
control_point   = snout
speed_threshold = 60
trial_start     = immediate
total_trials    = 3
initial_rest_dur = 2
max_trial_dur   = 3
success_rest_dur = 1
fail_rest_dur   = 1
reward_delay    = 0.3
summary_file    = openfield.csv
[mouse:M3]
experiment      = clmf_openfield
"""


QUICK = {
    "total_trials": "2", "trial_start": "immediate", "initial_rest_dur": "1", "max_trial_dur": "2",
    "success_rest_dur": "0.5", "fail_rest_dur": "0.5",
}  # fmt: skip


def sets(keys):
    """Return the words that set these keys."""
    return [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]


def rigloop(*words, script="cli/main.py"):
    """Run a command; return what it said on stdout."""
    program = ["-m", "cli.main"] if script == "cli/main.py" else [str(ROOT / script)]
    done = subprocess.run(
        [sys.executable, *program, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_session_on_the_real_video_of_a_mouse(tmp_path):
    config = tmp_path / "config.ini"
    config.write_text(OPENFIELD, encoding="utf-8")
    options = ("--config", config, "--mouse", "M3", "--data-root", tmp_path / "data", "--seed", "1", "--json")
    result = json.loads(rigloop(*options, script="behavior/cla_dlc_trials_speed.py").splitlines()[-1])
    assert (result["outcome"], result["trials"], result["dropped"], result["skipped"]) == ("complete", 3, 0, 0)
    with open_session(result["session"]) as session:
        names, table = session.part_names, session.frames
        assert names[2:5] == ("snout_x", "snout_y", "snout_likelihood")
        assert session.meta["devices"]["pose"]["bodyparts"] == ["snout", "leftear", "rightear", "tailbase"]
        assert count_images(session) == len(table) == result["frames"]
        likely = table.parts[:, names.index("snout_likelihood")]
        assert np.median(likely) > 0.9
        speed = table.signal[table.valid]
        # This mouse walks: 16 mm/s in the mean, were a mm 8 px; a tracker that jumps about would show hundreds.
        assert 5 < np.median(speed) < 40
        assert np.quantile(speed, 0.99) < 150
    assert (session.folder / "session.png").stat().st_size > 20_000
    assert (session.folder / "behavior_video.mkv").stat().st_size > 20_000


def test_a_video_that_ends_early_ends_the_session_with_all_it_has(tmp_path):
    config = tmp_path / "config.ini"
    # Longer than the video, by far; its first half minute is cut out, since a pose takes its time.
    import cv2

    source = cv2.VideoCapture(str(FOLDER / "m3v1mp4.mp4"))
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(60):
        assert source.grab()
        cv2.imwrite(str(folder / f"img{number:04d}.png"), source.retrieve()[1])
    config.write_text(OPENFIELD.replace(str(FOLDER / "m3v1mp4.mp4"), str(folder)), encoding="utf-8")
    options = ("--config", config, "--mouse", "M3", "--data-root", tmp_path / "data", "--seed", "1", "--json")
    result = json.loads(rigloop("run", *options).splitlines()[-1])
    assert (result["outcome"], result["frames"], result["images"]) == ("source_ended", 60, 60)


def test_the_simulated_mouse_with_a_model_trained_on_pictures_of_it(tmp_path):
    labels, model = tmp_path / "labels", tmp_path / "limb.pt"
    geometry = ("--size", "320x160", "--start", "130,115", "--target", "160,60", "--ppmm", "8")
    subprocess.run(
        [sys.executable, "-m", "insilico.limb_labels", str(labels), "--frames", "160", "--seed", "1", *geometry],
        cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip
    trained = rigloop(labels, "--output", model, "--steps", "80", "--seed", "1", script="analysis/train_pose_model.py")
    assert "held out" in trained
    words = ("run", "--config", CONFIG, "--mouse", "SIM2", "--seed", "3", "--json", *sets(QUICK))
    keys = {"pose_backend": "dlc", "dlc_model_path": model, "dlc_device": "cpu", "speed_threshold": "60"}
    result = json.loads(rigloop(*words, "--data-root", tmp_path / "data", *sets(keys)).splitlines()[-1])
    assert (result["outcome"], result["trials"], result["dropped"]) == ("complete", 2, 0)
    again = json.loads(
        rigloop(
            *words, "--data-root", tmp_path / "markers", "--camera", "replay", "--source", result["session"]
        ).splitlines()[-1]
    )
    with open_session(result["session"]) as one, open_session(again["session"]) as other:
        at = [one.part_names.index(f"fl_l_{axis}") for axis in "xy"]
        to = [other.part_names.index(f"fl_l_{axis}") for axis in "xy"]
        n = min(len(one.frames), len(other.frames))
        assert n > 150
        apart = np.hypot(*(one.frames.parts[:n, at] - other.frames.parts[:n, to]).T)
    # The marker's centroid in the recorded video is within half a pixel of the truth.
    assert np.median(apart) < 3.0


def test_our_labels_of_the_other_mouse(shared_data):
    labels = read_folders([ROOT / "tests" / "data" / "m3v1_labels.csv"])
    assert (labels.parts, len(labels)) == (("snout", "leftear", "rightear", "tailbase"), 30)
    images = list(video_images(shared_data / "openfield" / "m3v1mp4.mp4", labels))
    # The mouse is black and each snout is its tip.
    for image, points in zip(images, labels.points, strict=True):
        x, y = points[0].round().astype(int)
        assert image[max(0, y - 5) : y + 6, max(0, x - 5) : x + 6].min() < 80
