"""Grabbers over hardware drivers, over the modules that stand for their libraries, on a virtual clock."""

from __future__ import annotations

from dataclasses import replace

from camera import fake_pi_bench, fake_picamera2, fake_stapi, fake_stapi_bench, fake_v4l2, fake_v4l2_bench
from camera.grabber import Grabber
from camera.pi import PiDriver
from camera.settings import CameraKind, CameraSettings
from camera.stapi import StapiDriver
from camera.usb import WARM_UP_FRAMES, UsbDriver
from core.clock import VirtualClock

LOST_AT = (5, 6)
"""Of the frames since the start, those that are lost on the way."""


def _settings(kind: CameraKind, width: int, height: int, n_frames: int) -> CameraSettings:
    # Virtual time runs as fast as frames are taken, so the buffer has to hold all of them.
    return replace(CameraSettings(), vid_source=kind, resolution=(width, height), camera_buffer=n_frames)


def _lost(first: int) -> set[int]:
    return {first + k for k in LOST_AT}


def fake_pi(width: int, height: int, n_frames: int) -> Grabber:
    """Return a Raspberry Pi camera that gives ``n_frames``, loses two on the way, and falls silent."""
    clock = VirtualClock()
    first = 4  # one more than the frames that its controls need to take effect
    bench = fake_pi_bench.Bench(clock, lost=_lost(first), silent_from=first + n_frames + len(LOST_AT))
    settings = _settings(CameraKind.pi, width, height, n_frames)
    return Grabber(PiDriver(settings, clock, fake_picamera2.make_library(bench), lambda: 0), settings, clock)


def fake_usb(width: int, height: int, n_frames: int) -> Grabber:
    """Return a USB camera that gives ``n_frames``, loses two on the way, and is unplugged."""
    clock = VirtualClock()
    first = WARM_UP_FRAMES
    modes = {"YUYV": {(width, height): 30}}
    bench = fake_v4l2_bench.Bench(clock, modes=modes, lost=_lost(first), gone_from=first + n_frames + len(LOST_AT))
    settings = _settings(CameraKind.usb, width, height, n_frames)
    driver = UsbDriver(settings, clock, fake_v4l2.make_cv2(bench), bench.open_node, lambda: 0)
    return Grabber(driver, settings, clock)


def fake_sentech(width: int, height: int, n_frames: int, dtype: str = "uint8") -> Grabber:
    """Return a Sentech camera through stapipy that gives ``n_frames``, loses two on the way, and is unplugged."""
    clock = VirtualClock()
    bench = fake_stapi_bench.Bench(clock, lost=_lost(0), gone_from=n_frames + len(LOST_AT))
    settings = _settings(CameraKind.genicam, width, height, n_frames)
    if dtype == "uint16":
        settings = replace(settings, camera_format="BayerRG12")
    return Grabber(StapiDriver(settings, clock, fake_stapi.make_library(bench)), settings, clock, dtype)
