"""The file of a DeepLabCut model and the libraries it needs, looked at without loading any of them."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from core.errors import InputError, MissingError

NOT_INSTALLED = "deeplabcut-live or PyTorch is not installed, or does not start; run make pose, or use markers"
LIBRARIES = ("dlclive", "torch", "torchvision")
PYTHON_BELOW = (3, 13)
"""deeplabcut-live 1.1.0 does not install from this Python on."""
_TENSORFLOW = ("*.pb", "pose_cfg.yaml", "*.tflite")
_EXPORT = "export the model anew with DeepLabCut 3 (engine pytorch): deeplabcut.export_model(config) writes a .pt file"


def find_model(text: str) -> Path:
    """Return the ``.pt`` file of ``dlc_model_path``, which may name the folder it is in.

    Raises
    ------
    InputError
        There is none, or there are several.
    """
    if not text:
        raise InputError("dlc_model_path is not set; give the .pt file that deeplabcut.export_model(config) wrote")
    path = Path(text).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        raise InputError(f"dlc_model_path = {text}: there is no such file or folder; correct the path")
    if path.suffix.lower() not in (".pt", ".pth"):
        raise InputError(f"dlc_model_path = {text}: a {path.suffix or 'file without ending'} is no .pt file; {_EXPORT}")
    return path


def _in_folder(folder: Path) -> Path:
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".pt")
    if len(files) == 1:
        return files[0]
    if files:
        names = ", ".join(path.name for path in files[:5])
        raise InputError(f"dlc_model_path = {folder}: it has {len(files)} .pt files ({names}); name one of them")
    if any(True for pattern in _TENSORFLOW for _ in folder.glob(pattern)):
        raise InputError(f"dlc_model_path = {folder}: a model for TensorFlow, which is not supported; {_EXPORT}")
    raise InputError(f"dlc_model_path = {folder}: no .pt file in this folder; {_EXPORT}")


def check_libraries(version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """Raise MissingError where deeplabcut-live or PyTorch is not installed; imports neither."""
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if not missing:
        return
    cure = "run make pose, or use pose_backend = markers"
    if version >= PYTHON_BELOW:
        cure = (
            f"deeplabcut-live needs Python below {'.'.join(map(str, PYTHON_BELOW))}, and this is "
            f"{'.'.join(map(str, version))}: make the environment with an older one and run make pose there, or use "
            "pose_backend = markers"
        )
    raise MissingError(f"pose_backend = dlc: {', '.join(missing)} not installed; {cure}")
