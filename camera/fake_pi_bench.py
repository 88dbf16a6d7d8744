"""What the camera behind the module that stands for picamera2 (``camera.fake_picamera2``) is and does."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from core.ports import Clock

TUNING = {
    "version": 2.0,
    "algorithms": [{"rpi.alsc": {"n_iter": 100}}, {"rpi.contrast": {"ce_enable": 1}}, {"rpi.awb": {"bayes": 1}}],
}


@dataclass
class Bench:
    """What the fake camera is and does, and what was left of it. One bench can hold one camera open at a time.

    Attributes
    ----------
    clock : Clock
        Told the time by, and slept on.
    cameras : list of dict
        What ``global_camera_info`` gives.
    busy : bool
        Whether another program holds the camera.
    lost : set of int
        Frames (from 0, counted since the camera's first start) that never reach the host.
    silent_from : int or None
        First frame that never comes, nor any after it.
    jitter_ns : tuple of int
        Added to the stamps, in turn.
    latency_frames : int
        Frames from a control's setting to the first that was taken with it.
    deaf_to : set of str
        Controls that the camera takes and does not keep.
    stamp_offset_ns : int
        Added to the stamps: how long the host has slept, for a camera on CLOCK_BOOTTIME.
    untold : set of str
        Entries that the metadata lacks.
    tuning, mono_tuning : dict or None
        The tuning files ``MODEL.json`` and ``MODEL_mono.json``; None where the system has none.
    mono : bool
        Whether the sensor has no colours, and so no white balance.
    calls : list of str
        Life-cycle calls, in order.
    """

    clock: Clock
    cameras: list[dict[str, Any]] = field(
        default_factory=lambda: [{"Model": "imx219", "Location": 2, "Rotation": 180, "Id": "/i2c@1a", "Num": 0}]
    )
    busy: bool = False
    lost: set[int] = field(default_factory=set)
    silent_from: int | None = None
    jitter_ns: tuple[int, ...] = (0,)
    latency_frames: int = 3
    deaf_to: set[str] = field(default_factory=set)
    stamp_offset_ns: int = 0
    untold: set[str] = field(default_factory=set)
    tuning: dict[str, Any] | None = field(default_factory=lambda: deepcopy(TUNING))
    mono_tuning: dict[str, Any] | None = None
    mono: bool = False
    calls: list[str] = field(default_factory=list)
    holder: object = None
    used_tuning: dict[str, Any] | None = None

    def check_empty(self) -> None:
        """Raise AssertionError when the camera is still open, or a request was never released before it stopped."""
        if self.holder is not None:
            raise AssertionError("fake picamera2: the camera was not closed")
        if "left over" in self.calls:
            raise AssertionError("fake picamera2: stopped with requests in hand that were never released")

    def tuning_files(self) -> dict[str, dict[str, Any]]:
        """Return the tuning files of this system by name."""
        files = {
            f"{info['Model']}{kind}.json": tuning
            for info in self.cameras
            for kind, tuning in (("", self.tuning), ("_mono", self.mono_tuning))
        }
        return {name: deepcopy(tuning) for name, tuning in files.items() if tuning is not None}
