"""Keys of config.ini that cameras read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Gt, Le

from core.keys import Key

Side = Annotated[int, Ge(8), Le(16_384)]


class CameraKind(Enum):
    """Where frames come from."""

    pi = "pi"
    genicam = "genicam"
    jetson = "jetson"
    usb = "usb"
    replay = "replay"
    synthetic = "synthetic"
    simulated = "simulated"


class GenicamLibrary(Enum):
    """What a genicam camera is driven through."""

    aravis = "aravis"
    stapi = "stapi"


OFFLINE = frozenset({CameraKind.replay, CameraKind.synthetic, CameraKind.simulated})
"""Kinds behind which there is no animal: their sessions may run faster than real time and use fake outputs."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """The camera and what it delivers."""

    vid_source: Annotated[CameraKind, Key("", "Camera: pi, genicam, jetson, usb, replay, synthetic or simulated.")] = (
        CameraKind.synthetic
    )
    vid_root: Annotated[
        str, Key("", "Recording to replay: a session folder, an .hdf5 or video file, or a folder of images.")
    ] = ""
    resolution: Annotated[tuple[Side, Side], Key("px", "Width, height of the frames.")] = (256, 256)
    framerate: Annotated[float, Gt(0), Le(1000), Key("frames/s", "Frames per second.")] = 15.0
    shutter_speed: Annotated[
        int, Ge(0), Le(10_000_000), Key("us", "Exposure time (hardware cameras); 0 leaves it (pi, usb).")
    ] = 60_000
    iso: Annotated[int, Ge(0), Le(6400), Key("", "Sensitivity, 100 = gain 1 (hardware cameras); 0 leaves it.")] = 800
    awb_mode: Annotated[str, Key("", "White balance; off, so that colours stay comparable (hardware cameras).")] = "off"
    sensor_mode: Annotated[int, Ge(0), Le(32), Key("", "Sensor mode of the Pi camera; 0 lets the driver choose.")] = 0
    camera_id: Annotated[
        str, Key("", "Which camera: serial number, /dev/video0, or number; empty: the first found (hardware cameras).")
    ] = ""
    genicam_library: Annotated[
        GenicamLibrary, Key("", "Library for a genicam camera: aravis (any maker), or stapi (Sentech, with its SDK).")
    ] = GenicamLibrary.aravis
    camera_format: Annotated[
        str,
        Key("", "Pixel format of a genicam camera, such as BayerRG8 or Mono12; empty: its best one of 8 bits."),
    ] = ""
    camera_binning: Annotated[
        int, Ge(1), Le(8), Key("px", "Pixels that a genicam camera makes into one, along each side, before resolution.")
    ] = 1
    camera_pipeline: Annotated[
        str, Key("", "GStreamer source of a jetson camera; empty: nvarguscamerasrc with the keys above.")
    ] = ""
    colour_gains: Annotated[
        tuple[Annotated[float, Ge(0), Le(32)], Annotated[float, Ge(0), Le(32)]],
        Key("", "Gains of red, blue with awb_mode = off; 0, 0 leaves them (hardware cameras)."),
    ] = (1.0, 1.0)
    camera_buffer: Annotated[
        int, Ge(2), Le(256), Key("frames", "Frames that wait for a late loop before the oldest is dropped.")
    ] = 8
    camera_timeout_s: Annotated[
        float,
        Ge(0.05),
        Le(600),
        Key("s", "Without a frame for this long the outputs fall silent and the session ends."),
    ] = 5.0
