"""The sensor behind the module that stands for picamera2 (``camera.fake_picamera2``): modes, controls, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.values import Image

MODES: tuple[dict[str, Any], ...] = tuple(
    {"format": f"SRGGB{bits}", "unpacked": f"SRGGB{bits}", "bit_depth": bits, "size": size, "fps": fps}
    for bits in (8, 10)
    for size, fps in (((640, 480), 206.65), ((1640, 1232), 41.85), ((1920, 1080), 47.57), ((3280, 2464), 21.19))
)
"""Those of an IMX219, the sensor of camera module 2."""

ROW_US = 29
"""Exposures are whole rows."""

GAIN_CODES = 256
"""Gain is 256 / (256 - code), as of an IMX219."""


class FakeSensor:
    """Keeps controls as a sensor does: some frames later, in its own steps, within its range.

    Parameters
    ----------
    latency_frames : int
        Frames from a control's setting to the first that was taken with it.
    deaf_to : set of str
        Controls that it takes and does not keep.
    mono : bool
        Whether it has no colours: then there is no white balance either.
    """

    def __init__(self, latency_frames: int, deaf_to: set[str], mono: bool = False) -> None:
        self._mono = mono
        self.limits = self._limits(MODES[0])
        self._latency = latency_frames
        self._deaf_to = deaf_to
        self._changes: list[tuple[int, dict[str, Any]]] = []

    def choose_mode(self, size: tuple[int, int]) -> None:
        """Take the mode that is nearest in size; every range may change."""
        mode = min(MODES, key=lambda mode: abs(mode["size"][0] - size[0]) + abs(mode["size"][1] - size[1]))
        self.limits = self._limits(mode)

    def reset(self) -> None:
        """Every control as it is by default."""
        self._changes = [(0, {name: default for name, (_, _, default) in self.limits.items()})]

    def set(self, controls: Mapping[str, Any], frame: int) -> None:
        """Set controls while ``frame`` is the next to be taken."""
        kept = {name: value for name, value in controls.items() if name not in self._deaf_to}
        self._changes.append((frame + self._latency, kept))

    def controls_of(self, frame: int) -> dict[str, Any]:
        """Return the controls that frame number ``frame`` is taken with."""
        now: dict[str, Any] = {}
        for since, change in self._changes:
            if since <= frame:
                now.update(change)
        least, most, _ = self.limits["ExposureTime"]
        exposure_us = min(max(now["ExposureTime"], least), most, now["FrameDurationLimits"][1] - 100)
        now["ExposureTime"] = round(exposure_us / ROW_US) * ROW_US
        least, most, _ = self.limits["AnalogueGain"]
        now["AnalogueGain"] = GAIN_CODES / round(GAIN_CODES / min(max(now["AnalogueGain"], least), most))
        return now

    def tells(self, frame: int) -> dict[str, Any]:
        """Return what the metadata of frame number ``frame`` say, but for its stamp."""
        now = self.controls_of(frame)
        return {
            "ExposureTime": now["ExposureTime"],
            "AnalogueGain": now["AnalogueGain"],
            "DigitalGain": 1.0,
            **({} if self._mono else {"ColourGains": now["ColourGains"]}),
            "FrameDuration": self.interval_ns(frame) // 1000,
            "SensorTemperature": 30.0,
        }

    def interval_ns(self, frame: int) -> int:
        """Return the time from this frame to the next, ns."""
        asked_us = int(self.controls_of(frame)["FrameDurationLimits"][1])
        return max(asked_us, int(self.limits["FrameDurationLimits"][0])) * 1000

    def _limits(self, mode: Mapping[str, Any]) -> dict[str, tuple[Any, Any, Any]]:
        least_us = round(1e6 / mode["fps"])
        limits: dict[str, tuple[Any, Any, Any]] = {
            "AeEnable": (False, True, True),
            "AwbEnable": (False, True, True),
            "AwbMode": (0, 7, 0),
            "ExposureTime": (75, 11_766_829, 20_000),
            "AnalogueGain": (1.0, 10.666667, 1.0),
            "ColourGains": (0.0, 32.0, (1.6, 1.9)),
            "FrameDurationLimits": (least_us, 11_767_556, (33_333, 33_333)),
            "NoiseReductionMode": (0, 4, 0),
        }
        colours = ("AwbEnable", "AwbMode", "ColourGains")
        return {name: limit for name, limit in limits.items() if not (self._mono and name in colours)}


def paint(memory: Image, stream: Mapping[str, Any], frame: int, now: Mapping[str, Any]) -> None:
    """Draw frame number ``frame``: grey levels as bright as exposure and gains make them, its number in the corner."""
    width, height = stream["size"]
    image = memory.reshape(height, stream["stride"])[:, : width * 3].reshape(height, width, 3)
    red, blue = now.get("ColourGains", (1.0, 1.0))
    light = 0.001 * now["ExposureTime"] * now["AnalogueGain"]
    levels = np.minimum(light * np.array([blue, 1.0, red]), 255).astype(np.uint8)
    image[:] = levels if stream["format"] == "RGB888" else levels[::-1]  # RGB888 lies in memory as B, G, R
    image[0, 0] = frame % 256
