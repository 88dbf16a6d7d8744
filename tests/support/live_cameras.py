"""What tests of real camera libraries, on live sources, have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median, quantiles

import pytest

from camera.factory import CameraFactory
from camera.grabber import Grabber
from camera.settings import CameraSettings
from core.clock import MonotonicClock
from core.errors import RigError
from core.values import Frame
from tests.conformance.camera_checks import check_numbers, check_times

FPS = 100.0
WAIT_S = 10.0
CLOCK = MonotonicClock()
TIMELY_FRAMES = 600
"""Of these a tenth may be late: a machine that stands still for half a second has its frames among them."""

Make = Callable[..., Grabber]


def grabber_of(settings: CameraSettings) -> Grabber:
    """Return the camera that the settings name, not yet connected."""
    camera = CameraFactory().create(settings, source="", clock=CLOCK, pace_real=True, scene=None, seed=1)
    assert isinstance(camera, Grabber)
    return camera


def closing(make: Make) -> Iterator[Make]:
    """Give a ``make`` whose cameras are closed at the end; for a fixture."""
    made: list[Grabber] = []

    def make_one(*given: object, **changes: object) -> Grabber:
        made.append(make(*given, **changes))
        return made[-1]

    yield make_one
    for camera in made:
        camera.close()


def check_timely(camera: Grabber, within_ms: float) -> list[Frame]:
    """Frames of a camera that is started here come at its pace and soon; returns them with two rows of each image."""
    camera.start()
    frames, ages_ms = [], []
    for _ in range(TIMELY_FRAMES):
        frame = camera.read(WAIT_S)
        ages_ms.append((CLOCK.now_ns() - frame.time_ns) / 1e6)
        frames.append(frame._replace(image=frame.image[:2].copy()))
    check_numbers(frames)
    check_times(frames)
    steps = [(late.time_ns - early.time_ns) / (late.number - early.number) / 1e6 for early, late in pairwise(frames)]
    assert median(steps) == pytest.approx(1e3 / FPS, abs=within_ms)
    assert 0 < median(ages_ms) < 1e3 / FPS
    assert quantiles(ages_ms, n=10)[-1] < 100
    return frames


def check_refused(make: Callable[[], Grabber], says: str) -> None:
    """Made and connected, it is refused in one line, for its settings or by the camera."""
    with pytest.raises(RigError, match=says) as caught:
        make().connect()
    assert "\n" not in str(caught.value)
