"""A grabber over a scripted driver, for tests of what it does as its driver plays the script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import enumerate as threads

import numpy as np
import pytest

from camera.driver import Grabbed
from camera.fake_driver import Act, Give, ScriptedDriver
from camera.grabber import Grabber
from camera.settings import CameraKind, CameraSettings
from core.clock import VirtualClock

PERIOD_NS = 10_000_000
SETTINGS = replace(
    CameraSettings(), vid_source=CameraKind.genicam, resolution=(4, 3), framerate=100.0, camera_buffer=16
)
LONG_S = 10.0

Make = Callable[..., tuple[Grabber, ScriptedDriver]]


def give(*ticks: int, shape: tuple[int, ...] = (3, 4, 3), dtype: str = "uint8") -> list[Act]:
    return [Give(Grabbed(np.full(shape, tick, dtype), tick * PERIOD_NS)) for tick in ticks]


@pytest.fixture
def make() -> Iterator[Make]:
    made = []

    def make_grabber(script: list[Act], **options: object) -> tuple[Grabber, ScriptedDriver]:
        driver = ScriptedDriver(script, **options)
        made.append(Grabber(driver, SETTINGS, VirtualClock()))
        return made[-1], driver

    yield make_grabber
    for camera in made:
        camera.close()
    assert not [thread for thread in threads() if thread.name == "camera"]
