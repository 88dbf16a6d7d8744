"""The conformance suite of the pose port over the real deeplabcut-live, with an untrained network of its own."""

import os
from importlib.util import find_spec

import pytest

from behavior import pose_link
from behavior.pose_open import make_estimator
from behavior.pose_settings import PoseSettings
from tests.conformance import test_pose as suite
from tests.conformance.test_pose import *  # noqa: F403 - the suite's tests and fixtures
from tests.support.quick_start import forked

if os.environ.get("RIGLOOP_POSE") != "1" and find_spec("dlclive") is None:
    pytest.skip("needs the extra pose (make pose)", allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def loaded_before():
    """Have processes begin with PyTorch loaded, which takes seconds each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pose_link, "multiprocessing", forked("torch", "dlclive", "dlclive.pose_estimation_pytorch"))
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small network with the suite's body parts, as DeepLabCut exports one."""
    from analysis.pose_training_net import build_model, export_bytes, make_config

    config = make_config("resnet10t", suite.NAMES, {"trained": False})
    path = tmp_path_factory.mktemp("model") / "untrained.pt"
    path.write_bytes(export_bytes(config, build_model(config, seed=1)))
    return path


@pytest.fixture
def case(model):
    """Eight bits: sixteen become eight in the client, which the suite holds elsewhere."""
    settings = PoseSettings(dlc_model_path=str(model), dlc_device="cpu", pose_timeout_s=30.0)
    return (lambda dtype: make_estimator(settings, suite.SHAPE, dtype), "uint8")
