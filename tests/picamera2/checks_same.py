"""The module that stands for picamera2 in our tests (camera/fake_picamera2.py) against the real one."""

from __future__ import annotations

import inspect
from typing import Any

import libcamera
import picamera2
from picamera2.job import Job

from camera import fake_pi_requests
from camera.fake_pi_bench import Bench
from camera.fake_picamera2 import Picamera2, make_library
from core.clock import VirtualClock
from tests.picamera2.scenarios import SCENARIOS, Bed
from tests.picamera2.seam import Camera, real_library

PAIRS = (
    (Picamera2, picamera2.Picamera2, {"bench", "wait_for", "recycle"}),
    (fake_pi_requests.Job, Job, {"take", "__init__"}),
    (fake_pi_requests.CompletedRequest, picamera2.CompletedRequest, {"__init__"}),
    (fake_pi_requests.MappedArray, picamera2.MappedArray, set()),
)
"""Fake, real, and what the fake has for itself: what its users do not call."""
REQUIRED = inspect.Parameter.empty
LIBCAMERA = (libcamera.Transform, libcamera.ColorSpace)


def parameters(function: Any) -> dict[str, Any]:
    """Return names and defaults, None for a default that is an object of libcamera."""
    found = {name: each.default for name, each in inspect.signature(function).parameters.items()}
    return {name: None if isinstance(default, LIBCAMERA) else default for name, default in found.items()}


def public(kind: type) -> list[str]:
    """Return what the class defines for its users."""
    return [name for name in vars(kind) if not name.startswith("_") and name not in ("is_open", "started")]


def check_the_fake_has_the_signatures_of_the_real() -> None:
    wrong = []
    compared = 0
    for fake, real, own in PAIRS:
        for name in ["__init__", *public(fake)]:
            if name in own:
                continue
            mine, theirs = inspect.getattr_static(fake, name), inspect.getattr_static(real, name, None)
            compared += 1
            if isinstance(mine, property) or isinstance(theirs, property):
                same = isinstance(mine, property) and isinstance(theirs, property)
            else:
                same = theirs is not None and parameters(getattr(fake, name)) == parameters(getattr(real, name))
            if not same:
                wrong.append(f"{fake.__name__}.{name}")
    assert compared > 20, compared
    assert not wrong, wrong


def check_the_fake_has_the_attributes_of_the_real() -> None:
    camera = Camera()
    stand_in = make_library(Bench(VirtualClock())).Picamera2()
    lacking = [name for name in vars(stand_in) if not name.startswith("_") and not hasattr(camera, name)]
    camera.close()
    assert not lacking, lacking


def check_the_fake_does_what_the_real_does() -> None:
    wrong = []
    for name, run in SCENARIOS.items():
        real = run(Bed(real_library(), "NV12"))
        fake = run(Bed(make_library(Bench(VirtualClock())), "RGB888"))
        print(f"  {name}: {real}", flush=True)
        if real != fake:
            wrong.append(f"{name}: real {real}, fake {fake}")
            print(f"  {'':{len(name)}}  fake: {fake}", flush=True)
    assert not wrong, "; ".join(wrong)


def check_a_start_without_a_configuration_is_refused_by_the_fake_alone() -> None:
    """The real one takes its preview configuration: the fake says that it does not know that, rather than play it."""
    camera = Camera()
    camera.start()
    assert camera.camera_configuration()["use_case"] == "preview"
    camera.close()
    try:
        make_library(Bench(VirtualClock())).Picamera2().start()
    except NotImplementedError:
        return
    raise AssertionError("the fake started")
