"""What a Raspberry Pi camera is asked for, made from the settings, and the choice of camera and sensor mode. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from camera.read_back import Wanted
from camera.setting_checks import AWB_OFF, PI_AWB_MODES
from camera.settings import CameraSettings
from core.errors import CameraError

NOISE_REDUCTION_OFF = 0
"""libcamera's draft NoiseReductionModeOff: it mixes pixels, and on some models frames, before dF/F is taken."""

ISO_OF_GAIN_1 = 100
_US = 1e6

Controls = dict[str, Any]


def find_camera(found: Sequence[Mapping[str, Any]], camera_id: str) -> int:
    """Return the number of the camera that ``camera_id`` names: a number, or part of its model or its path.

    Parameters
    ----------
    found : sequence of mappings
        What ``Picamera2.global_camera_info()`` gives: Model, Id, Num...
    camera_id : str
        Empty for the first.

    Raises
    ------
    CameraError
        If there is none, or not that one; then with a list of those there are.
    """
    if not found:
        raise CameraError(
            "Raspberry Pi camera: none was found; push both ends of the ribbon cable home with the Pi switched off, "
            "then try rpicam-hello --list-cameras (a camera of another maker also needs its dtoverlay in config.txt)"
        )
    if not camera_id:
        return 0
    if camera_id.isdecimal() and int(camera_id) < len(found):
        return int(camera_id)
    named = [k for k, info in enumerate(found) if camera_id in (info.get("Model"), info.get("Id"))]
    if len(named) == 1:
        return named[0]
    there = "; ".join(f"{k}: {info.get('Model')} at {info.get('Id')}" for k, info in enumerate(found))
    raise CameraError(f"Raspberry Pi camera: camera_id = {camera_id} is none of those there ({there}); give its number")


def choose_mode(modes: Sequence[Mapping[str, Any]], number: int) -> Mapping[str, Any]:
    """Return the sensor mode ``number``, from 1, of those that ``Picamera2.sensor_modes`` lists.

    Raises CameraError with the list when there is none of that number.
    """
    if 1 <= number <= len(modes):
        return modes[number - 1]
    listed = "; ".join(f"{k}: {describe_mode(mode)}" for k, mode in enumerate(modes, start=1))
    raise CameraError(
        f"Raspberry Pi camera: sensor_mode = {number}, but this one has {len(modes)} ({listed}); give one of these "
        "numbers, or 0 to let the driver choose"
    )


def describe_mode(mode: Mapping[str, Any]) -> str:
    """Return a sensor mode in words, such as ``1640x1232 10 bit up to 41.85 frames/s``."""
    width, height = mode["size"]
    return f"{width}x{height} {mode['bit_depth']} bit up to {mode['fps']:g} frames/s"


def controls_for(settings: CameraSettings, advertised: Mapping[str, Sequence[Any]]) -> Controls:
    """Return the libcamera controls that fix exposure, gains and frame rate.

    Parameters
    ----------
    settings : CameraSettings
    advertised : mapping of str to (min, max, default)
        ``Picamera2.camera_controls``. What it lacks and can do without (noise reduction) is left out.

    Raises
    ------
    CameraError
        For a value outside the range of this camera, with the range.
    """
    duration_us = round(_US / settings.framerate)
    controls: Controls = {
        "AeEnable": False,
        "FrameDurationLimits": (duration_us, duration_us),
    }
    # A monochrome sensor has no white balance, and libcamera then no control for it.
    if "AwbEnable" in advertised or settings.awb_mode != AWB_OFF:
        controls["AwbEnable"] = settings.awb_mode != AWB_OFF
    if settings.shutter_speed:
        controls["ExposureTime"] = settings.shutter_speed
    if settings.iso:
        controls["AnalogueGain"] = settings.iso / ISO_OF_GAIN_1
    if settings.awb_mode != AWB_OFF:
        controls["AwbMode"] = PI_AWB_MODES[settings.awb_mode]
    elif settings.colour_gains != (0, 0) and "AwbEnable" in advertised:
        controls["ColourGains"] = tuple(float(gain) for gain in settings.colour_gains)
    if "NoiseReductionMode" in advertised:
        controls["NoiseReductionMode"] = NOISE_REDUCTION_OFF
    _check_ranges(settings, controls, advertised)
    return controls


def _check_ranges(settings: CameraSettings, controls: Controls, advertised: Mapping[str, Sequence[Any]]) -> None:
    asked = {
        "ExposureTime": ("shutter_speed", "us", settings.shutter_speed, 1.0),
        "FrameDurationLimits": ("framerate", "us per frame", round(_US / settings.framerate), 1.0),
        "AnalogueGain": ("iso", "", settings.iso, float(ISO_OF_GAIN_1)),
    }
    for name, (key, unit, value, scale) in asked.items():
        if name not in controls:
            continue
        if name not in advertised:
            raise CameraError(
                f"Raspberry Pi camera: it has no control {name}, so {key} cannot be set; use a Raspberry Pi sensor"
            )
        least, most = advertised[name][0] * scale, advertised[name][1] * scale
        if not least <= value <= most:
            raise CameraError(
                f"Raspberry Pi camera: {key} asks for {value:g} {unit}".rstrip()
                + f", this camera and sensor mode allow {least:g} to {most:g}; change {key} or sensor_mode"
            )


def wanted_of(settings: CameraSettings, advertised: Mapping[str, Sequence[Any]]) -> dict[str, tuple[Wanted, ...]]:
    """Return what each entry of a frame's metadata is to be, once the controls have taken effect.

    A sensor without colours, which has no AwbEnable among its ``advertised`` controls, tells no colour gains.

    Tolerances are the sensors' own steps: exposure in rows (up to some 40 us), gain in steps of up to 5 %.
    """
    duration_us = _US / settings.framerate
    wanted: dict[str, tuple[Wanted, ...]] = {
        "FrameDuration": (Wanted("frame duration", "framerate", duration_us, "us", max(0.005 * duration_us, 40.0)),)
    }
    if settings.shutter_speed:
        exposure_us = float(settings.shutter_speed)
        wanted["ExposureTime"] = (
            Wanted("exposure", "shutter_speed", exposure_us, "us", max(0.01 * exposure_us, 40.0)),
        )
    if settings.iso:
        gain = settings.iso / ISO_OF_GAIN_1
        wanted["AnalogueGain"] = (Wanted("analogue gain", "iso", gain, "", 0.05 * gain),)
    if settings.awb_mode == AWB_OFF and settings.colour_gains != (0, 0) and "AwbEnable" in advertised:
        wanted["ColourGains"] = tuple(
            Wanted(f"{colour} gain", "colour_gains", float(gain), "", 0.02 * max(gain, 0.5))
            for colour, gain in zip(("red", "blue"), settings.colour_gains, strict=True)
        )
    return wanted


def pair_with(wanted: Mapping[str, Sequence[Wanted]], metadata: Mapping[str, Any]) -> list[tuple[Wanted, float | None]]:
    """Return each wanted value with what a frame's metadata says of it, None where it says nothing."""
    pairs: list[tuple[Wanted, float | None]] = []
    for name, values in wanted.items():
        told = metadata.get(name)
        had = told if isinstance(told, tuple) else (told,) * len(values)
        pairs += zip(values, had, strict=True)
    return pairs
