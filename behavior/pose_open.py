"""Makes the pose estimator that config.ini asks for, and says beforehand what stands in its way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from behavior.dlc import DlcOptions
from behavior.dlc_model import check_libraries, find_model
from behavior.markers import MarkerPose
from behavior.pose_client import ProcessPose
from behavior.pose_points import DTYPES, Shape
from behavior.pose_settings import PoseBackend, PoseSettings, Precision
from behavior.pose_spec import PoseSpec
from behavior.pose_text import Window, parse_cropping, parse_markers
from behavior.replay_pose import ReplayPose
from core.errors import InputError
from core.ports import PoseEstimator

DLC_LOADER = "behavior.dlc:load_dlc"
LEAST_SIDE_PX = 32
"""Least side of what a model is shown, px of its input: the largest stride of DeepLabCut's networks."""
_DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,2})?")

Found = tuple[tuple[str, ...], str]


def make_estimator(settings: PoseSettings, frame_shape: Shape, frame_dtype: str, priority: int = 0) -> PoseEstimator:
    """Return the estimator of the settings, not open.

    Parameters
    ----------
    settings : PoseSettings
    frame_shape : (int, int, int)
        Height, width and 3 of the camera's frames.
    frame_dtype : {"uint8", "uint16"}
    priority : int
        Real-time priority of a model's process; see ``PoseSpec``.

    Raises
    ------
    InputError
        A setting that cannot be used, or a model that is not there.
    """
    if frame_dtype not in DTYPES:
        raise InputError(f"pose: frames of {frame_dtype} cannot be looked at; use {' or '.join(DTYPES)}")
    height, width, _ = frame_shape
    for _, text in problems(settings, (width, height)):
        raise InputError(text)
    if settings.pose_backend is PoseBackend.markers:
        return MarkerPose(settings, frame_shape, frame_dtype)
    if settings.pose_backend is PoseBackend.replay:
        return ReplayPose(settings.pose_log, frame_shape, frame_dtype)
    spec = replace(dlc_spec(settings, frame_shape), priority=priority)
    return ProcessPose(spec, frame_dtype, settings.pose_timeout_s)


def dlc_spec(settings: PoseSettings, frame_shape: Shape) -> PoseSpec:
    """Return what the pose process is told to run a DeepLabCut model. Raises InputError."""
    options = DlcOptions(
        find_model(settings.dlc_model_path),
        settings.dlc_device,
        settings.dlc_precision.name.upper(),
        settings.dlc_resize,
        parse_cropping(settings.dlc_cropping),
        settings.dlc_dynamic,
        settings.dlc_dynamic_likelihood,
        settings.dlc_dynamic_margin,
        settings.dlc_threads,
    )
    return PoseSpec(DLC_LOADER, options, frame_shape)


def check_pose(settings: PoseSettings) -> None:
    """Look for what the estimator will need, before any device is opened; loads no library.

    Raises
    ------
    InputError
        A model or log is not there, or a text cannot be read.
    MissingError
        A library is not installed.
    """
    for _, text in problems(settings, None):
        raise InputError(text)
    if settings.pose_backend is PoseBackend.dlc:
        find_model(settings.dlc_model_path)
        check_libraries()
    elif settings.pose_backend is PoseBackend.replay and not Path(settings.pose_log).expanduser().exists():
        raise InputError(f"pose_log = {settings.pose_log}: there is no such file or folder; correct the path")


def problems(settings: PoseSettings, resolution: tuple[int, int] | None) -> Iterator[Found]:
    """Yield what in the settings does not go together. Pure: looks at no file.

    Parameters
    ----------
    settings : PoseSettings
    resolution : (int, int) or None
        Width and height of the frames, px; None where they are not known.

    Yields
    ------
    (tuple of str, str)
        The keys, and one line that names key, value and cure.
    """
    # What is given must be readable also where another backend is chosen for the day.
    if settings.pose_backend is PoseBackend.markers or settings.markers:
        yield from _unreadable("markers", settings.markers, parse_markers)
    if settings.pose_backend is not PoseBackend.dlc:
        yield from _unreadable("dlc_cropping", settings.dlc_cropping, parse_cropping)
        yield from _device_problems(settings)
    if settings.pose_backend is PoseBackend.markers:
        return
    if settings.pose_backend is PoseBackend.replay:
        if not settings.pose_log:
            yield ("pose_log", "pose_backend"), "pose_log is not set; give the folder of a recorded movement session"
    else:
        yield from _dlc_problems(settings, resolution)


def _dlc_problems(settings: PoseSettings, resolution: tuple[int, int] | None) -> Iterator[Found]:
    if not settings.dlc_model_path:
        text = "dlc_model_path is not set; give the .pt file that deeplabcut.export_model wrote"
        yield ("dlc_model_path", "pose_backend"), text
    yield from _device_problems(settings)
    if settings.dlc_precision is Precision.fp16 and settings.dlc_device == "cpu":
        text = "dlc_precision = fp16: the device cpu has none; set it to fp32, or dlc_device to cuda"
        yield ("dlc_precision", "dlc_device"), text
    wrong = list(_unreadable("dlc_cropping", settings.dlc_cropping, parse_cropping))
    yield from wrong
    if not wrong and resolution is not None:
        window = parse_cropping(settings.dlc_cropping) or Window(0, resolution[0], 0, resolution[1])
        yield from _size_problems(settings, window, resolution)


def _device_problems(settings: PoseSettings) -> Iterator[Found]:
    if not _DEVICE.fullmatch(settings.dlc_device):
        yield ("dlc_device",), f"dlc_device = {settings.dlc_device}: no device; use auto, cpu, cuda or cuda:0"


def _size_problems(settings: PoseSettings, window: Window, resolution: tuple[int, int]) -> Iterator[Found]:
    width, height = resolution
    if window.x2 > width or window.y2 > height:
        text = f"dlc_cropping = {settings.dlc_cropping}: goes beyond the frame of {width}x{height} px; make it smaller"
        yield ("dlc_cropping", "resolution"), text
        return
    side = min(window.x2 - window.x1, window.y2 - window.y1) * settings.dlc_resize
    if side < LEAST_SIDE_PX:
        text = (
            f"dlc_resize {settings.dlc_resize:g} leaves {side:g} px of the shorter side of what the model sees, which "
            f"needs {LEAST_SIDE_PX}; raise dlc_resize, or make dlc_cropping or resolution larger"
        )
        yield ("dlc_resize", "dlc_cropping", "resolution"), text


def _unreadable(key: str, text: str, parse: Callable[[str], Any]) -> Iterator[Found]:
    try:
        parse(text)
    except InputError as error:
        yield (key,), f"{key} = {text}: {error}"
