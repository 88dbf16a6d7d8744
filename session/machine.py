"""What the doctor looks at: this computer, through a few functions that a test replaces with a folder and answers."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from camera.factory import CameraFactory
from camera.settings import CameraKind, GenicamLibrary
from core.clock import MonotonicClock
from core.errors import InputError, OutputError
from hardware.gpio_library import imported_library
from hardware.realtime import user_name
from hardware.settings import LickSettings
from session.settings import Settings


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer.

    Attributes
    ----------
    root : Path
        Stands for ``/``.
    has : callable
        Whether a Python module can be imported, by its name.
    version : callable
        Version of an installed distribution, by its name; empty where it is not installed.
    sound : callable
        Names of the sound outputs, the default one first. Raises OutputError.
    lacking : callable
        What a kind of camera lacks, or None; a genicam camera, what it lacks with the library that drives it.
    camera : callable
        Opens the camera of some settings for a look; returns what it is. Raises CameraError, InputError.
    lick_chip : callable
        Looks for the MPR121 of some settings; returns what it is. Raises OutputError.
    realtime_priority : callable
        The highest SCHED_FIFO priority that this user may have, 0 for none.
    locked_bytes : callable
        Memory that this user may lock, bytes; -1 for all.
    may_use : callable
        Whether this user may read and write a device, by its path below ``root``.
    gpio_library : callable
        The distribution that ``import RPi.GPIO`` would bring; empty for none.
    user : str
        This user, as ``limits.conf`` names it.
    """

    root: Path
    has: Callable[[str], bool]
    version: Callable[[str], str]
    sound: Callable[[], Sequence[str]]
    lacking: Callable[[CameraKind, GenicamLibrary], str | None]
    camera: Callable[[Settings], str]
    lick_chip: Callable[[LickSettings], str]
    realtime_priority: Callable[[], int]
    locked_bytes: Callable[[], int]
    may_use: Callable[[Path], bool]
    gpio_library: Callable[[], str]
    user: str


def this_machine() -> Machine:
    """Return the computer that this runs on."""
    return Machine(
        Path("/"), _has, _version, _sound, CameraFactory().missing, _camera, _lick_chip, _priority, _locked_bytes,
        _may_use, imported_library, user_name(os.getuid()),
    )  # fmt: skip


def _has(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        # The parent of a dotted name is not there, or is half-way imported.
        return False


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _sound() -> list[str]:
    from hardware.speaker_list import list_devices

    devices = sorted(list_devices(), key=lambda device: not device.is_default)
    return [device.name for device in devices]


def _camera(settings: Settings) -> str:
    camera = CameraFactory().create(
        settings.camera, source=settings.camera.vid_root, clock=MonotonicClock(), pace_real=True, scene=None, seed=0
    )
    try:
        connect = getattr(camera, "connect", None)
        if connect is None:
            raise InputError(f"vid_source = {settings.camera.vid_source.value}: is no camera that can be opened")
        connect()
        facts = getattr(camera, "facts", {})
        return ", ".join(f"{key} {value}" for key, value in facts.items()) or settings.camera.vid_source.value
    finally:
        camera.close()


def _lick_chip(settings: LickSettings) -> str:
    from hardware.mpr121 import Mpr121
    from hardware.smbus import open_smbus

    bus = open_smbus(settings.lick_i2c_bus)
    try:
        chip = Mpr121(bus, settings, MonotonicClock())
        chip.start()
        return chip.name
    except OSError as error:
        raise OutputError(f"lick sensor: no answer on /dev/i2c-{settings.lick_i2c_bus}; {error}") from error
    finally:
        bus.close()


def _priority() -> int:
    if os.geteuid() == 0:
        return 99
    most = resource.getrlimit(resource.RLIMIT_RTPRIO)[1]
    return 99 if most == resource.RLIM_INFINITY else most


def _locked_bytes() -> int:
    if os.geteuid() == 0:
        return -1
    most = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    return -1 if most == resource.RLIM_INFINITY else most


def _may_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)
