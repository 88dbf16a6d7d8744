"""What a pose process is told at its start, and what runs in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from behavior.pose_points import Points, Shape
from core.values import Image

Say = Callable[[str], None]


class PoseModel(Protocol):
    """A model that is loaded, in the pose process. Called by its main thread."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the body parts."""

    @property
    def facts(self) -> Mapping[str, object]:
        """What it is, for the session's record; of what JSON knows."""

    def estimate(self, image: Image, number: int, /) -> Points:
        """Return the (parts, 3) float64 points of an image, (height, width, 3) uint8 BGR, tidy; what it raises ends it.

        ``number`` is the frame's.
        """


@dataclass(frozen=True, slots=True)
class PoseSpec:
    """What a pose process is told.

    Attributes
    ----------
    loader : str
        ``module:function``; it is called with ``options``, the frames' shape and a function that is to be told what is
        being done, and returns a PoseModel. What it raises as InputError or MissingError is said to the person.
    options : object
        For the loader; can be pickled.
    shape : (int, int, int)
        Of the frames.
    priority : int
        SCHED_FIFO priority of the process's main thread once the model is loaded, where this user may have it; 0: none.
    """

    loader: str
    options: Any
    shape: Shape
    priority: int = 0

    def load(self, say: Say) -> PoseModel:
        """Load the model, in this process."""
        module, _, name = self.loader.partition(":")
        model: PoseModel = getattr(import_module(module), name)(self.options, self.shape, say)
        return model
