"""A widefield scene whose dF/F is known exactly: regions of cortex with calcium transients over a haemodynamic wave."""

from __future__ import annotations

import math
import zlib
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from helper import Position, Seed, seed_to_px

SEGMENT_S = 60.0
TAIL_DECAYS = 20.0  # a transient is over after this many decay constants, at 2e-9 of its peak

# Stereotaxic seeds of CLoPy's config.ini (mm), and its geometry for 256x256 px; see brain.settings.GeometrySettings.
_SEEDS = {"M1": Seed(0.64181, 1.8603), "FL": Seed(-0.5668, 2.4526), "BC": Seed(-1.727, 3.4569)}
_SEEDS_PX, _SEEDS_BREGMA, _SEEDS_PPMM = 256, Position(135.0, 128.0), 25.6


@dataclass(frozen=True, slots=True)
class Region:
    """A disc of cortex that is active as one.

    Attributes
    ----------
    name : str
        Such as ``BC_L``; regions that differ only in ``_L`` and ``_R`` share transients.
    row, col : float
        Centre, px from the top and from the left.
    """

    name: str
    row: float
    col: float


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """What is in the scene. Fluorescence is additive: ``F = F_rest * (1 + haemo(t) + dff(t))`` in a region.

    Attributes
    ----------
    regions : tuple of Region
        Empty for the default ones: M1, FL and BC on both sides.
    radius_px : float
        Radius of the discs; inside it activity is even, outside it fades within another radius.
    green_counts, blue_counts, red_counts : float
        Brightness at rest where there is neither vignette nor vessel, counts of 0 to 255.
    amplitude : (float, float)
        Smallest and largest peak dF/F of a transient, drawn uniformly. Chosen because thresholds of CLoPy's sessions
        lie around 0.05, so that this one is crossed a few times a minute.
    transients_per_min : float
        Of each region, shared ones included.
    shared_fraction : float
        Part of the transients that the left and right region have in common, 0 to 1.
    rise_s, decay_s : float
        Time constants of ``(1 - exp(-t/rise)) * exp(-t/decay)``. GCaMP6s in visual cortex after one action potential:
        peak after 179 ms, half decay 550 ms (Chen et al. 2013, Nature 499:295, Fig. 3 and its table of kinetics), so
        decay = 0.55 / ln 2 and rise such that the peak comes at 179 ms.
    haemo_amplitude, haemo_hz : float
        Common wave in all channels, as a fraction and in Hz. 0.1 Hz is vasomotion (Mayhew et al. 1996, NeuroImage
        4:183); 1 % chosen because reflectance changes of that size are what the blue channel is there to remove.
    noise_sd : float
        Of each pixel and channel, counts.
    vignette : float
        Loss of light in the corners, 0 to 0.9.
    vessels : bool
        Whether dark vessels cross the field.
    n_frames : int or None
        Frames until the end; None for a scene without one.
    """

    regions: tuple[Region, ...] = ()
    radius_px: float = 8.0
    green_counts: float = 120.0
    blue_counts: float = 100.0
    red_counts: float = 10.0
    amplitude: tuple[float, float] = (0.02, 0.10)
    transients_per_min: float = 8.0
    shared_fraction: float = 0.5
    rise_s: float = 0.071
    decay_s: float = 0.79
    haemo_amplitude: float = 0.01
    haemo_hz: float = 0.1
    noise_sd: float = 1.5
    vignette: float = 0.3
    vessels: bool = True
    n_frames: int | None = None

    def __post_init__(self) -> None:
        problems = [text for wrong, text in self._checks() if wrong]
        if problems:
            raise InputError("synthetic scene: " + "; ".join(problems))

    def _checks(self) -> list[tuple[bool, str]]:
        low, high = self.amplitude
        names = [region.name for region in self.regions]
        swing = 1 + self.haemo_amplitude + 2 * max(high, 0.0)
        brightest = max(self.green_counts * swing, self.blue_counts, self.red_counts) + 4 * self.noise_sd
        not_negative = (self.transients_per_min, self.haemo_amplitude, self.haemo_hz, self.noise_sd, self.red_counts)
        return [
            (len(set(names)) < len(names), f"two regions have one name among {', '.join(names)}; rename one"),
            (self.radius_px < 1, f"radius_px is {self.radius_px}; give at least 1"),
            (min(self.green_counts, self.blue_counts) <= 0, "green_counts and blue_counts must be above 0"),
            (min(not_negative) < 0, f"rates, amplitudes, noise and red_counts must be 0 or more: {not_negative}"),
            (not 0 <= low <= high, f"amplitude is {self.amplitude}; give two fractions, the smaller first"),
            (not 0 <= self.shared_fraction <= 1, f"shared_fraction is {self.shared_fraction}; give 0 to 1"),
            (min(self.rise_s, self.decay_s) <= 0, "rise_s and decay_s must be above 0"),
            (not 0 <= self.vignette <= 0.9, f"vignette is {self.vignette}; give 0 to 0.9"),
            (
                brightest > 255,
                f"a transient would reach {brightest:.0f} of 255 counts; lower green_counts or amplitude",
            ),
            (self.n_frames is not None and self.n_frames < 1, f"n_frames is {self.n_frames}; give at least 1, or None"),
        ]


def default_regions(height: int, width: int) -> tuple[Region, ...]:
    """Return M1, FL and BC of both sides, at CLoPy's seeds, scaled from 256x256 px to the frame and centred in it."""
    scale = min(height, width) / _SEEDS_PX
    top, left = (height - scale * _SEEDS_PX) / 2, (width - scale * _SEEDS_PX) / 2
    bregma = Position(top + scale * _SEEDS_BREGMA.row, left + scale * _SEEDS_BREGMA.col)
    return tuple(
        Region(f"{name}_{side}", *seed_to_px(seed, side, bregma, scale * _SEEDS_PPMM))
        for name, seed in _SEEDS.items()
        for side in ("L", "R")
    )


class Transients:
    """The calcium transients of every region, for all time: a pure function of the seed.

    Transients are a Poisson process. They are drawn in segments of 60 s, each from a generator of its own, seeded by
    (seed, region, segment): so any time can be asked for in any order, without an end and without a state.

    Parameters
    ----------
    scene : SceneSettings
    seed : int
        0 or more.
    """

    def __init__(self, scene: SceneSettings, seed: int) -> None:
        if seed < 0:
            raise InputError(f"seed is {seed}; give 0 or more")
        self._scene = scene
        self._seed = seed
        self._drawn: dict[tuple[str, int], tuple[list[float], list[float]]] = {}
        peak_s = scene.rise_s * math.log1p(scene.decay_s / scene.rise_s)
        self._norm = 1.0 / self._shape(peak_s)
        self._tail_s = TAIL_DECAYS * scene.decay_s

    def dff(self, name: str, time_s: float) -> float:
        """Return the dF/F (a fraction, 0 at rest) of region ``name`` at ``time_s``: own and shared transients."""
        shared = self._scene.shared_fraction
        return self._sum(name, 1 - shared, time_s) + self._sum(_both_sides(name), shared, time_s)

    def _sum(self, stream: str, share: float, time_s: float) -> float:
        if share == 0 or time_s < 0:
            return 0.0
        begin_s = max(0.0, time_s - self._tail_s)
        total = 0.0
        for segment in range(int(begin_s // SEGMENT_S), int(time_s // SEGMENT_S) + 1):
            onsets, peaks = self._segment(stream, segment, share)
            for at in range(bisect_right(onsets, begin_s), bisect_right(onsets, time_s)):
                total += peaks[at] * self._shape(time_s - onsets[at])
        return total * self._norm

    def _segment(self, stream: str, segment: int, share: float) -> tuple[list[float], list[float]]:
        """Return onsets (s, rising) and peaks (dF/F) of one stream of transients in one segment."""
        key = (stream, segment)
        if key not in self._drawn:
            rng = np.random.default_rng((self._seed, zlib.crc32(stream.encode()), segment))
            n_transients = rng.poisson(self._scene.transients_per_min * share * SEGMENT_S / 60.0)
            onsets = np.sort(rng.uniform(segment * SEGMENT_S, (segment + 1) * SEGMENT_S, n_transients))
            self._drawn[key] = (onsets.tolist(), rng.uniform(*self._scene.amplitude, n_transients).tolist())
        return self._drawn[key]

    def _shape(self, since_s: float) -> float:
        return -math.expm1(-since_s / self._scene.rise_s) * math.exp(-since_s / self._scene.decay_s)


def _both_sides(name: str) -> str:
    """Return the name that the left and the right region share; a region without a side shares with itself only."""
    return f"{name[:-2]} (both)" if name.endswith(("_L", "_R")) else f"{name} (both)"
