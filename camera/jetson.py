"""The CSI cameras of a Jetson: the GStreamer source that config.ini's keys make, or the one that it names."""

from __future__ import annotations

from fractions import Fraction

from camera.exposure_fit import check_exposure_fits
from camera.gst import GstDriver
from camera.settings import CameraSettings
from core.errors import InputError

_NS_PER_US = 1000
AWB_MODES = ("off", "auto")
"""Names of nvarguscamerasrc's wbmode 0 and 1."""
MAX_DENOMINATOR = 1001
"""Of a frame rate written as a fraction: GStreamer's caps take no decimals. 1001 holds 30000/1001 as well."""


def jetson_driver(settings: CameraSettings) -> GstDriver:
    """Return the driver, not yet open.

    Raises InputError for keys that the source would pass over without a word, and keep its automatics.
    """
    source = settings.camera_pipeline.strip()
    if not source:
        _check(settings)
    return GstDriver(settings, source or argus_source(settings), "jetson camera", made=not source)


def _check(settings: CameraSettings) -> None:
    """Raise InputError for what nvarguscamerasrc cannot be told; it prints a warning at most."""
    check_exposure_fits(settings)
    if settings.shutter_speed == 0:
        raise InputError("shutter_speed = 0: a Jetson's camera would choose the exposure itself; give it in us")
    if settings.awb_mode not in AWB_MODES:
        raise InputError(f"awb_mode = {settings.awb_mode}: a Jetson's camera has {' and '.join(AWB_MODES)}; give one")


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
        f"wbmode={AWB_MODES.index(settings.awb_mode)}",
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
