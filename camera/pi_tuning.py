"""The tuning of a Raspberry Pi camera's sensor, without what changes the image by itself."""

from __future__ import annotations

from typing import Any

MONO = 5
"""libcamera's draft property ColorFilterArrangement of a sensor without colours."""


def is_mono(camera: Any) -> bool:
    """Return whether an open Picamera2 stands on a sensor without colours; only an open one tells."""
    return bool(camera.camera_properties.get("ColorFilterArrangement") == MONO)


def steady_tuning(picamera2: Any, model: str, mono: bool) -> tuple[dict[str, Any] | None, list[str]]:
    """Return a sensor's tuning without what adapts, and what that was; None where this system has no such file.

    Parameters
    ----------
    picamera2 : class
        ``Picamera2``.
    model : str
        Of the sensor, such as imx296.
    mono : bool
        Whether it has no colours: libcamera (``CameraData::loadIPA`` of its Raspberry Pi pipeline) then takes
        ``imx296_mono.json``, and never ``imx296.json``, which may be there for the sensor's coloured sister.
    """
    try:
        tuning = picamera2.load_tuning_file(f"{model}_mono.json" if mono else f"{model}.json")
    except RuntimeError:
        return None, []
    return tuning, still(tuning, picamera2.find_tuning_algo)


def still(tuning: dict[str, Any], find: Any) -> list[str]:
    """Take the two algorithms out of a sensor's tuning that change the image by themselves; return what was stilled.

    With exposure and gains fixed, adaptive contrast and adaptive colour shading still alter brightness from frame to
    frame (raspberrypi/picamera2 #825).

    Parameters
    ----------
    tuning : dict
        From ``Picamera2.load_tuning_file``; changed in place.
    find : callable
        ``Picamera2.find_tuning_algo``.
    """
    stilled = []
    for name, key in (("rpi.contrast", "ce_enable"), ("rpi.alsc", "n_iter")):
        try:
            algorithm = find(tuning, name)
        except (KeyError, StopIteration):
            continue  # this sensor's tuning does without it
        algorithm[key] = 0
        stilled.append(name)
    return stilled
