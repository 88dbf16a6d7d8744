"""The values that travel round the loop: Frame -> Signal -> TrialInput -> commands. All frozen, without origin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[Any]


class Frame(NamedTuple):
    """One camera frame.

    Attributes
    ----------
    image : ndarray, (height, width, 3) uint8 or uint16
        BGR; in widefield imaging channel 0 is blue reflectance and channel 1 green fluorescence. Read-only for the
        receiver; the camera may reuse the memory after the next ``read()``.
    number : int
        The camera's count, from 1; a lost frame leaves a gap.
    time_ns : int
        Capture time, ns. Monotonic; its zero is the host's (hardware) or the recording's (replay).
    dropped : int
        Frames lost between the previous frame that was read and this one.
    sensor_ns : int
        The sensor's own stamp, ns; 0 where the source has none.
    lost : tuple of (str, int)
        Why the ``dropped`` frames were lost, in the order of their numbers: cause and how many in succession. Empty
        where the source does not know.
    """

    image: Image
    number: int
    time_ns: int
    dropped: int = 0
    sensor_ns: int = 0
    lost: tuple[tuple[str, int], ...] = ()


class Signal(NamedTuple):
    """What a pipeline made of one frame.

    Attributes
    ----------
    value : float
        dF/F (a fraction, 0.05 = 5 %) or mm/s; NaN where it cannot be computed.
    valid : bool
        Whether the value may be heard and may earn water.
    reason : str
        Why it is not valid ("warm-up", "dark ROI", ...), empty when it is.
    parts : tuple of float
        What the value came from, in the order of the pipeline's ``names`` (dF/F of each ROI; speed and pose).
    waits : str
        Why no trial may begin on this frame ("moving", ...), empty when one may.
    """

    value: float
    valid: bool
    reason: str = ""
    parts: tuple[float, ...] = ()
    waits: str = ""


WARM_UP = "warm-up"
SKIPPED = "skipped: a newer frame waited"
"""Reason of a frame that was recorded and not judged, since a newer one waited."""
POSE_LOST = "pose lost"
"""Reason of a frame whose pose could not be had, since the estimator failed."""


class Pose(NamedTuple):
    """Where the body parts are in one frame.

    Attributes
    ----------
    points : ndarray, (parts, 3) float64
        Column and row in px of the whole frame (0, 0 is the centre of its top left pixel) and likelihood, 0 to 1, in
        the order of the estimator's ``names``. A part that was not found has NaN, NaN and likelihood 0.
    """

    points: npt.NDArray[np.float64]


class Line(Enum):
    """Digital output lines other than the valve."""

    FAIL_LED = "fail_led"
    SUCCESS_LED = "success_led"
    LIGHT = "light"
    BEHAVIOUR_TTL = "behaviour_ttl"
    BRAIN_TTL = "brain_ttl"


@dataclass(frozen=True, slots=True)
class Tone:
    """Play this frequency from now on; 0 Hz is silence."""

    freq_hz: float


@dataclass(frozen=True, slots=True)
class Water:
    """Open the valve for this long."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """Raise a line for this long."""

    line: Line
    duration_s: float


@dataclass(frozen=True, slots=True)
class Level:
    """Set a line high or low and leave it."""

    line: Line
    high: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, for the event log only; no device acts on it.

    Attributes
    ----------
    kind : str
        ``trial_start``, ``start_waits``, ``crossing`` (or ``chance``, where chance earned the water), ``reward``,
        ``success``, ``fail``, ``cut_short``, ``threshold``, ``operator``, ``free_water``, ``set``, ``note``,
        ``refused``, ``session_end``.
    trial : int
        Trial number, 0 in rest.
    detail : str
        Free text, such as the new threshold.
    """

    kind: str
    trial: int
    detail: str = ""


Command = Tone | Water | Pulse | Level | Mark


class Lick(NamedTuple):
    """One lick, with its own time on the frames' clock."""

    time_ns: int


class Report(NamedTuple):
    """What a device tells of itself, for the event log: an edge it made, a buffer that ran empty.

    Attributes
    ----------
    time_ns : int
        When it happened, on the host's monotonic clock.
    kind : str
        Such as ``edge``, ``sync``, ``water_cut``, ``underflow``, ``drop``.
    detail : str
        Such as ``valve 1``.
    """

    time_ns: int
    kind: str
    detail: str = ""


class OperatorKind(Enum):
    """What a person, or the runner on behalf of a device that was lost, may ask of a running session."""

    PAUSE = "pause"
    RESUME = "resume"
    FREE_WATER = "free_water"
    SET_THRESHOLD = "set_threshold"
    SET = "set"
    NOTE = "note"
    STOP_AFTER_TRIAL = "stop_after_trial"
    STOP_NOW = "stop_now"
    ABORT_TRIAL = "abort_trial"


class Operator(NamedTuple):
    """A person's wish; an input of the loop like any other, stamped and recorded.

    Attributes
    ----------
    kind : OperatorKind
    value : float
        The new threshold (dF/F or mm/s) for SET_THRESHOLD, else 0.
    who : str
        Where it came from, such as ``"SIGINT"``, ``"camera"`` or a person's name.
    text : str
        For SET a key and its new value, as ``core.changes.read_change`` reads it; for NOTE what is to be noted; else
        empty.
    """

    kind: OperatorKind
    value: float = 0.0
    who: str = ""
    text: str = ""


class TrialInput(NamedTuple):
    """All that the trial logic may look at for one frame."""

    time_ns: int
    signal: Signal
    licks: tuple[Lick, ...] = ()
    operator: tuple[Operator, ...] = ()


def as_seconds(duration_ns: int) -> float:
    """Turn ns into s."""
    return duration_ns / 1e9


def as_ns(duration_s: float) -> int:
    """Turn s into whole ns."""
    return round(duration_s * 1e9)


def black(height: int, width: int) -> Image:
    """Return a black (height, width, 3) uint8 image."""
    return np.zeros((height, width, 3), np.uint8)
