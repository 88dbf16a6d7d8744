"""Paints what of a behaving mouse does not move: the rig behind it, and its body, head and fur.

Everything is given as signed distances (mm of the drawing, negative inside), so that it looks alike at every size.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from insilico.limb_settings import SNOUT, LimbGeometry

Float32 = npt.NDArray[np.float32]

FUR = np.array([68.0, 73.0, 80.0], np.float32)
SKIN = np.array([138.0, 145.0, 184.0], np.float32)
_WALL = np.array([66.0, 62.0, 60.0], np.float32)
_METAL = np.array([150.0, 146.0, 142.0], np.float32)
_PLATFORM = np.array([98.0, 96.0, 98.0], np.float32)
"""Colours, BGR counts at full light; chosen to look like a black-and-brown mouse in a rig lit from above."""
LIGHT = np.array([0.35, -0.75, 0.56], np.float32)
"""Direction of the light: forward, down, towards the camera; a unit vector."""


class Layers(NamedTuple):
    """The parts between which the limbs move.

    Attributes
    ----------
    back : ndarray, (height, width, 3) float32
        BGR counts of the rig alone.
    mouse : ndarray, (height, width, 3) float32
        The mouse without forelimbs.
    cover : ndarray, (height, width, 1) float32
        How much of a pixel the mouse covers, 0 to 1.
    """

    back: Float32
    mouse: Float32
    cover: Float32


def paint_layers(geometry: LimbGeometry, rng: np.random.Generator) -> Layers:
    """Return the layers of one mouse; ``rng`` decides its fur and the grain of the rig."""
    rows, cols = np.mgrid[: geometry.height, : geometry.width].astype(np.float32)
    start = geometry.settings.start_center
    x = (cols - np.float32(start[0])) * np.float32(geometry.face / geometry.scale)
    y = (rows - np.float32(start[1])) * np.float32(1 / geometry.scale)
    mm = geometry.scale
    body = _body(x, y)
    back = _rig(x, y, body, rng, mm)
    mouse = _fur(x, y, body, rng, mm)
    _features(x, y, mouse, mm)
    # Hairs make the outline uneven; nose, foot and tail have none.
    hairy = np.float32(0.22) * ((x < 12) & (y < -3))
    cover = _inside(body + hairy * smooth_noise(rng, body.shape, 0.2 * mm, 0.35 * mm), mm)
    return Layers(back, mouse, cover[..., None].astype(np.float32))


def ellipse(x: Float32, y: Float32, centre: tuple[float, float], radii: tuple[float, float], turn: float) -> Float32:
    """Return about the signed distance to an ellipse that is turned by ``turn`` (rad)."""
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    along, across = (dx * cos + dy * sin) / np.float32(radii[0]), (dy * cos - dx * sin) / np.float32(radii[1])
    far: Float32 = (np.hypot(along, across) - 1) * np.float32(min(radii))
    return far


def capsule(
    x: Float32, y: Float32, ends: tuple[tuple[float, float], tuple[float, float]], radii: tuple[float, float]
) -> Float32:
    """Return about the signed distance to a rod with round ends whose thickness changes evenly."""
    (ax, ay), (bx, by) = ends
    ux, uy = np.float32(bx - ax), np.float32(by - ay)
    dx, dy = x - np.float32(ax), y - np.float32(ay)
    part = np.clip((dx * ux + dy * uy) / (ux * ux + uy * uy + np.float32(1e-9)), 0, 1)
    far: Float32 = np.hypot(dx - part * ux, dy - part * uy) - (radii[0] + part * np.float32(radii[1] - radii[0]))
    return far


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], rows_px: float, cols_px: float) -> Float32:
    """Return noise of mean 0 and standard deviation 1 that is smooth over these distances, px; ``shape`` float32."""
    import cv2

    noise = rng.standard_normal(shape, np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), sigmaX=max(cols_px, 0.3), sigmaY=max(rows_px, 0.3))
    smooth: Float32 = np.asarray(blurred, np.float32)
    smooth -= smooth.mean()
    return smooth / np.float32(smooth.std() + 1e-6)


def _blend(first: Float32, other: Float32, soft: float) -> Float32:
    """Return the union of two shapes with the seam rounded over ``soft`` mm."""
    part = np.clip(0.5 + 0.5 * (other - first) / np.float32(soft), 0, 1)
    out: Float32 = other + (first - other) * part - np.float32(soft) * part * (1 - part)
    return out


def _inside(far: Float32, mm: float) -> Float32:
    """Return how much of each pixel a shape covers, for its distance in mm."""
    cover: Float32 = np.clip(0.5 - far * np.float32(mm), 0, 1).astype(np.float32)
    return cover


def _body(x: Float32, y: Float32) -> Float32:
    """Return the distance to the mouse without its forelimbs, ears and tail: haunch, trunk, neck, head, snout."""
    body = ellipse(x, y, (-44, -16), (15, 15), 0.1)
    body = _blend(body, ellipse(x, y, (-28, -21), (27, 14.5), -0.05), 6)
    body = _blend(body, capsule(x, y, ((-12, -18), (0, -21)), (10.5, 7.6)), 5)
    body = _blend(body, ellipse(x, y, (3.5, -20.5), (9.5, 7.4), 0.25), 3)
    tip = (SNOUT[0] - 1.6, SNOUT[1] - 0.1)
    body = _blend(body, capsule(x, y, ((6, -19.5), tip), (5.8, 1.6)), 2.5)
    body = np.minimum(body, capsule(x, y, ((-50, -1.2), (-38, 0.6)), (2.6, 1.5)))
    tail = capsule(x, y, ((-57, -7), (-74, 0.5)), (2.0, 1.4))
    return np.minimum(body, np.minimum(tail, capsule(x, y, ((-74, 0.5), (-100, 0.5)), (1.4, 0.7))))


def _rig(x: Float32, y: Float32, body: Float32, rng: np.random.Generator, mm: float) -> Float32:
    """Return wall, platform with the mouse's shadow, paw rest, and the plate that holds the head."""
    light = 1.0 + 0.006 * x - 0.008 * (y + 15)
    light = np.clip(light, 0.55, 1.25) * (1 + 0.05 * smooth_noise(rng, x.shape, 9 * mm, 9 * mm))
    image = _WALL * light[..., None]
    for at in (-62.0, 38.0):
        post = np.abs(x - at) - 3.0
        shine = 0.55 + 0.5 * np.exp(-0.5 * ((x - at + 1.0) / 1.1) ** 2)
        _lay(image, _METAL * shine[..., None], np.clip(0.5 - post * 0.6, 0, 1) * 0.65)
    shadow = np.exp(-np.maximum(np.abs(y - 3.0) - 1, 0) / 2.5) * np.exp(-np.maximum(body - 3, 0) / 8)
    platform = np.maximum(2.4 - y, np.maximum(x - 5.0, -90 - x))
    lit = (1.05 - 0.5 * shadow) * (1 - 0.012 * np.maximum(y - 3, 0)) * (1 + 0.03 * smooth_noise(rng, x.shape, 0.3, mm))
    _lay(image, _PLATFORM * np.clip(lit, 0.2, 1.3)[..., None], _inside(platform, mm))
    edge = np.exp(-0.5 * ((y - 2.9) / 0.35) ** 2) * _inside(platform, mm)
    image += (26 * edge)[..., None]
    plate = np.maximum(np.abs(y + 29.6) - 1.1, np.maximum(x - 4, -30 - x))
    clamp = np.maximum(np.abs(x + 5) - 2.2, np.maximum(y + 28.5, -70 - y))
    for shape in (plate, clamp):
        shine = 0.8 + 0.35 * np.exp(-0.5 * ((y + 30.1) / 0.4) ** 2) + 0.2 * np.exp(-0.5 * ((x + 5.8) / 0.5) ** 2)
        _lay(image, _METAL * shine[..., None], _inside(shape, mm))
    painted: Float32 = image.astype(np.float32)
    return painted


def _fur(x: Float32, y: Float32, body: Float32, rng: np.random.Generator, mm: float) -> Float32:
    """Return the body's colour: round under the light, with hairs along it and a pale belly."""
    depth = np.clip(-body / 11.0, 0, 1)
    height = np.sqrt(np.clip(1 - (1 - depth) ** 2, 0, 1)) * 11.0
    by_row, by_col = np.gradient(height * np.float32(mm))
    sign = np.float32(1 if x[0, -1] > x[0, 0] else -1)
    length = np.sqrt(by_row**2 + by_col**2 + 1)
    lit = (-by_col * sign * LIGHT[0] - by_row * LIGHT[1] + LIGHT[2]) / length
    light = 0.5 + 0.75 * np.clip(lit, 0, 1)
    hairs = 0.16 * smooth_noise(rng, x.shape, 0.22 * mm, 1.1 * mm) + 0.08 * smooth_noise(rng, x.shape, 0.4, 0.8)
    patches = 0.07 * smooth_noise(rng, x.shape, 2.5 * mm, 4 * mm)
    belly = np.clip((y + 11 + 0.05 * np.abs(x + 25)) / 7, 0, 1) * (x < 2)
    colour = FUR + belly[..., None] * np.array([28, 28, 26], np.float32)
    image = colour * (light * np.clip(1 + hairs + patches, 0.4, 1.7))[..., None]
    bare = np.minimum(
        capsule(x, y, ((-57, -7), (-74, 0.5)), (2.0, 1.4)), capsule(x, y, ((-74, 0.5), (-100, 0.5)), (1.4, 0.7))
    )
    bare = np.minimum(bare, capsule(x, y, ((-50, -1.2), (-38, 0.6)), (2.6, 1.5)))
    _lay(image, SKIN * (0.35 + 0.45 * light)[..., None], _inside(bare, mm) * (y > -8))
    painted: Float32 = image.astype(np.float32)
    return painted


def _features(x: Float32, y: Float32, image: Float32, mm: float) -> None:
    """Draw ear, eye, nose and mouth."""
    ear = ellipse(x, y, (-4.2, -26.0), (3.6, 5.2), -0.5)
    _lay(image, FUR * 1.25 + np.zeros_like(image), _inside(ear, mm))
    _lay(image, SKIN * (0.75 - 0.02 * (y[..., None] + 26)), _inside(ear + 1.1, mm) * 0.85)
    eye = np.hypot(x - 5.6, y + 21.8) - 1.55
    _lay(image, np.full_like(image, 14), _inside(eye - 0.25, mm))
    _lay(image, np.full_like(image, 235), _inside(np.hypot(x - 6.1, y + 22.4) - 0.42, mm))
    nose = np.hypot(x - SNOUT[0] + 0.5, y - SNOUT[1]) - 1.2
    _lay(image, SKIN * 0.95 + np.zeros_like(image), _inside(nose, mm))
    mouth = capsule(x, y, ((11.0, -13.6), (14.8, -13.9)), (0.25, 0.2))
    _lay(image, FUR * 0.35 + np.zeros_like(image), _inside(mouth, mm) * 0.8)
    for root in range(4):
        at = (12.2 - 0.6 * root, -16.4 + 0.5 * root)
        end = (17.0 - 4.5 * root, -11.5 + 1.2 * root)
        whisker = capsule(x, y, (at, end), (0.16, 0.05))
        _lay(image, np.full_like(image, 170), _inside(whisker, mm) * 0.35)


def _lay(image: Float32, colour: Float32, cover: Float32) -> None:
    """Lay a colour over an image, in place."""
    image += (colour - image) * cover[..., None]
