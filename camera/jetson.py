"""The CSI cameras of a Jetson: the GStreamer source that config.ini's keys make, or the one that it names."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from camera.gst import GstDriver
from camera.setting_checks import AWB_MODES, check_settings
from camera.settings import CameraKind, CameraSettings

_NS_PER_US = 1000
MAX_DENOMINATOR = 1001
"""Of a frame rate written as a fraction: GStreamer's caps take no decimals. 1001 holds 30000/1001 as well."""


def jetson_driver(settings: CameraSettings) -> GstDriver:
    """Return the driver, not yet open.

    Raises InputError for keys that the source would pass over without a word, and keep its automatics.
    """
    check_settings(replace(settings, vid_source=CameraKind.jetson))
    source = settings.camera_pipeline.strip()
    return GstDriver(settings, source or argus_source(settings), "jetson camera", made=not source)


def argus_source(settings: CameraSettings) -> str:
    """Return the source of a CSI camera, with exposure, gain and white balance fixed; frames come as BGRx.

    A range of one value fixes exposure and gain (the ISP's own gain at 1), the locks keep them there. ``iso`` 0 leaves
    the gain to the camera's locked default. Source: properties of nvarguscamerasrc in NVIDIA's Jetson Linux guide.
    """
    width, height = settings.resolution
    exposure = settings.shutter_speed * _NS_PER_US
    gain = settings.iso / 100
    parts = [
        f"nvarguscamerasrc sensor-id={settings.camera_id or 0}",
        f'exposuretimerange="{exposure} {exposure}"',
        *([f'gainrange="{gain:g} {gain:g}"'] if gain else []),
        'ispdigitalgainrange="1 1" aelock=true awblock=true',
        f"wbmode={AWB_MODES[CameraKind.jetson][1].index(settings.awb_mode)}",
    ]
    rate = framerate_caps(settings.framerate)
    return (
        " ".join(parts)
        + f" ! video/x-raw(memory:NVMM),width={width},height={height},framerate={rate}"
        + " ! nvvidconv ! video/x-raw,format=BGRx"
    )


def framerate_caps(framerate: float) -> str:
    """Return a frame rate (1/s) as GStreamer writes it, such as ``15/1`` or ``30000/1001``."""
    fraction = Fraction(framerate).limit_denominator(MAX_DENOMINATOR)
    return f"{fraction.numerator}/{fraction.denominator}"
