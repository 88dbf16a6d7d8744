"""Model files and libraries, looked at before anything is loaded."""

import importlib.util

import pytest

from behavior import dlc_model
from behavior.dlc_model import check_libraries, find_model
from core.errors import InputError, MissingError


def make(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def test_a_file_or_the_only_one_of_its_folder(tmp_path):
    make(tmp_path, "model.pt", "notes.txt")
    assert find_model(str(tmp_path / "model.pt")) == tmp_path / "model.pt"
    assert find_model(str(tmp_path)) == tmp_path / "model.pt"


@pytest.mark.parametrize(
    ("files", "given", "says"),
    [
        ([], "nowhere", "no such file or folder; correct the path"),
        ([], "", r"no \.pt file in this folder; export the model anew with DeepLabCut 3"),
        (["a.pt", "b.pt"], "", r"it has 2 \.pt files \(a\.pt, b\.pt\); name one of them"),
        (["snapshot-1.pb", "pose_cfg.yaml"], "", "a model for TensorFlow, which is not supported"),
        (["model.onnx"], "model.onnx", r"a \.onnx is no \.pt file"),
    ],
)
def test_what_is_no_model_says_what_to_give(tmp_path, files, given, says):
    make(tmp_path, *files)
    with pytest.raises(InputError, match=says):
        find_model(str(tmp_path / given))


def test_an_empty_path():
    with pytest.raises(InputError, match="dlc_model_path is not set"):
        find_model("")


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ((3, 11), "dlclive, torch, torchvision not installed; run make pose, or use pose_backend = markers"),
        ((3, 13), r"needs Python below 3\.13, and this is 3\.13: make the environment with an older one"),
    ],
)
def test_libraries_that_are_missing_say_how_to_get_them(monkeypatch, version, says):
    monkeypatch.setattr(dlc_model, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=says):
        check_libraries(version)


def test_libraries_that_are_there(monkeypatch):
    monkeypatch.setattr(dlc_model, "find_spec", lambda name: importlib.util.find_spec("numpy"))
    check_libraries((3, 11))
