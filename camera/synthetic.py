"""A camera that films a computed scene: the demonstration, and the oracle of the tests."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from camera.lifecycle import Lifecycle
from camera.scene import Region, SceneSettings, Transients, default_regions
from camera.stamps import frame_time_ns
from core.errors import InputError
from core.ports import EndOfSource
from core.values import Frame, Image, as_ns

__all__ = ["Region", "Scene", "SceneSettings", "SyntheticCamera"]

NOISE_SHIFTS = 2**20
_NOISE, _SHIFT = 1, 2  # keep the generators of one seed apart

Float32 = npt.NDArray[np.float32]


class _Patch(NamedTuple):
    """Where one region shows: a box of the frame, its weight there, and its green counts at dF/F 1."""

    box: tuple[slice, slice]
    weight: Float32
    gain: Float32


class Scene:
    """Renders frames and tells the exact dF/F in them. Pure: frame k is a function of (settings, size, seed, k).

    Parameters
    ----------
    settings : SceneSettings
    height, width : int
        Frame size, px.
    framerate : float
        Frames per second.
    seed : int
        0 or more.

    Raises
    ------
    InputError
        If a region lies outside the frame.
    """

    def __init__(self, settings: SceneSettings, height: int, width: int, framerate: float, seed: int) -> None:
        self.settings = settings
        self.regions = settings.regions or default_regions(height, width)
        self._framerate = framerate
        self._seed = seed
        self._transients = Transients(settings, seed)
        shading = _shading(settings, height, width)
        counts = np.array([settings.blue_counts, settings.green_counts, settings.red_counts], np.float32)
        self.rest: Float32 = shading[:, :, None] * counts
        """(height, width, 3) float32 BGR: counts at rest (F_rest), without noise."""
        self._patches = {region.name: self._patch(region) for region in self.regions}
        self._seen = {region.name: self._seen_by(region) for region in self.regions}
        # Frames take their noise from one long tape, each from a place of its own: drawing it afresh takes 10 times the
        # time of all the rest. The half turns the cast to uint8, which cuts, into rounding.
        tape = np.random.default_rng((seed, _NOISE)).standard_normal(self.rest.size + NOISE_SHIFTS, np.float32)
        self._tape: Float32 = tape * np.float32(settings.noise_sd) + np.float32(0.5)

    def time_ns(self, index: int) -> int:
        """Return the capture time of frame ``index`` (from 0), ns after frame 0."""
        return frame_time_ns(index, self._framerate)

    def mask(self, name: str) -> npt.NDArray[np.bool_]:
        """Return the pixels of region ``name`` in which it is fully active; (height, width) bool."""
        mask = np.zeros(self.rest.shape[:2], bool)
        patch = self._patches[name]
        mask[patch.box] = patch.weight == 1
        return mask

    def true_dff(self, name: str, time_ns: int) -> float:
        """Return the exact dF/F at ``time_ns`` (ns after frame 0), the mean over the pixels of region ``name``'s mask.

        It is relative to the resting fluorescence F_rest and free of the haemodynamic wave. Where the discs or fading
        edges of other regions reach into the mask, their activity is counted in. A pipeline divides by a running
        baseline instead, which is above F_rest after a transient: ``running_dff`` is what it should find.
        """
        time_s = time_ns / 1e9
        return sum(part * self._transients.dff(other, time_s) for other, part in self._seen[name].items())

    def haemo(self, time_ns: int) -> float:
        """Return the haemodynamic wave at ``time_ns``, a fraction that green and blue have in common."""
        return self.settings.haemo_amplitude * math.sin(2 * math.pi * self.settings.haemo_hz * time_ns / 1e9)

    def running_dff(self, name: str, index: int, history_s: float) -> float:
        """Return green dF/F less blue dF/F of frame ``index`` as a running baseline gives it, without noise.

        The baseline is the mean of the frames before this one that are at most ``history_s`` (s) older; NaN if none is.
        """
        now = self.time_ns(index)
        window = []
        at = index - 1
        while at >= 0 and self.time_ns(at) >= now - as_ns(history_s):
            window.append(self.time_ns(at))
            at -= 1
        if not window:
            return math.nan
        blue = 1 + float(np.mean([self.haemo(t) for t in window]))
        green = blue + float(np.mean([self.true_dff(name, t) for t in window]))
        return (1 + self.haemo(now) + self.true_dff(name, now)) / green - (1 + self.haemo(now)) / blue

    def render(self, index: int) -> Image:
        """Return frame ``index`` (from 0), a new (height, width, 3) uint8 BGR array."""
        now = self.time_ns(index)
        frame = self.rest * np.float32(1 + self.haemo(now))
        for name, patch in self._patches.items():
            frame[(*patch.box, 1)] += np.float32(self._transients.dff(name, now / 1e9)) * patch.gain
        shift = int(np.random.default_rng((self._seed, _SHIFT, index)).integers(NOISE_SHIFTS))
        frame += self._tape[shift : shift + frame.size].reshape(frame.shape)
        np.clip(frame, 0, 255, out=frame)
        return frame.astype(np.uint8)

    def _patch(self, region: Region) -> _Patch:
        height, width = self.rest.shape[:2]
        radius = self.settings.radius_px
        top, bottom = _span(region.row, 2 * radius, height)
        left, right = _span(region.col, 2 * radius, width)
        row, col = np.mgrid[top:bottom, left:right]
        beyond = np.hypot(row - region.row, col - region.col) - radius
        weight = np.exp(-0.5 * (np.maximum(beyond, 0) / (radius / 3)) ** 2)
        weight[beyond > radius] = 0
        if not np.any(weight == 1):
            raise InputError(
                f"synthetic scene: region {region.name} at row {region.row:g}, column {region.col:g} lies outside the "
                f"{width}x{height} px frame; move it, or raise resolution"
            )
        box = (slice(top, bottom), slice(left, right))
        return _Patch(box, weight.astype(np.float32), (weight * self.rest[(*box, 1)]).astype(np.float32))

    def _seen_by(self, region: Region) -> dict[str, float]:
        """Return how much of each region's activity the mean over this region's mask holds: 1 of itself."""
        mask = self.mask(region.name)
        seen = {}
        for name, patch in self._patches.items():
            part = float(patch.weight[mask[patch.box]].sum(dtype=np.float64)) / int(mask.sum())
            if part > 0:
                seen[name] = part
        return seen


class SyntheticCamera:
    """Delivers the frames of a Scene at once, with times from the frame rate; numbers from 1, nothing is ever lost.

    Parameters
    ----------
    settings : SceneSettings
    height, width : int
        Frame size, px.
    framerate : float
        Frames per second.
    seed : int
        Equal seeds give equal bytes.

    Attributes
    ----------
    scene : Scene
        The oracle: frame ``number`` shows ``scene.true_dff(name, scene.time_ns(number - 1))``.
    """

    frame_dtype = "uint8"

    def __init__(self, settings: SceneSettings, height: int, width: int, framerate: float, seed: int) -> None:
        self.scene = Scene(settings, height, width, framerate, seed)
        self.frame_shape = (height, width, 3)
        self._life = Lifecycle("synthetic camera")
        self._next = 0

    @property
    def expected_frames(self) -> int | None:
        """``n_frames`` of the settings: None when the scene has no end."""
        return self.scene.settings.n_frames

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
            raise EndOfSource(f"the synthetic scene ends after {index} frames")
        self._next += 1
        return Frame(self.scene.render(index), index + 1, self.scene.time_ns(index))

    def close(self) -> None:
        """Stop; twice is legal."""
        self._life.close()


def _span(centre: float, reach: float, size: int) -> tuple[int, int]:
    """Return first and one past the last pixel within ``reach`` of ``centre`` that are in the frame; may be empty."""
    first = max(0, math.floor(centre - reach))
    return first, max(first, min(size, math.ceil(centre + reach) + 1))


def _shading(settings: SceneSettings, height: int, width: int) -> Float32:
    """Return the light of each pixel as a fraction of that in the middle; (height, width) float32."""
    row = np.linspace(-1, 1, height)[:, None]
    col = np.linspace(-1, 1, width)[None, :]
    light = 1 - settings.vignette * (row**2 + col**2) / 2
    if settings.vessels:
        # The sagittal sinus and two branches, as dark curves; they look like a window, and shade dF/F not at all.
        thickness = 0.02
        for start, lean, wave in ((0.0, 0.0, 0.03), (-0.45, -0.3, 0.08), (0.5, 0.25, 0.06)):
            centre = start + lean * row + wave * np.sin(5 * row + 7 * start)
            light = light * (1 - 0.4 * np.exp(-0.5 * ((col - centre) / thickness) ** 2))
    return light.astype(np.float32)
