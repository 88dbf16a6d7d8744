"""A camera that films a drawn mouse whose paw follows a script: the demonstration, and the oracle of movement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from camera.lifecycle import Lifecycle
from camera.stamps import frame_time_ns
from core.errors import InputError
from core.ports import EndOfSource
from core.values import Frame, Image
from insilico.limb_scene import LimbScene
from insilico.limb_settings import NAMES, LimbSceneSettings, Paws, leaning

__all__ = ["NAMES", "ReachSettings", "ScriptedReaches", "SyntheticLimbCamera"]

_PICTURE, _NOISE, _REACH = 1, 2, 3  # keep the generators of one seed apart
_PEAK = 1.875
"""Peak speed of a minimum-jerk movement over its mean (Flash and Hogan 1985, J Neurosci 5:1688)."""


@dataclass(frozen=True, slots=True)
class ReachSettings:
    """When and how the paw moves: minimum-jerk reaches towards the target and back, one in each slot of time.

    Attributes
    ----------
    slot_s : float
        One reach in each, s; chosen so that the mean speed over 5 s stays below ``still_speed`` between reaches.
    peak_mm_s : (float, float)
        Lowest and highest peak speed towards the target, mm/s, drawn evenly on a logarithmic scale; chosen so that
        CLoPy's threshold (20 px a frame at 30 frames/s and 3.5 px/mm: 171 mm/s) is crossed between two frames in a
        third of 30 s trials, for a target 9 mm away.
    amplitude : (float, float)
        Least and largest amplitude, as a fraction of the way to the target.
    hold_s : (float, float)
        Shortest and longest time before the paw goes back, s.
    back : float
        Duration of the way back over that of the way out, at least.
    bulge : (float, float)
        How far the path bends upwards (below 0: downwards), as a fraction of the amplitude.
    n_frames : int or None
        Frames until the end; None for a scene without one.
    """

    slot_s: float = 4.0
    peak_mm_s: tuple[float, float] = (50.0, 270.0)
    amplitude: tuple[float, float] = (0.5, 1.1)
    hold_s: tuple[float, float] = (0.05, 0.3)
    back: float = 1.6
    bulge: tuple[float, float] = (-0.1, 0.2)
    n_frames: int | None = None

    def __post_init__(self) -> None:
        slowest, fastest = self.peak_mm_s
        wrong = [
            (not self.slot_s > 0, f"slot_s is {self.slot_s}; give more than 0"),
            (not 0 < slowest <= fastest, f"peak_mm_s is {self.peak_mm_s}; give two speeds, rising"),
            (
                not 0 <= self.amplitude[0] <= self.amplitude[1] <= 2,
                f"amplitude is {self.amplitude}; give two of 0 to 2",
            ),
            (not 0 <= self.hold_s[0] <= self.hold_s[1], f"hold_s is {self.hold_s}; give two, rising"),
            (not self.back > 0, f"back is {self.back}; give more than 0"),
            (not -1 <= self.bulge[0] <= self.bulge[1] <= 1, f"bulge is {self.bulge}; give two of -1 to 1"),
            (self.n_frames is not None and self.n_frames < 1, f"n_frames is {self.n_frames}; give at least 1, or None"),
        ]
        problems = [text for bad, text in wrong if bad]
        if problems:
            raise InputError("scripted reaches: " + "; ".join(problems))


class Reach(NamedTuple):
    """One reach: when it begins (s), how far (mm), how it bends (mm), how long it goes, stays, and comes back (s)."""

    onset_s: float
    far_mm: float
    bulge_mm: float
    out_s: float
    hold_s: float
    back_s: float


class ScriptedReaches:
    """The movement of the left paw for all time: a pure function of the settings, the distance and the seed.

    Parameters
    ----------
    settings : ReachSettings
    reach_mm : float
        From start to target, mm.
    seed : int
        0 or more.
    """

    def __init__(self, settings: ReachSettings, reach_mm: float, seed: int) -> None:
        if seed < 0:
            raise InputError(f"seed is {seed}; give 0 or more")
        self._settings = settings
        self._reach_mm = reach_mm
        self._seed = seed
        self._drawn = lru_cache(maxsize=64)(self._draw)

    def reach(self, slot: int) -> Reach:
        """Return the reach that lies in this slot of time, from 0."""
        return self._drawn(slot)

    def at(self, time_s: float) -> tuple[float, float]:
        """Return how far the paw is on the way to the target, and across it (upwards), mm."""
        reach, along, _ = self._now(time_s)
        return reach.far_mm * along, reach.bulge_mm * 4 * along * (1 - along)

    def speed_mm_s(self, time_s: float) -> float:
        """Return the exact speed of the paw at ``time_s``, mm/s."""
        reach, along, rate = self._now(time_s)
        return math.hypot(reach.far_mm * rate, reach.bulge_mm * 4 * (1 - 2 * along) * rate)

    def _now(self, time_s: float) -> tuple[Reach, float, float]:
        """Return the reach of this moment, the part of its way that the paw has gone, and that part's change, 1/s."""
        reach = self.reach(max(0, int(time_s // self._settings.slot_s)))
        since = time_s - reach.onset_s
        back_from = reach.out_s + reach.hold_s
        if since < back_from:
            along, rate = _minimum_jerk(since / reach.out_s)
            return reach, along, rate / reach.out_s
        along, rate = _minimum_jerk((since - back_from) / reach.back_s)
        return reach, 1 - along, -rate / reach.back_s

    def _draw(self, slot: int) -> Reach:
        made = self._settings
        rng = np.random.default_rng((self._seed, _REACH, slot))
        far_mm = self._reach_mm * float(rng.uniform(*made.amplitude))
        peak_mm_s = math.exp(rng.uniform(*np.log(made.peak_mm_s)))
        hold_s, bulge_mm = float(rng.uniform(*made.hold_s)), far_mm * float(rng.uniform(*made.bulge))
        late = float(rng.random())
        out_s = max(_PEAK * far_mm / peak_mm_s, 1e-3)
        # Where a slot is too short for it a reach is as much faster, so that each slot holds one, whole.
        squeeze = min(1.0, made.slot_s / (out_s * (1 + made.back) + hold_s))
        out_s, hold_s, back_s = squeeze * out_s, squeeze * hold_s, squeeze * made.back * out_s
        free_s = max(0.0, made.slot_s - out_s - hold_s - back_s)
        return Reach(slot * made.slot_s + late * free_s, far_mm, bulge_mm, out_s, hold_s, back_s)


def _minimum_jerk(part: float) -> tuple[float, float]:
    """Return the way that is done at ``part`` of the time, and its change per that time."""
    if not 0 < part < 1:
        return (0.0 if part <= 0 else 1.0), 0.0
    return part**3 * (10 + part * (6 * part - 15)), 30 * (part * (1 - part)) ** 2


class SyntheticLimbCamera:
    """Delivers drawn frames at once, with times from the frame rate; numbers from 1, nothing is ever lost.

    Parameters
    ----------
    settings : LimbSceneSettings
    height, width : int
        Frame size, px.
    framerate : float
        Frames per second.
    seed : int
        Equal seeds give equal bytes.
    reaches : ReachSettings

    Attributes
    ----------
    reaches : ScriptedReaches
    scene : LimbScene

    Raises
    ------
    InputError
        For a frame too small, or a start or target that is not in it.
    """

    frame_dtype = "uint8"

    def __init__(
        self,
        settings: LimbSceneSettings,
        height: int,
        width: int,
        framerate: float,
        seed: int,
        reaches: ReachSettings | None = None,
    ) -> None:
        self._script = reaches or ReachSettings()
        if seed < 0:
            raise InputError(f"seed is {seed}; give 0 or more")
        self.scene = LimbScene(settings, height, width, np.random.default_rng((seed, _PICTURE)))
        self.reaches = ScriptedReaches(self._script, self.scene.geometry.reach_mm, seed)
        self.frame_shape = (height, width, 3)
        self._framerate = framerate
        self._seed = seed
        self._life = Lifecycle("synthetic camera")
        self._next = 0

    @property
    def expected_frames(self) -> int | None:
        """``n_frames`` of the reaches: None when they have no end."""
        return self._script.n_frames

    def time_ns(self, index: int) -> int:
        """Return the capture time of frame ``index`` (from 0), ns after frame 0."""
        return frame_time_ns(index, self._framerate)

    def paws(self, index: int) -> Paws:
        """Return where the paws are in frame ``index`` (from 0), mm from their places of rest."""
        return leaning(self.scene.geometry.along(*self.reaches.at(self.time_ns(index) / 1e9)))

    def true_points(self, index: int) -> npt.NDArray[np.float64]:
        """Return column and row of each of ``NAMES`` in frame ``index``; (3, 2) float64 px."""
        return self.scene.geometry.points(self.paws(index))

    def true_speed_mm_s(self, time_s: float) -> float:
        """Return the speed of the left paw at ``time_s``, mm/s; two frames show the mean between them, or less.

        Taken over 20 us of the drawn path, which is the script's but at the edges of frame and reach.
        """
        before, after = (self.scene.geometry.along(*self.reaches.at(time_s + by)) for by in (-1e-5, 1e-5))
        return math.dist(before, after) / 2e-5

    def render(self, index: int) -> Image:
        """Return frame ``index`` (from 0), a new (height, width, 3) uint8 BGR array."""
        return self.scene.render(self.paws(index), np.random.default_rng((self._seed, _NOISE, index)))

    def start(self) -> None:
        """Begin with frame 1. Raises CameraError."""
        self._life.start()

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame; nothing is waited for, so ``timeout_s`` (s) is not used.

        Raises EndOfSource after ``n_frames``, CameraError before ``start`` and after ``close``.
        """
        del timeout_s
        self._life.check_readable()
        index = self._next
        if self.expected_frames is not None and index >= self.expected_frames:
            raise EndOfSource(f"the scripted reaches end after {index} frames")
        self._next += 1
        return Frame(self.render(index), index + 1, self.time_ns(index))

    def close(self) -> None:
        """Stop; twice is legal."""
        self._life.close()
