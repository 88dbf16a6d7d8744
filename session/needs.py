"""What a mouse's section asks of the computer, and what a check of the doctor is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from camera.settings import OFFLINE, CameraKind, GenicamLibrary
from hardware.settings import LickKind
from session.findings import Finding
from session.machine import Machine
from session.settings import Settings


@dataclass(frozen=True, slots=True)
class Needs:
    """What a mouse's section asks for. Without a mouse: nothing.

    Attributes
    ----------
    settings : Settings or None
    rig_free : bool
        Whether no session runs on the rig, so that its camera and its lick sensor may be opened for a look.
    """

    settings: Settings | None
    rig_free: bool = True

    @property
    def outputs(self) -> bool:
        """Whether its sessions move real outputs."""
        return self.settings is not None and self.settings.camera.vid_source not in OFFLINE

    @property
    def camera(self) -> CameraKind | None:
        """The kind of its camera."""
        return None if self.settings is None else self.settings.camera.vid_source

    @property
    def genicam_library(self) -> GenicamLibrary:
        """What drives its camera, if that is a genicam camera."""
        return GenicamLibrary.aravis if self.settings is None else self.settings.camera.genicam_library

    @property
    def lick_chip(self) -> bool:
        """Whether it is to feel licks with the MPR121."""
        return self.outputs and self.settings is not None and self.settings.licks.lick_sensor is LickKind.mpr121


Check = Callable[[Machine, Needs], Iterator[Finding]]
