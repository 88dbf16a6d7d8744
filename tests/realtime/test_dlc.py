"""The real deeplabcut-live: a model trained on real frames, on real frames, in the process that a session has it in."""

import csv
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from behavior import pose_link
from behavior.dlc import DlcOptions, load_dlc
from behavior.pose_open import check_pose, make_estimator
from behavior.pose_settings import PoseSettings, Precision
from behavior.pose_text import Window
from core.errors import InputError, PoseError, StillOpening
from core.values import Frame, black
from tests.conftest import ROOT, SHARED_DATA
from tests.support.quick_start import forked

FOLDER = SHARED_DATA / "openfield"
MODEL = FOLDER / "pose_resnet10t.pt"
SHAPE = (480, 640, 3)
NAMES = ("snout", "leftear", "rightear", "tailbase")
RESIZE = 0.5
MEDIAN_PX = 8.0
PATIENCE_S = 30.0
"""A loaded machine takes seconds for a frame; how fast a pose is, is measured in ``bench/``."""

if os.environ.get("RIGLOOP_POSE") != "1" and (find_spec("dlclive") is None or not FOLDER.is_dir()):
    pytest.skip("needs the extra pose (make pose) and ../shared/data", allow_module_level=True)


def settings(**changes):
    values = {"dlc_model_path": str(MODEL), "dlc_resize": RESIZE, "pose_timeout_s": PATIENCE_S, "dlc_device": "cpu"}
    return PoseSettings(**(values | changes))


def opened(dtype="uint8", shape=SHAPE, **changes):
    made = make_estimator(settings(**changes), shape, dtype)
    made.open(lambda stage: True)
    return made


def poses(estimator, images):
    """Return (images, parts, 3)."""
    return np.array([estimator.estimate(Frame(each, k + 1, 0), lambda: None).points for k, each in enumerate(images)])


def seen(images, **changes):
    estimator = opened(shape=images[0].shape, dtype=str(images[0].dtype), **changes)
    try:
        return poses(estimator, images)
    finally:
        estimator.close()


def apart(one, other):
    return np.hypot(*(one - other)[:, :, :2].transpose(2, 0, 1))


@pytest.fixture(scope="module", autouse=True)
def loaded_before():
    """Have processes begin with PyTorch loaded, which takes seconds each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pose_link, "multiprocessing", forked("torch", "dlclive", "dlclive.pose_estimation_pytorch"))
        yield


@pytest.fixture(scope="module")
def plain():
    estimator = opened()
    yield estimator
    estimator.close()


@pytest.fixture(scope="module")
def mouse():
    """Frames of the other mouse's video that follow each other, the mouse in their middle."""
    import cv2

    film = cv2.VideoCapture(str(FOLDER / "m3v1mp4.mp4"))
    film.set(cv2.CAP_PROP_POS_FRAMES, 300)
    images = [film.read()[1] for _ in range(8)]
    film.release()
    return images


@pytest.fixture(scope="module")
def labelled():
    """Frames labelled by hand: images, and (frames, parts, 2) px."""
    import cv2

    with (FOLDER / "labeled-data" / "m4s1" / "CollectedData_Pranav.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[3:]
    places = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows])
    return [cv2.imread(str(FOLDER / row[0])) for row in rows], places.reshape(len(rows), -1, 2)


@pytest.fixture
def tell(capsys):
    def print_line(text):
        with capsys.disabled():
            sys.stdout.write(f"\ndlc: {text}\n")

    return print_line


def test_what_it_finds_is_what_a_person_labelled(plain, labelled, tell):
    images, places = labelled
    assert len(images) == 116
    errors = np.hypot(*(poses(plain, images)[:, :, :2] - places).transpose(2, 0, 1))
    tell(f"{len(images)} labelled frames: median {np.nanmedian(errors):.2f} px, p90 {np.nanpercentile(errors, 90):.2f}")
    assert np.nanmedian(errors) <= MEDIAN_PX


def test_it_says_what_it_is(plain):
    assert plain.names == NAMES
    facts = plain.facts
    assert facts["model"] == "pose_resnet10t.pt"
    assert facts["bodyparts"] == list(NAMES)
    assert (facts["device"], facts["precision"], facts["resize"]) == ("cpu", "FP32", RESIZE)
    assert facts["dlclive"]
    assert facts["torch"]


def test_points_of_another_mouse_are_trusted_and_the_same_each_time(plain, mouse):
    one = poses(plain, mouse)
    assert np.median(one[:, :, 2]) > 0.9
    assert (poses(plain, mouse) == one).all()
    assert plain.last_inference_ns > 0


def test_resizing_is_that_of_opencv(plain, mouse):
    import cv2

    small = [cv2.resize(image, (320, 240)) for image in mouse[:5]]
    found = seen(small, dlc_resize=1.0)
    found[:, :, :2] *= 2
    assert apart(found, poses(plain, mouse[:5])).max() < 1e-3


def window(points, margin):
    """Return a cropping on the grid of the model's strides that leaves the mouse this much, as a key has it."""
    grid = round(32 / RESIZE)
    low, high = points[:, :, :2].min(axis=(0, 1)) - margin, points[:, :, :2].max(axis=(0, 1)) + margin
    (x1, y1), (x2, y2) = np.maximum(low // grid * grid, 0), np.minimum(-(-high // grid) * grid, (640, 480))
    return f"{x1:.0f}, {x2:.0f}, {y1:.0f}, {y2:.0f}"


def test_cropping_dynamic_cropping_and_both_give_points_in_the_whole_frame(plain, mouse, tell):
    """Within what a model's sight of the surroundings makes; that the arithmetic is exact: tests/behavior/test_dlc."""
    whole = poses(plain, mouse)
    cropping = window(whole, 120)
    assert cropping != "0, 640, 0, 480"
    for changes in (
        {"dlc_cropping": cropping},
        {"dlc_dynamic": True, "dlc_dynamic_margin": 120},
        {"dlc_dynamic": True, "dlc_dynamic_margin": 120, "dlc_cropping": cropping},
    ):
        distance = apart(seen(mouse, **changes), whole)
        tell(f"{changes}: median {np.median(distance):.2f} px, p90 {np.percentile(distance, 90):.2f} from those of all")
        assert np.median(distance) < 1.0
        assert np.percentile(distance, 90) < 2.5


def test_a_mouse_that_left_its_window_is_found_again(plain, mouse):
    gone = [np.full(SHAPE, 60, np.uint8)] * 2
    away = [np.roll(image, 200, axis=1) for image in mouse[:2]]
    film = [*mouse[:2], *gone, *away, *gone, *mouse[:2]]
    found, whole = seen(film, dlc_dynamic=True, dlc_dynamic_margin=120), poses(plain, film)
    assert (found[[2, 3, 6, 7], :, 2] < 0.5).all()
    # The first frame in which it is there again is looked at whole.
    for back in (4, 8):
        assert apart(found, whole)[back].max() < 1e-3


def test_frames_of_16_bits(plain, mouse):
    assert (seen([mouse[0].astype(np.uint16) * 257]) == poses(plain, mouse[:1])).all()


@pytest.mark.parametrize("value", [0, 255, "noise"])
def test_odd_pixels_raise_nothing(plain, value):
    generator = np.random.default_rng(4)
    image = generator.integers(0, 256, SHAPE, np.uint8) if value == "noise" else np.full(SHAPE, value, np.uint8)
    (points,) = poses(plain, [image])
    assert points.shape == (4, 3)
    assert ((points[:, 2] >= 0) & (points[:, 2] <= 1)).all()


def broken(folder, kind):
    path = folder / "model.pt"
    whole = MODEL.read_bytes()
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("this is no model\n" * 100)
    elif kind == "cut short":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "bits turned":
        path.write_bytes(whole[:3000] + bytes(255 - byte for byte in whole[3000:6000]) + whole[6000:])
    else:
        code = {
            "snapshot of a training": "torch.save({'model': {}, 'metadata': {'epoch': 3}}, PATH)",
            "other network": "d = torch.load(MODEL, weights_only=True); d['config']['model']['backbone']['model_name'] "
            "= 'resnet18'; torch.save(d, PATH)",
            "other parts": "d = torch.load(MODEL, weights_only=True); "
            "d['config']['metadata']['bodyparts'].append('x'); torch.save(d, PATH)",
            "code": "torch.save(print, PATH)",
        }[kind]
        line = f"import torch; PATH, MODEL = {str(path)!r}, {str(MODEL)!r}; {code}"
        subprocess.run([sys.executable, "-c", line], check=True, cwd=folder)
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("empty", "no model that DeepLabCut-Live can load"),
        ("text", "no model that DeepLabCut-Live can load"),
        ("cut short", "no model that DeepLabCut-Live can load"),
        ("bits turned", "no model that DeepLabCut-Live can load"),
        ("code", "no model that DeepLabCut-Live can load"),
        ("snapshot of a training", r"no model that DeepLabCut-Live can load \(KeyError: 'config'\); export it with"),
        ("other network", "no model that DeepLabCut-Live can load"),
        ("other parts", "gives 4 points, and its metadata names 5 body parts"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_line_that_names_it(tmp_path, kind, says):
    path = broken(tmp_path, kind)
    estimator = make_estimator(settings(dlc_model_path=str(path)), SHAPE, "uint8")
    with pytest.raises(InputError, match=says) as caught:
        estimator.open(lambda stage: True)
    assert str(path) in str(caught.value)
    assert "deeplabcut.export_model" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert estimator.pid == 0


def test_a_model_that_was_there_at_the_check_and_is_not_any_more(tmp_path):
    path = tmp_path / "model.pt"
    shutil.copyfile(MODEL, path)
    check_pose(settings(dlc_model_path=str(path)))
    estimator = make_estimator(settings(dlc_model_path=str(path)), SHAPE, "uint8")
    path.unlink()
    with pytest.raises(InputError, match=r"model\.pt: there is no such file"):
        estimator.open(lambda stage: True)


def test_a_gpu_that_is_not_there():
    import torch

    if torch.cuda.is_available():
        assert load_dlc(DlcOptions(MODEL, "cuda", "FP16", RESIZE), SHAPE, lambda stage: None).names == NAMES
        return
    for changes, says in (
        ({"dlc_device": "cuda"}, "dlc_device = cuda: PyTorch finds no GPU it can use; set it to auto or cpu"),
        ({"dlc_device": "auto", "dlc_precision": Precision.fp16}, "dlc_precision = fp16: only a GPU has it"),
    ):
        estimator = make_estimator(settings(**changes), SHAPE, "uint8")
        with pytest.raises(InputError, match=says):
            estimator.open(lambda stage: True)


def test_a_model_that_hangs_is_ended_and_started_anew(mouse, monkeypatch):
    monkeypatch.setattr(pose_link, "multiprocessing", multiprocessing)
    estimator = opened(pose_timeout_s=0.3, dlc_cropping="0, 128, 0, 128")
    os.kill(estimator.pid, signal.SIGSTOP)
    with pytest.raises(PoseError, match=r"no pose in frame 1 within pose_timeout_s 0\.3"):
        poses(estimator, mouse[:1])
    stages = set()
    while True:
        try:
            estimator.reconnect()
            break
        except StillOpening as error:
            stages.add(str(error))
    assert len(stages) >= 3
    assert estimator.names == NAMES
    estimator.close()


CONTROLLER = f"""
import sys
from behavior.pose_open import check_pose, make_estimator
from behavior.pose_settings import PoseSettings
from core.values import Frame, black

def main():
    settings = PoseSettings(dlc_model_path={str(MODEL)!r}, dlc_resize=0.5, pose_timeout_s={PATIENCE_S})
    check_pose(settings)
    estimator = make_estimator(settings, {SHAPE}, "uint8")
    stages = []
    estimator.open(lambda stage: stages.append(stage) is None)
    estimator.estimate(Frame(black(480, 640), 1, 0), lambda: None)
    estimator.close()
    print(", ".join(dict.fromkeys(stages)))
    print(sorted({{"torch", "dlclive", "cv2"}} & set(sys.modules)))

if __name__ == "__main__":
    main()
"""


def test_no_heavy_library_comes_into_the_loops_process_and_nothing_is_printed(tmp_path):
    script = tmp_path / "controller.py"
    script.write_text(CONTROLLER)
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.stdout.splitlines() == ["starting, loading PyTorch, loading the model, first inference", "[]"]
    assert done.stderr == ""


def test_cropping_of_the_key_is_what_the_model_sees(mouse):
    """What lies outside of it changes nothing."""
    options = DlcOptions(MODEL, "cpu", resize=RESIZE, cropping=Window(64, 576, 64, 448))
    model = load_dlc(options, SHAPE, lambda stage: None)
    masked = black(*SHAPE[:2])
    masked[64:448, 64:576] = mouse[0][64:448, 64:576]
    assert (model.estimate(mouse[0]) == model.estimate(masked)).all()
