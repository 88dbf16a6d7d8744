"""Fixes what a GenICam camera could change by itself, sets what config.ini asks for, and reads it all back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from camera.pixel_formats import PixelFormat, choose
from camera.settings import CameraSettings
from core.errors import CameraError

T = TypeVar("T")

RATE_WITHIN = 0.01
"""A frame rate that differs by less, as a fraction, is the camera's rounding to its own steps; others likewise."""
EXPOSURE_WITHIN = 0.02
EXPOSURE_STEP_US = 20.0
GAIN_WITHIN = 0.05
_NO_FORMAT = "it has no format of 8 bits that rigloop reads"
_RESULTING_RATE = ("ResultingFrameRate", "ResultingFrameRateAbs", "AcquisitionResultingFrameRate")


class GenicamSetup:
    """Sets up one open camera, in the order in which settings bound each other.

    Parameters
    ----------
    aravis, camera
        The library, and its camera.
    name : str
        For messages.
    settings : CameraSettings

    Attributes
    ----------
    facts : dict
        What was read back.
    """

    def __init__(self, aravis: Any, camera: Any, name: str, settings: CameraSettings) -> None:
        self._aravis = aravis
        self._camera = camera
        self._name = name
        self._settings = settings
        self.facts: dict[str, object] = {}

    def run(self) -> PixelFormat:
        """Set all; return the pixel format of the frames. Raises CameraError naming what is not to be had."""
        self._ask("acquisition", self._camera.stop_acquisition)  # it may have been left running
        pixels = self._pixel_format()
        self._region()
        self._free_running()
        self._exposure_and_rate()
        self._gain()
        self._colours(pixels)
        self._transport()
        return pixels

    def _pixel_format(self) -> PixelFormat:
        wanted = self._settings.camera_format
        offered = list(self._ask("camera_format", self._camera.dup_available_pixel_formats_as_strings))
        pixels = choose(wanted, offered)
        if pixels is None:
            what = f"camera_format = {wanted} is not one that it has and rigloop reads"
            raise self._error(f"{what if wanted else _NO_FORMAT}; it has {', '.join(offered)}: change camera_format")
        self._ask("camera_format", lambda: self._camera.set_pixel_format_from_string(pixels.name))
        had = self._ask("camera_format", self._camera.get_pixel_format_as_string)
        if had != pixels.name:
            raise self._error(f"pixel format is {had}, wanted is {pixels.name}; set camera_format to {had}")
        self.facts["pixel_format"] = had
        return pixels

    def _region(self) -> None:
        """Cut the frame out of the sensor's middle, after binning."""
        camera, (width, height), n = self._camera, self._settings.resolution, self._settings.camera_binning
        if n > 1 or self._ask("camera_binning", camera.is_binning_available):
            self._ask("camera_binning", lambda: camera.set_binning(n, n))
            had = tuple(self._ask("camera_binning", camera.get_binning))
            if had != (n, n):
                raise self._error(f"binning is {had[0]}x{had[1]}, wanted is {n}x{n}; set camera_binning to what it has")
        wide, high = (self._ask("resolution", get) for get in (camera.get_width_bounds, camera.get_height_bounds))
        if not (wide[0] <= width <= wide[1] and high[0] <= height <= high[1]):
            raise self._error(
                f"resolution = {width}, {height} is not to be had, it has {wide[0]} to {wide[1]} by {high[0]} to "
                f"{high[1]} px (with camera_binning = {n}); change resolution"
            )
        self._ask("resolution", lambda: camera.set_region(0, 0, width, height))
        if self._ask("resolution", camera.is_region_offset_available):
            x = self._middle(wide[1] - width, camera.get_x_offset_increment)
            y = self._middle(high[1] - height, camera.get_y_offset_increment)
            self._ask("resolution", lambda: camera.set_region(x, y, width, height))
        left, top, *size = self._ask("resolution", camera.get_region)
        if size != [width, height]:
            raise self._error(
                f"resolution is {size[0]}, {size[1]}, wanted is {width}, {height}; its width goes in steps of "
                f"{camera.get_width_increment()}, its height of {camera.get_height_increment()}: change resolution"
            )
        self.facts.update(region_px=[left, top, width, height], binning=n)

    def _middle(self, spare: int, increment: Callable[[], int]) -> int:
        step = max(1, self._ask("resolution", increment))
        return spare // 2 // step * step

    def _free_running(self) -> None:
        """No trigger, no end, and nothing that the camera changes by itself."""
        camera, aravis = self._camera, self._aravis
        self._ask("acquisition mode", lambda: camera.set_acquisition_mode(aravis.AcquisitionMode.CONTINUOUS))
        self._ask("triggers", camera.clear_triggers)
        if self._ask("automatic exposure", camera.is_exposure_auto_available):
            self._ask("automatic exposure", lambda: camera.set_exposure_time_auto(aravis.Auto.OFF))
            self._must_be_off("automatic exposure", camera.get_exposure_time_auto() == aravis.Auto.OFF)
        if self._ask("automatic gain", camera.is_gain_auto_available):
            self._ask("automatic gain", lambda: camera.set_gain_auto(aravis.Auto.OFF))
            self._must_be_off("automatic gain", camera.get_gain_auto() == aravis.Auto.OFF)
        if self._has("BalanceWhiteAuto"):
            self._ask("automatic white balance", lambda: camera.set_string("BalanceWhiteAuto", "Off"))
            self._must_be_off("automatic white balance", camera.get_string("BalanceWhiteAuto") == "Off")
        if self._has("GammaEnable"):
            # dF/F is a ratio of light: it needs counts that are proportional to it.
            self._ask("gamma", lambda: camera.set_boolean("GammaEnable", False))
            self._must_be_off("gamma", not camera.get_boolean("GammaEnable"))

    def _must_be_off(self, what: str, is_off: bool) -> None:
        if not is_off:
            raise self._error(f"{what} cannot be turned off; turn it off with the maker's program, then try again")

    def _exposure_and_rate(self) -> None:
        """Set exposure and frame rate, each of which bounds the other; the rate first, to undo what was set before."""
        camera, settings = self._camera, self._settings
        paced = self._ask("framerate", camera.is_frame_rate_available)
        if paced:
            self._ask("framerate", lambda: camera.set_frame_rate(settings.framerate))
        self._ask("shutter_speed", lambda: camera.set_exposure_time(float(settings.shutter_speed)))
        if paced:
            self._ask("framerate", lambda: camera.set_frame_rate(settings.framerate))
        exposure = self._ask("shutter_speed", camera.get_exposure_time)
        low, high = self._ask("shutter_speed", camera.get_exposure_time_bounds)
        off, wanted = abs(exposure - settings.shutter_speed), settings.shutter_speed
        if off > max(EXPOSURE_STEP_US, EXPOSURE_WITHIN * wanted) or not low <= wanted <= high:
            raise self._error(
                f"exposure is {exposure:g} us, wanted is {settings.shutter_speed}; it has {low:g} to {high:g} us at "
                f"{settings.framerate:g} frames/s: change shutter_speed or framerate"
            )
        self.facts["exposure_us"] = exposure
        self.facts["framerate"] = self._check_rate(paced)

    def _check_rate(self, paced: bool) -> float | str:
        camera, wanted = self._camera, self._settings.framerate
        resulting = next((name for name in _RESULTING_RATE if self._has(name)), None)
        rates: list[float] = [self._ask("framerate", camera.get_frame_rate)] if paced else []
        if resulting:
            rates.append(self._ask("framerate", lambda: camera.get_float(resulting)))
        for rate in rates:
            if abs(rate - wanted) > RATE_WITHIN * wanted:
                low, high = self._ask("framerate", camera.get_frame_rate_bounds) if paced else (0.0, rate)
                raise self._error(
                    f"frame rate is {rate:g}, wanted is {wanted:g}; it has {low:g} to {high:g} frames/s with this "
                    "resolution, exposure and format: lower framerate, resolution or shutter_speed"
                )
        return rates[-1] if rates else "not told"

    def _gain(self) -> None:
        """Set the gain that ``iso`` stands for: in dB where the camera says dB, else the factor itself."""
        if self._settings.iso == 0 or not self._ask("iso", self._camera.is_gain_available):
            had = self._camera.get_gain() if self._camera.is_gain_available() else "none"
            self.facts.update(gain=had, gain_unit="as it was")
            return
        factor = self._settings.iso / 100
        unit = self._gain_unit()
        wanted = 20 * math.log10(factor) if unit == "dB" else factor
        low, high = self._ask("iso", self._camera.get_gain_bounds)
        self._ask("iso", lambda: self._camera.set_gain(wanted))
        had = self._ask("iso", self._camera.get_gain)
        if abs(had - wanted) > GAIN_WITHIN * max(1.0, wanted) or not low <= wanted <= high:
            raise self._error(
                f"gain is {had:g} {unit or '(no unit)'}, wanted is {wanted:g} (iso = {self._settings.iso}, and 100 "
                f"is gain 1); it has {low:g} to {high:g}: change iso, or set 0 to leave the gain as it is"
            )
        self.facts.update(gain=had, gain_unit=unit or "factor")

    def _gain_unit(self) -> str:
        for name in ("Gain", "GainRaw", "GainAbs"):
            if self._has(name):
                node = self._camera.get_device().get_feature(name)
                return str(node.get_unit() or "") if hasattr(node, "get_unit") else ""
        return ""

    def _colours(self, pixels: PixelFormat) -> None:
        """Fix the white balance, where there are colours and the camera has one."""
        if pixels.name.startswith("Mono") or not self._has("BalanceRatio"):
            self.facts["colour_gains"] = "none"
            return
        red, blue = self._settings.colour_gains
        self.facts["colour_gains"] = [self._colour("Red", red), self._colour("Blue", blue)]

    def _colour(self, colour: str, wanted: float) -> float:
        camera = self._camera
        self._ask("colour_gains", lambda: camera.set_string("BalanceRatioSelector", colour))
        if wanted > 0:
            self._ask("colour_gains", lambda: camera.set_float("BalanceRatio", wanted))
        had = float(self._ask("colour_gains", lambda: camera.get_float("BalanceRatio")))
        if wanted > 0 and abs(had - wanted) > GAIN_WITHIN * wanted:
            low, high = self._ask("colour_gains", lambda: camera.get_float_bounds("BalanceRatio"))
            raise self._error(
                f"{colour.lower()} gain is {had:g}, wanted is {wanted:g}; it has {low:g} to {high:g}: change "
                "colour_gains, or set 0, 0 to leave them"
            )
        return had

    def _transport(self) -> None:
        """Let a GigE camera use the largest packets that get through."""
        if self._camera.is_gv_device():
            self._ask("packet size", self._camera.gv_auto_packet_size)
            self.facts["packet_bytes"] = self._ask("packet size", self._camera.gv_get_packet_size)

    def _has(self, feature: str) -> bool:
        return bool(self._ask(feature, lambda: self._camera.is_feature_available(feature)))

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except Exception as error:
            value = getattr(self._settings, what, None)
            setting = what if value is None else f"{what} = {value}"
            raise self._error(f"{setting}: the camera says: {_text(error)}; see to its cable, or change it") from error

    def _error(self, text: str) -> CameraError:
        return CameraError(f"{self._name}: {text}")


def _text(error: Exception) -> str:
    """Return what a GLib.Error says, without its domain and code."""
    return str(getattr(error, "message", error)).replace("\n", " ")
