"""A pose model that needs no library, runs in the pose process as a real one does, and fails as it is told to."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from behavior.pose_points import Points, Shape, not_found, tidy
from behavior.pose_spec import PoseSpec
from core.clock import MonotonicClock
from core.errors import InputError
from core.values import Image, as_ns

LOADER = "behavior.fake_pose:load_fake"
BRIGHT = 128
"""Pixels whose three values are all this much and more are the mouse."""


class Act(Enum):
    """What goes wrong."""

    stall = "stall"
    fail = "fail"
    crash = "crash"


@dataclass(frozen=True, slots=True)
class FakeOptions:
    """What the fake does.

    Attributes
    ----------
    names : tuple of str
        Its body parts.
    path : dict
        Frame number to where all body parts are, (column, row, likelihood). Of frames that are not in it: the centroid
        of the bright pixels, likelihood 1; not found where there are none.
    acts : dict
        Frame number to what goes wrong in it. 0 is the loading.
    slow_s : dict
        Frame number to how long its pose takes, s; 0 is the loading.
    all_slow_s : float
        How long every other pose takes, s.
    """

    names: tuple[str, ...] = ("fl_l", "fl_r")
    path: Mapping[int, tuple[float, float, float]] = field(default_factory=dict)
    acts: Mapping[int, Act] = field(default_factory=dict)
    slow_s: Mapping[int, float] = field(default_factory=dict)
    all_slow_s: float = 0.0


class FakeModel:
    """Finds the bright pixels, or says what it was told to."""

    def __init__(self, options: FakeOptions) -> None:
        self.names = options.names
        self.facts = {"backend": "fake", "bodyparts": list(options.names)}
        self._options = options
        self._clock = MonotonicClock()

    def act(self, number: int) -> None:
        """Do what is to go wrong in this frame; 0 is the loading."""
        slow_s = self._options.slow_s.get(number, self._options.all_slow_s if number else 0.0)
        if slow_s:
            self._clock.sleep_until_ns(self._clock.now_ns() + as_ns(slow_s))
        act = self._options.acts.get(number)
        if act is Act.stall:
            threading.Event().wait()
        if act is Act.crash:
            os._exit(9)
        if act is Act.fail:
            raise (
                InputError("fake: it cannot be loaded, as it was told")
                if not number
                else ValueError(f"frame {number}: it fails, as it was told")
            )

    def estimate(self, image: Image, number: int) -> Points:
        """Return the points of an image, tidy; each part at the same place."""
        self.act(number)
        if number in self._options.path:
            return tidy([self._options.path[number]] * len(self.names))
        rows, columns = np.nonzero((image >= BRIGHT).all(axis=2))
        if not len(rows):
            return not_found(len(self.names))
        return tidy([(columns.mean(), rows.mean(), 1.0)] * len(self.names))


def load_fake(options: FakeOptions, _shape: Shape, say: Callable[[str], None]) -> FakeModel:
    """Load the fake; what a PoseSpec names as its loader."""
    say("loading the fake")
    model = FakeModel(options)
    model.act(0)
    return model


def fake_spec(shape: Shape, options: FakeOptions | None = None) -> PoseSpec:
    """Return the spec of a fake for frames of ``shape``, for ``behavior.pose_client.ProcessPose``."""
    return PoseSpec(LOADER, options or FakeOptions(), shape)
