"""Draws a behaving mouse: a head-fixed mouse seen from the side, its forelimbs where they are told to be.

A frame is a function of where the paws are and of the generator that its noise comes from, and of nothing else.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from insilico.limb_layers import FUR, LIGHT, SKIN, paint_layers, smooth_noise
from insilico.limb_settings import LimbGeometry, LimbSceneSettings, Paws, Point

Float32 = npt.NDArray[np.float32]

NOISE_SHIFTS = 2**18
MARKER_MM, MARKER_LEAST_PX = 1.7, 2.6
"""Radius of a marker, mm of the drawing, and its least, px: an area of 21 px, which an OpenCV mask finds."""
_HAIR = 64  # a power of 2
_DIGITS = (-0.55, -0.18, 0.18, 0.55)


class _Light(NamedTuple):
    """How bright one limb is, its colours, and the marker it carries."""

    bright: float
    marker: Float32 | None


class _Patch:
    """A box of the frame in which something is drawn, and the places of its pixels."""

    def __init__(self, image: Float32, points: list[Point], reach_px: float) -> None:
        height, width = image.shape[:2]
        cols, rows = [point[0] for point in points], [point[1] for point in points]
        left, right = _span(min(cols) - reach_px, max(cols) + reach_px, width)
        top, bottom = _span(min(rows) - reach_px, max(rows) + reach_px, height)
        self.box = (slice(top, bottom), slice(left, right))
        self.image = image[self.box]
        self.cols = np.arange(left, right, dtype=np.float32)[None, :]
        self.rows = np.arange(top, bottom, dtype=np.float32)[:, None]

    def lay(self, colour: Float32, cover: Float32) -> None:
        """Lay a colour over the box, in place."""
        self.image += (colour - self.image) * cover[..., None]


class LimbScene:
    """The picture of one mouse. Not for threads: it draws in memory of its own.

    Parameters
    ----------
    settings : LimbSceneSettings
    height, width : int
        Of the frames, px.
    rng : numpy.random.Generator
        Decides the fur, the grain of the rig and the tape that noise is taken from.

    Attributes
    ----------
    geometry : LimbGeometry
        Tells where each body part is: ``geometry.points(paws)``.

    Raises
    ------
    InputError
        As LimbGeometry.
    """

    def __init__(self, settings: LimbSceneSettings, height: int, width: int, rng: np.random.Generator) -> None:
        self.geometry = LimbGeometry(settings, height, width)
        self._layers = paint_layers(self.geometry, rng)
        back, mouse, cover = self._layers
        self._still: Float32 = back + (mouse - back) * cover
        self._hair = 1 + np.float32(0.14) * smooth_noise(rng, (_HAIR, _HAIR), 1.0, 4.0)
        # Drawing noise afresh takes longer than all the rest. The half turns the cast, which cuts, into rounding.
        tape = rng.standard_normal(self._still.size + NOISE_SHIFTS, np.float32)
        self._tape: Float32 = tape * np.float32(settings.noise_sd) + np.float32(0.5)
        self._canvas = np.empty_like(self._still)
        left, right = settings.hues
        self._left = _Light(1.0, None if left is None else _colour(left))
        self._right = _Light(0.78, None if right is None else _colour(right))

    def render(
        self, paws: Paws, rng: np.random.Generator, out: npt.NDArray[np.uint8] | None = None
    ) -> npt.NDArray[np.uint8]:
        """Return the frame of this moment, (height, width, 3) uint8 BGR, drawn into ``out`` if that is given."""
        geometry, canvas = self.geometry, self._canvas
        np.copyto(canvas, self._still)
        left, right, _ = geometry.points(paws)
        back, mouse, cover = self._layers
        patch = self._limb(canvas, geometry.shoulders[1], right, self._right, under=back)
        patch.image += (mouse[patch.box] - patch.image) * cover[patch.box]
        self._limb(canvas, geometry.shoulders[0], left, self._left, under=None)
        shift = int(rng.integers(NOISE_SHIFTS))
        canvas += self._tape[shift : shift + canvas.size].reshape(canvas.shape)
        np.clip(canvas, 0, 255, out=canvas)
        frame = np.empty(canvas.shape, np.uint8) if out is None else out
        np.copyto(frame, canvas, casting="unsafe")
        return frame

    def _limb(
        self, canvas: Float32, shoulder: Point, paw: npt.NDArray[np.float64], light: _Light, under: Float32 | None
    ) -> _Patch:
        """Draw a forelimb; ``under``, if given, is what lies behind it before."""
        mm, face = self.geometry.scale, self.geometry.face
        tip = (float(paw[0]), float(paw[1]))
        elbow = _elbow(shoulder, tip, self.geometry.arm_px, face)
        patch = _Patch(canvas, [shoulder, elbow, tip], 5.5 * mm)
        if under is not None:
            patch.image[...] = under[patch.box]
        self._shade(patch, elbow, tip, light)
        wrist = _between(elbow, tip, 1 - 2.4 * mm / max(math.dist(elbow, tip), 1e-6))
        self._rod(canvas, (shoulder, elbow), (3.7 * mm, 2.5 * mm), FUR * light.bright, fades=True)
        self._rod(canvas, (elbow, wrist), (2.5 * mm, 1.35 * mm), FUR * (1.15 * light.bright))
        angle = math.atan2(tip[1] - elbow[1], tip[0] - elbow[0])
        skin = SKIN * light.bright
        for lean in _DIGITS:
            end = (tip[0] + 3.3 * mm * math.cos(angle + lean), tip[1] + 3.3 * mm * math.sin(angle + lean))
            _digit(canvas, (tip, end), 0.45 * mm, skin * np.float32(0.92))
        self._rod(canvas, (wrist, tip), (1.35 * mm, 1.95 * mm), skin)
        if light.marker is not None:
            radius = max(MARKER_MM * mm, MARKER_LEAST_PX)
            dot = _Patch(canvas, [tip], radius + 1)
            far = np.hypot(dot.cols - np.float32(tip[0]), dot.rows - np.float32(tip[1]))
            dot.lay(light.marker * np.float32(light.bright), np.clip(np.float32(radius + 0.5) - far, 0, 1))
        return patch

    def _shade(self, patch: _Patch, elbow: Point, tip: Point, light: _Light) -> None:
        """Darken what the limb keeps the light from: the body behind it, and what is below the paw."""
        mm = self.geometry.scale
        dx = (patch.cols - np.float32(0.5 * (elbow[0] + tip[0]))) / np.float32(5.0 * mm)
        dy = (patch.rows - np.float32(0.5 * (elbow[1] + tip[1]) + 2.2 * mm)) / np.float32(3.4 * mm)
        ground = np.float32(self.geometry.settings.start_center[1] + 3.2 * mm)
        gx = (patch.cols - np.float32(tip[0])) / np.float32(3.0 * mm)
        gy = (patch.rows - ground) / np.float32(0.9 * mm)
        high = max(0.0, float(ground) - tip[1]) / mm
        # Each is a product of a function of the column and one of the row: two short rows of exponentials.
        dark = np.float32(0.28) * np.exp(-dx * dx) * np.exp(-dy * dy)
        dark += np.float32(0.4 / (1 + 0.15 * high)) * np.exp(-gx * gx) * np.exp(-gy * gy)
        patch.image *= (1 - np.float32(light.bright) * dark)[..., None]

    def _rod(
        self,
        canvas: Float32,
        ends: tuple[Point, Point],
        radii: tuple[float, float],
        colour: Float32,
        *,
        fades: bool = False,
    ) -> None:
        """Draw a rod with round ends, lit from above, with hairs that move along with it.

        One that ``fades`` begins gradually, as a limb that grows out of a body.
        """
        (ax, ay), (bx, by) = ends
        patch = _Patch(canvas, list(ends), max(radii) + 1)
        ux, uy = bx - ax, by - ay
        length = max(math.hypot(ux, uy), 1e-3)
        ux, uy = ux / length, uy / length
        dx, dy = patch.cols - np.float32(ax), patch.rows - np.float32(ay)
        along = np.clip(dx * np.float32(ux) + dy * np.float32(uy), 0, np.float32(length))
        nx, ny = dx - along * np.float32(ux), dy - along * np.float32(uy)
        radius = np.float32(radii[0]) + along * np.float32((radii[1] - radii[0]) / length)
        far = np.sqrt(nx * nx + ny * ny)
        size = 1 / np.maximum(far, radius)
        nx, ny, out = nx * size, ny * size, far * size
        up = np.sqrt(np.maximum(1 - out * out, 0))
        lit = nx * np.float32(LIGHT[0] * self.geometry.face) + ny * LIGHT[1] + up * LIGHT[2]
        across = (nx * np.float32(-uy) + ny * np.float32(ux)) * np.float32(_HAIR / 3)
        row = across.astype(np.int32) & (_HAIR - 1)
        col = (along * np.float32(1 / (0.3 * self.geometry.scale))).astype(np.int32) & (_HAIR - 1)
        shade = (np.float32(0.62) + np.float32(0.62) * np.maximum(lit, 0)) * self._hair.take(row * _HAIR + col)
        cover = np.clip(radius + np.float32(0.5) - far, 0, 1)
        if fades:
            begun = (dx * np.float32(ux) + dy * np.float32(uy) + radii[0]) / np.float32(0.9 * length)
            cover *= np.clip(begun, 0, 1)
        patch.lay(colour * shade[..., None], cover)


def _digit(canvas: Float32, ends: tuple[Point, Point], radius: float, colour: Float32) -> None:
    """Draw a thin rod of one colour."""
    (ax, ay), (bx, by) = ends
    patch = _Patch(canvas, list(ends), radius + 1)
    ux, uy = np.float32(bx - ax), np.float32(by - ay)
    dx, dy = patch.cols - np.float32(ax), patch.rows - np.float32(ay)
    part = np.clip((dx * ux + dy * uy) / (ux * ux + uy * uy), 0, 1)
    dx, dy = dx - part * ux, dy - part * uy
    far = np.sqrt(dx * dx + dy * dy)
    patch.lay(colour, np.clip(np.float32(radius + 0.5) - far, 0, 1))


def _elbow(shoulder: Point, paw: Point, arm: tuple[float, float], face: int) -> Point:
    """Return where the elbow is: two bones of fixed length, bent backwards; they stretch where they are too short."""
    dx, dy = paw[0] - shoulder[0], paw[1] - shoulder[1]
    far = max(math.hypot(dx, dy), 1e-6)
    upper, lower = arm
    stretch = max(1.0, far / (0.999 * (upper + lower)))
    upper, lower = upper * stretch, lower * stretch
    # Nearer than the bones can fold: the paw stays where it is told to be, the elbow as far as it goes.
    part = min(max((far * far + upper * upper - lower * lower) / (2 * far * upper), -1.0), 1.0)
    bend = math.acos(part) * face
    cos, sin = math.cos(bend), math.sin(bend)
    ux, uy = dx / far, dy / far
    return shoulder[0] + upper * (ux * cos - uy * sin), shoulder[1] + upper * (ux * sin + uy * cos)


def _between(start: Point, end: Point, part: float) -> Point:
    part = min(max(part, 0.0), 1.0)
    return start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


def _colour(hue: float) -> Float32:
    """Return the BGR counts of a saturated, bright colour of this hue (OpenCV's, 0 to 179)."""
    import colorsys

    red, green, blue = colorsys.hsv_to_rgb(hue / 180, 0.86, 0.86)
    return np.array([blue, green, red], np.float32) * 255


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """Return first and one past the last pixel between two places that are in the frame; may be empty."""
    first = min(max(0, math.floor(low)), size)
    return first, max(first, min(size, math.ceil(high) + 1))
