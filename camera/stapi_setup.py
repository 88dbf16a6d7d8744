"""Fixes what a Sentech camera could change by itself, sets what config.ini asks for, and reads it all back."""

from __future__ import annotations

import math

from camera.genicam_setup import EXPOSURE_STEP_US, EXPOSURE_WITHIN, GAIN_WITHIN, RATE_WITHIN
from camera.pixel_formats import PixelFormat, choose
from camera.read_back import Wanted, differences
from camera.settings import CameraSettings
from camera.stapi_nodes import StapiNodes
from core.errors import CameraError

OFF = ("TriggerMode", "ExposureAuto", "GainAuto", "BalanceWhiteAuto")
"""What must not act by itself, as far as a camera has it."""


def set_up(nodes: StapiNodes, settings: CameraSettings, name: str) -> tuple[PixelFormat, dict[str, object]]:
    """Set all, in the order in which settings bound each other; return the pixel format, and what was read back.

    Raises CameraError naming what is not to be had.
    """
    for feature in OFF:
        if nodes.has(feature):
            nodes.choose(feature, "Off")
    if nodes.has("AcquisitionMode"):
        nodes.choose("AcquisitionMode", "Continuous")
    pixels = _pixel_format(nodes, settings, name)
    _region(nodes, settings)
    facts: dict[str, object] = {"pixel_format": pixels.name}
    pairs = [*_size(nodes, settings), *_timing(nodes, settings, facts), *_gains(nodes, settings, facts)]
    wrong = differences(pairs)
    wrong += [f"{feature} is not Off" for feature in OFF if nodes.has(feature) and nodes.choice(feature) != "Off"]
    # dF/F is a ratio of light: it needs counts that are proportional to it.
    if nodes.has("GammaEnable") and nodes.truth("GammaEnable", value=False):
        wrong.append("GammaEnable is not off")
    if wrong:
        raise CameraError(f"{name}: {'; '.join(wrong)}; set these keys to what it can do, or see to it with StViewer")
    return pixels, facts


def _pixel_format(nodes: StapiNodes, settings: CameraSettings, name: str) -> PixelFormat:
    offered = nodes.choices("PixelFormat")
    pixels = choose(settings.camera_format, offered)
    if pixels is None:
        what = f"camera_format = {settings.camera_format}" if settings.camera_format else "a format of 8 bits"
        raise CameraError(
            f"{name}: {what} is not one that it has and rigloop reads; it has "
            f"{', '.join(offered)}: change camera_format"
        )
    nodes.choose("PixelFormat", pixels.name)
    if (had := nodes.choice("PixelFormat")) != pixels.name:
        raise CameraError(f"{name}: pixel format is {had}, wanted is {pixels.name}; set camera_format to {had}")
    return pixels


def _region(nodes: StapiNodes, settings: CameraSettings) -> None:
    """Cut the frame out of the sensor's middle, after binning."""
    for feature in ("BinningHorizontal", "BinningVertical"):
        if settings.camera_binning > 1 or nodes.has(feature):
            nodes.set_number(feature, settings.camera_binning, "camera_binning")
    for offset, size, wanted in zip(("OffsetX", "OffsetY"), ("Width", "Height"), settings.resolution, strict=True):
        if nodes.has(offset):
            nodes.set_number(offset, nodes.bounds(offset)[0], "resolution")  # else the size's range is what it leaves
        nodes.set_number(size, wanted, "resolution")
        if nodes.has(offset):
            nodes.set_number(offset, nodes.bounds(offset)[1] // 32 * 16, "resolution")


def _size(nodes: StapiNodes, settings: CameraSettings) -> list[tuple[Wanted, float | None]]:
    width, height = settings.resolution
    return [
        (Wanted("width", "resolution", width, "px", 0), nodes.number("Width")),
        (Wanted("height", "resolution", height, "px", 0), nodes.number("Height")),
    ]


def _timing(nodes: StapiNodes, settings: CameraSettings, facts: dict[str, object]) -> list[tuple[Wanted, float | None]]:
    if nodes.has("AcquisitionFrameRateEnable"):
        nodes.truth("AcquisitionFrameRateEnable", value=True)
    rate = settings.framerate
    nodes.set_number("AcquisitionFrameRate", rate, "framerate")  # first, to undo what was set before
    pairs: list[tuple[Wanted, float | None]] = []
    if settings.shutter_speed:
        nodes.set_number("ExposureTime", settings.shutter_speed, "shutter_speed")
        nodes.set_number("AcquisitionFrameRate", rate, "framerate")
        within = max(EXPOSURE_STEP_US, EXPOSURE_WITHIN * settings.shutter_speed)
        wanted = Wanted("exposure", "shutter_speed", settings.shutter_speed, "us", within)
        pairs.append((wanted, nodes.number("ExposureTime")))
    facts.update(exposure_us=nodes.number("ExposureTime"), framerate=nodes.number("AcquisitionFrameRate"))
    wanted = Wanted("frame rate", "framerate", rate, "frames/s", RATE_WITHIN * rate)
    return [*pairs, (wanted, nodes.number("AcquisitionFrameRate"))]


def _gains(nodes: StapiNodes, settings: CameraSettings, facts: dict[str, object]) -> list[tuple[Wanted, float | None]]:
    pairs: list[tuple[Wanted, float | None]] = []
    unit = nodes.unit("Gain")
    if settings.iso:
        factor = settings.iso / 100
        gain = 20 * math.log10(factor) if unit.lower() == "db" else factor
        nodes.set_number("Gain", gain, "iso")
        pairs.append((Wanted("gain", "iso", gain, unit, GAIN_WITHIN * max(1.0, gain)), nodes.number("Gain")))
    facts.update(gain=nodes.number("Gain"), gain_unit=unit or "factor")
    if not nodes.has("BalanceRatioSelector"):
        facts["colour_gains"] = "none"
        return pairs
    had = []
    for colour, wanted in zip(("Red", "Blue"), settings.colour_gains, strict=True):
        nodes.choose("BalanceRatioSelector", colour)
        if wanted > 0:
            nodes.set_number("BalanceRatio", wanted, "colour_gains")
            within = GAIN_WITHIN * wanted
            asked = Wanted(f"{colour.lower()} gain", "colour_gains", wanted, "", within)
            pairs.append((asked, nodes.number("BalanceRatio")))
        had.append(nodes.number("BalanceRatio"))
    facts["colour_gains"] = had
    return pairs
