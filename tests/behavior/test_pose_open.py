"""What stands in the way of an estimator, and which one is made."""

import pytest

from behavior import dlc_model
from behavior.markers import MarkerPose
from behavior.pose_client import ProcessPose
from behavior.pose_open import check_pose, dlc_spec, make_estimator, problems
from behavior.pose_settings import PoseBackend, PoseSettings, Precision
from behavior.pose_text import Window
from behavior.replay_pose import ReplayPose
from core.errors import InputError, MissingError
from core.ports import PoseEstimator

SHAPE = (120, 160, 3)
MARKERS, REPLAY = PoseBackend.markers, PoseBackend.replay


def dlc(**changes):
    return PoseSettings(**({"dlc_model_path": "model.pt"} | changes))


@pytest.mark.parametrize(
    ("settings", "keys", "says"),
    [
        (PoseSettings(), "dlc_model_path", "dlc_model_path is not set; give the .pt file"),
        (dlc(dlc_device="gpu"), "dlc_device", "dlc_device = gpu: no device; use auto, cpu, cuda or cuda:0"),
        (dlc(dlc_device="cpu", dlc_precision=Precision.fp16), "dlc_precision", "the device cpu has none"),
        (dlc(dlc_cropping="1, 2"), "dlc_cropping", "dlc_cropping = 1, 2: '1, 2' is not four whole numbers"),
        (dlc(dlc_cropping="0, 161, 0, 90"), "dlc_cropping", "goes beyond the frame of 160x120 px"),
        (dlc(dlc_cropping="0, 90, 0, 121"), "dlc_cropping", "goes beyond the frame of 160x120 px"),
        (dlc(dlc_resize=0.2), "dlc_resize", "dlc_resize 0.2 leaves 24 px of the shorter side"),
        (dlc(dlc_cropping="0, 60, 0, 120", dlc_resize=0.5), "dlc_resize", "leaves 30 px"),
        (PoseSettings(pose_backend=MARKERS), "markers", "there is no marker; write each as part and colour"),
        (PoseSettings(pose_backend=MARKERS, markers="a b"), "markers", "markers = a b: 'b' is no colour"),
        (PoseSettings(pose_backend=REPLAY), "pose_log", "pose_log is not set; give the folder"),
    ],
)
def test_what_does_not_go_together_is_named(settings, keys, says):
    ((found, text),) = problems(settings, (160, 120))
    assert found[0] == keys
    assert says in text
    with pytest.raises(InputError):
        make_estimator(settings, SHAPE, "uint8")


@pytest.mark.parametrize(
    "settings",
    [
        dlc(),
        dlc(dlc_device="cuda:1", dlc_precision=Precision.fp16, dlc_cropping="0, 160, 0, 120"),
        PoseSettings(pose_backend=MARKERS, markers="fl_l green"),
        PoseSettings(pose_backend=REPLAY, pose_log="S1"),
        PoseSettings(pose_backend=MARKERS, markers="fl_l green", dlc_device="cuda:1", dlc_cropping="0, 160, 0, 120"),
    ],
)
def test_what_can_be_used_has_no_problem(settings):
    assert list(problems(settings, (160, 120))) == []


def test_sizes_are_not_judged_without_a_resolution():
    assert list(problems(dlc(dlc_resize=0.01), None)) == []


def test_the_estimator_is_that_of_the_settings(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"")
    cases = [
        (PoseSettings(pose_backend=MARKERS, markers="fl_l green"), MarkerPose),
        (PoseSettings(pose_backend=REPLAY, pose_log="S1"), ReplayPose),
        (dlc(dlc_model_path=str(tmp_path)), ProcessPose),
    ]
    for settings, kind in cases:
        made = make_estimator(settings, SHAPE, "uint8")
        assert type(made) is kind
        assert isinstance(made, PoseEstimator)
        made.close()


def test_keys_reach_the_process(tmp_path):
    (tmp_path / "m.pt").write_bytes(b"")
    settings = dlc(
        dlc_model_path=str(tmp_path), dlc_device="cuda", dlc_precision=Precision.fp16, dlc_cropping="1, 100, 2, 90",
        dlc_dynamic=True, dlc_dynamic_likelihood=0.7, dlc_dynamic_margin=33, dlc_resize=0.5,
    )  # fmt: skip
    options = dlc_spec(settings, SHAPE).options
    assert (options.path, options.device, options.precision) == (tmp_path / "m.pt", "cuda", "FP16")
    assert (options.cropping, options.resize) == (Window(1, 100, 2, 90), 0.5)
    assert (options.dynamic, options.dynamic_likelihood, options.dynamic_margin) == (True, 0.7, 33)


def test_frames_that_no_estimator_takes():
    with pytest.raises(InputError, match="frames of float32 cannot be looked at; use uint8 or uint16"):
        make_estimator(PoseSettings(pose_backend=MARKERS, markers="fl_l green"), SHAPE, "float32")


def test_what_is_not_there_is_found_before_any_device_is_opened(tmp_path, monkeypatch):
    (tmp_path / "m.pt").write_bytes(b"")
    with pytest.raises(InputError, match=r"pose_log = .*: there is no such file or folder"):
        check_pose(PoseSettings(pose_backend=REPLAY, pose_log=str(tmp_path / "S1")))
    with pytest.raises(InputError, match="there is no such file or folder; correct the path"):
        check_pose(dlc(dlc_model_path=str(tmp_path / "other.pt")))
    monkeypatch.setattr(dlc_model, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match="not installed"):
        check_pose(dlc(dlc_model_path=str(tmp_path)))
    check_pose(PoseSettings(pose_backend=REPLAY, pose_log=str(tmp_path)))
    check_pose(PoseSettings(pose_backend=MARKERS, markers="fl_l green"))
