"""Which settings no camera of a kind can keep: told before there is a camera. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from camera.pixel_formats import FORMATS
from camera.settings import CameraKind, CameraSettings, GenicamLibrary
from core.errors import InputError

AWB_OFF = "off"
PI_AWB_MODES = {
    "auto": 0,
    "incandescent": 1,
    "tungsten": 2,
    "fluorescent": 3,
    "indoor": 4,
    "daylight": 5,
    "cloudy": 6,
}
"""Values of libcamera's control AwbMode (control_ids_core.yaml of libcamera 0.5)."""
AWB_MODES = {
    CameraKind.pi: ("the Raspberry Pi camera", (AWB_OFF, *PI_AWB_MODES)),
    CameraKind.usb: ("USB cameras", (AWB_OFF, "auto")),
    CameraKind.jetson: ("a Jetson's camera", (AWB_OFF, "auto")),
    CameraKind.genicam: ("GenICam cameras", (AWB_OFF,)),
}
"""By kind, its name in a message and what it knows; nvarguscamerasrc's wbmode is the place in its row."""
_US = 1e6
_QUOTED = re.compile(r"""\"(?:\\.|[^"\\])*\"|'[^']*'""")


class SettingProblem(NamedTuple):
    """What is wrong, with its cure.

    Attributes
    ----------
    keys : tuple of str
        Of config.ini: the first is the one at fault, the others have to do with it.
    text : str
        In one line, to stand behind ``key = value:``.
    """

    keys: tuple[str, ...]
    text: str


def setting_problems(settings: CameraSettings) -> list[SettingProblem]:
    """Return what no camera of ``vid_source`` can keep; empty for sources that are no hardware, and for good ones."""
    kind = settings.vid_source
    if kind is CameraKind.jetson and settings.camera_pipeline.strip():
        return list(_pipeline(settings))
    if kind not in AWB_MODES:
        return []
    problems = [*_white_balance(settings), *_exposure(settings)]
    further = {CameraKind.pi: _pi, CameraKind.usb: _usb, CameraKind.jetson: _jetson, CameraKind.genicam: _genicam}
    return [*problems, *further[kind](settings)]


def check_settings(settings: CameraSettings) -> None:
    """Raise InputError with the first of the problems; what a driver does when it is made."""
    for problem in setting_problems(settings):
        key = problem.keys[0]
        raise InputError(f"{key} = {_written(getattr(settings, key))}: {problem.text}")


def usb_path(camera_id: str) -> str:
    """Return the device node that ``camera_id`` names: a number, a path, or empty for the first; "" for none."""
    if not camera_id:
        return "/dev/video0"
    if camera_id.isdecimal():
        return f"/dev/video{int(camera_id)}"
    return camera_id if camera_id.startswith("/") else ""


def _white_balance(settings: CameraSettings) -> Iterator[SettingProblem]:
    who, known = AWB_MODES[settings.vid_source]
    if settings.awb_mode not in known:
        text = f"unknown to {who}; give one of {', '.join(known)}"
        if len(known) == 1:
            text = f"it must stay off with {who}; set awb_mode = {AWB_OFF}"
        yield SettingProblem(("awb_mode", "vid_source"), text)


def _exposure(settings: CameraSettings) -> Iterator[SettingProblem]:
    """A frame that is to be exposed for longer than it lasts."""
    frame_us = _US / settings.framerate
    if settings.shutter_speed > frame_us:
        yield SettingProblem(
            ("shutter_speed", "framerate"),
            f"an exposure of {settings.shutter_speed} us does not fit into a frame at framerate = "
            f"{settings.framerate:g} ({frame_us:.0f} us); set shutter_speed to {int(frame_us)} or less, or framerate "
            f"to {_US / settings.shutter_speed:.4g} or less",
        )


def _pi(settings: CameraSettings) -> Iterator[SettingProblem]:
    width, height = settings.resolution
    if width % 2 or height % 2:
        text = "the Raspberry Pi camera gives even sizes only; give "
        yield SettingProblem(("resolution", "vid_source"), f"{text}{width - width % 2}, {height - height % 2}")
    if settings.awb_mode == AWB_OFF and 0 in settings.colour_gains and any(settings.colour_gains):
        # libcamera takes the two together, and goes on with its automatic where one is 0.
        text = "the Raspberry Pi camera takes both gains or none; give both, or 0, 0 to leave them"
        yield SettingProblem(("colour_gains", "vid_source"), text)


def _usb(settings: CameraSettings) -> Iterator[SettingProblem]:
    if not usb_path(settings.camera_id):
        yield SettingProblem(
            ("camera_id", "vid_source"),
            "is no USB camera; give a number such as 0, /dev/video0, or a name under /dev/v4l/by-id/, which stays "
            "when cameras are plugged in in another order",
        )
    if settings.framerate != round(settings.framerate):
        text = f"USB cameras are asked for whole frames per second; give {max(1, round(settings.framerate))}"
        yield SettingProblem(("framerate", "vid_source"), text)


def _jetson(settings: CameraSettings) -> Iterator[SettingProblem]:
    """What nvarguscamerasrc cannot be told: it prints a warning at most, and keeps its automatics."""
    if settings.shutter_speed == 0:
        text = "a Jetson's camera would choose the exposure itself; give it in us"
        yield SettingProblem(("shutter_speed", "vid_source"), text)
    if settings.camera_id and not settings.camera_id.isdecimal():
        text = "a Jetson's cameras have numbers; give one, such as 0"
        yield SettingProblem(("camera_id", "vid_source"), text)


def _genicam(settings: CameraSettings) -> Iterator[SettingProblem]:
    if settings.camera_format and settings.camera_format not in FORMATS:
        text = f"rigloop does not read this format; give one of {', '.join(FORMATS)}, or leave it empty"
        yield SettingProblem(("camera_format",), text)
    if settings.shutter_speed == 0 and settings.genicam_library is GenicamLibrary.aravis:
        yield SettingProblem(("shutter_speed", "vid_source"), "a GenICam camera needs an exposure; give it in us")


def _pipeline(settings: CameraSettings) -> Iterator[SettingProblem]:
    """What can be told of a pipeline's text; its elements are known to GStreamer alone."""
    try:
        shlex.split(settings.camera_pipeline)
    except ValueError:
        yield SettingProblem(("camera_pipeline",), "a quotation mark is not closed; add the other one")
        return
    elements = [element.split() for element in _QUOTED.sub("''", settings.camera_pipeline).rstrip("! ").split("!")]
    if not all(elements):
        yield SettingProblem(("camera_pipeline",), "there is nothing between two '!'; give an element, or one '!' less")
    if any(element and element[0] == "appsink" for element in elements):
        text = "it has a sink of its own; leave the appsink out: rigloop adds it"
        yield SettingProblem(("camera_pipeline",), text)


def _written(value: object) -> str:
    """Return a value as config.ini has it."""
    if isinstance(value, tuple):
        return ", ".join(_written(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
