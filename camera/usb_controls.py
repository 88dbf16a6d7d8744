"""The controls of a USB camera: what adapts is switched off, what config.ini asks for is set and read back."""

from __future__ import annotations

from typing import Protocol

from camera import v4l2
from camera.read_back import Wanted, differences
from camera.settings import CameraSettings
from camera.v4l2 import Range
from core.errors import CameraError


class Node(Protocol):
    """A device node's controls: V4l2Node, or its fake."""

    path: str
    card: str
    identity: str

    def range(self, control: int) -> Range | None:
        """Return a control's range, None where there is no such control."""

    def get(self, control: int) -> int:
        """Return a control's value. Raises OSError."""

    def set(self, control: int, value: int) -> None:
        """Set a control. Raises OSError."""

    def close(self) -> None:
        """Close the node."""


def fix(node: Node, settings: CameraSettings) -> None:
    """Switch off what adapts, then set what is asked for. Raises OSError."""
    wishes = [
        (v4l2.EXPOSURE_AUTO, v4l2.EXPOSURE_MANUAL),
        (v4l2.EXPOSURE_AUTO_PRIORITY, 0),  # else a long exposure slows the camera down
        (v4l2.AUTOGAIN, 0),
        (v4l2.AUTO_WHITE_BALANCE, int(settings.awb_mode == "auto")),
        (v4l2.FOCUS_AUTO, 0),
    ]
    if settings.shutter_speed:
        wishes.append((v4l2.EXPOSURE_ABSOLUTE, max(1, round(settings.shutter_speed / v4l2.EXPOSURE_UNIT_US))))
    if settings.iso:
        wishes.append((v4l2.GAIN, round(settings.iso / 100)))
    for control, value in wishes:
        if node.range(control) is not None:
            node.set(control, value)


def read_back(node: Node, settings: CameraSettings, name: str) -> dict[str, object]:
    """Return the controls as they are. Raises OSError, and CameraError (of ``name``) where one is not as asked."""
    exposure = _scaled(node, v4l2.EXPOSURE_ABSOLUTE, v4l2.EXPOSURE_UNIT_US)
    gain = _scaled(node, v4l2.GAIN)
    pairs = []
    if settings.shutter_speed:
        unit = v4l2.EXPOSURE_UNIT_US
        wanted_us = max(unit, round(settings.shutter_speed / unit) * unit)
        pairs.append((Wanted("exposure", "shutter_speed", wanted_us, "us", 1.0), exposure))
    if settings.iso:
        pairs.append((Wanted("gain", "iso / 100, in the camera's own steps", round(settings.iso / 100), "", 0.5), gain))
    wrong = differences(pairs) + _still_adapting(node, settings)
    if wrong:
        raise CameraError(
            f"{name}: {'; '.join(wrong)}{_ranges(node)}; set these keys to what it can do (0 leaves "
            "exposure or gain as it is), or use a camera that can be set by hand"
        )
    return {
        "exposure_us": exposure,
        "gain": gain,
        "white_balance": settings.awb_mode,
        "white_balance_temperature": _scaled(node, v4l2.WHITE_BALANCE_TEMPERATURE),
        "focus": _scaled(node, v4l2.FOCUS_ABSOLUTE),
    }


def _still_adapting(node: Node, settings: CameraSettings) -> list[str]:
    """Return what the camera still does by itself; a control that it has not, it does not use."""
    awb = int(settings.awb_mode == "auto")
    states = {
        "automatic exposure": (v4l2.EXPOSURE_AUTO, v4l2.EXPOSURE_MANUAL),
        "automatic gain": (v4l2.AUTOGAIN, 0),
        "automatic white balance": (v4l2.AUTO_WHITE_BALANCE, awb),
        "automatic focus": (v4l2.FOCUS_AUTO, 0),
    }
    return [
        f"{what} cannot be switched {'on' if control == v4l2.AUTO_WHITE_BALANCE and awb else 'off'}"
        for what, (control, wanted) in states.items()
        if node.range(control) is not None and node.get(control) != wanted
    ]


def _ranges(node: Node) -> str:
    parts = []
    if (span := node.range(v4l2.EXPOSURE_ABSOLUTE)) is not None:
        unit = v4l2.EXPOSURE_UNIT_US
        parts.append(f"exposure {span.least * unit} to {span.most * unit} us")
    if (span := node.range(v4l2.GAIN)) is not None:
        parts.append(f"gain {span.least} to {span.most}")
    return f" (it allows {' and '.join(parts)})" if parts else ""


def _scaled(node: Node, control: int, unit: int = 1) -> float | None:
    return None if node.range(control) is None else float(node.get(control) * unit)
