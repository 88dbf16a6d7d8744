"""Is the camera over the same cortex as on another day? How is an image shifted and turned against it? Pure.

Light, expression and blood differ from day to day, and the vessels stay: so the logarithm of each image is filtered to
the sizes of vessels and divided by its local contrast. The rotation is first looked for in steps, each with the shift
at which the phases correlate (Kuglin and Hines 1975); then both are refined to fractions of a pixel by the enhanced
correlation coefficient (Evangelidis and Psarakis 2008, IEEE TPAMI 30:1858).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.values import Image

Grey = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]

WORKING_PX = 256
"""Longest side at which images are compared; a shift of a twentieth of a pixel is still found."""
MIN_SIDE_PX = 32
"""Of an image with fewer rows or columns nothing is told."""
MAX_DEG = 10.0
"""Largest rotation that is looked for."""
STEP_DEG, FINE_STEP_DEG = 1.0, 0.25
MAX_SHARE = 0.4
"""Largest shift that is looked for, of the image's sides: of what is left in common nothing can be told beyond it."""
FINE_SHARE, COARSE_SHARE, CONTRAST_SHARE = 1 / 200, 1 / 25, 1 / 20
"""Standard deviations of the filters, as shares of the longest side; chosen because vessels in an image of 10 mm of
cortex are 0.05 to 0.4 mm wide."""
EDGE_SHARE = 1 / 16
"""Of the longest side, what is left out at the edges in the end: filters know nothing beyond them, which draws a fit to
no shift by some tenths of a pixel."""
ROUNDS, EPSILON, SMOOTH_PX = 60, 1e-5, 5
SMALLEST_MATCH = 0.55
"""Match from which on a shift is believed: `python -m bench.bench_view` has 0.81 and more for the same cortex in bad
light, out of focus and with a third of its expression changed, and 0.47 at most for that of another mouse."""
SAME_MM, SAME_DEG = 0.05, 0.5
"""What counts as the same field of view: a sixth of an ROI of 0.3 mm, and as much by turning 5 mm off the centre."""


class View(NamedTuple):
    """How an image lies against an earlier one.

    Attributes
    ----------
    shift_px : (float, float)
        Columns to the right and rows down by which the earlier image is to be moved to lie on this one, after it was
        turned about its centre.
    rotation_deg : float
        Angle by which it is to be turned, clockwise as it is seen; also CSS has ``translate(x, y) rotate(angle)``.
    match : float
        Correlation of the two where they overlap, 0 to 1; below ``SMALLEST_MATCH`` the rest means nothing.
    """

    shift_px: tuple[float, float]
    rotation_deg: float
    match: float

    @property
    def known(self) -> bool:
        """Whether the two show the same at all."""
        return self.match >= SMALLEST_MATCH


def compare_views(before: Grey, now: Grey) -> View:
    """Find how ``now`` is shifted and turned against ``before``. Takes 0.1 s or so, whatever the size.

    Parameters
    ----------
    before, now : (height, width) float32
        Brightness, 0 or more, of the same camera and so of the same size; see ``grey_of``.

    Raises
    ------
    ValueError
        If they are of different sizes, or too small.
    """
    if before.shape != now.shape or before.ndim != 2 or min(now.shape) < MIN_SIDE_PX:
        raise ValueError(f"images of {before.shape} and {now.shape} px cannot be compared; give two of one size")
    scale = min(1.0, WORKING_PX / max(now.shape))
    first, second = _vessels(before, scale), _vessels(now, scale)
    start = _search(first, second)
    matrix, match = _refine(first, second, start)
    return _as_view(matrix, match, second.shape, now.shape)


def grey_of(image: Image | Grey, places: tuple[int, ...]) -> Grey:
    """Return the mean of some channels of an image, (height, width) float32.

    Parameters
    ----------
    image : (height, width, 3) uint8 or uint16
    places : tuple of int
        Channels, as ``brain.exposure.Channel`` numbers them.
    """
    grey: Grey = image[:, :, places].mean(axis=2, dtype=np.float32)
    return grey


def _vessels(image: Grey, scale: float) -> Grey:
    """Return an image filtered to what stays from day to day: about -3 to 3, mean 0."""
    import cv2

    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    side = max(image.shape)
    # One hundredth of the brightness in place of 0, whose logarithm is none.
    light = np.log(np.maximum(image, 0) + np.float32(0.01 * float(image.mean()) + 1e-6))
    band = _blurred(light, side * FINE_SHARE) - _blurred(light, side * COARSE_SHARE)
    contrast = np.sqrt(_blurred(band * band, side * CONTRAST_SHARE))
    # Where there is nothing to be seen, noise is not made as large as vessels are.
    even = band / np.maximum(contrast, np.float32(0.3 * float(contrast.mean()) + 1e-6))
    clipped: Grey = np.clip(even, -3, 3).astype(np.float32)
    return clipped


def _blurred(image: Grey, sd_px: float) -> Grey:
    import cv2

    blurred = cv2.GaussianBlur(image, (0, 0), max(sd_px, 0.5), borderType=cv2.BORDER_REFLECT)
    return blurred.astype(np.float32, copy=False)


def _turned(angle_deg: float, shift: tuple[float, float], shape: tuple[int, ...]) -> Matrix:
    """Return the (2, 3) matrix that turns about the centre, clockwise as seen, and then shifts; pixel centres."""
    angle = math.radians(angle_deg)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    return np.hstack([turn, (centre + shift - turn @ centre)[:, None]])


class _Found(NamedTuple):
    """The best shift at one angle: the match there, the angle, and the matrix from the first image to the second."""

    match: float
    angle: float
    matrix: Matrix


def _search(first: Grey, second: Grey) -> Matrix:
    """Return the matrix, to ``FINE_STEP_DEG``, at which the two correlate best."""
    import cv2

    window = cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F).astype(np.float32, copy=False)
    coarse = np.arange(-MAX_DEG, MAX_DEG + STEP_DEG / 2, STEP_DEG)
    about = max((_at_angle(first, second, window, angle) for angle in coarse.tolist()), key=lambda each: each.match)
    fine = about.angle + np.arange(-STEP_DEG + FINE_STEP_DEG, STEP_DEG, FINE_STEP_DEG)
    found = max((_at_angle(first, second, window, angle) for angle in fine.tolist()), key=lambda each: each.match)
    return found.matrix


def _at_angle(first: Grey, second: Grey, window: Grey, angle: float) -> _Found:
    """Return the best shift at an angle, of those that leave enough in common."""
    import cv2

    size = first.shape[::-1]
    turned = cv2.warpAffine(first, _turned(angle, (0.0, 0.0), first.shape), size)
    # Not with the function's own window, by which OpenCV multiplies the images that it is given, in place.
    (x, y), _ = cv2.phaseCorrelate(turned * window, second * window)
    matrix = _turned(angle, (x, y), first.shape)
    if abs(x) > MAX_SHARE * size[0] or abs(y) > MAX_SHARE * size[1]:
        return _Found(-1.0, angle, matrix)
    laid = cv2.warpAffine(first, matrix, size)
    weight = cv2.warpAffine(window, matrix, size) * window
    both, one, other = (float((weight * each).sum()) for each in (laid * second, laid * laid, second * second))
    return _Found(both / math.sqrt(one * other) if one > 0 and other > 0 else 0.0, angle, matrix)


def _refine(first: Grey, second: Grey, start: Matrix) -> tuple[Matrix, float]:
    """Return the matrix that maps the first onto the second, refined, and their correlation there."""
    import cv2

    edge = max(2, round(max(first.shape) * EDGE_SHARE))
    inner = np.zeros(first.shape, np.uint8)
    inner[edge:-edge, edge:-edge] = 255
    # OpenCV looks for the map from the second's pixels to the first's.
    back: Matrix = cv2.invertAffineTransform(start).astype(np.float64)
    back[:, 2] += back[:, :2] @ (edge, edge)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, ROUNDS, EPSILON)
    template = np.ascontiguousarray(second[edge:-edge, edge:-edge])
    try:
        match, found = cv2.findTransformECC(
            template, first, back.astype(np.float32), cv2.MOTION_EUCLIDEAN, criteria, inner, SMOOTH_PX
        )
    except cv2.error:
        # It says so where the two have nothing in common to go on.
        return start, 0.0
    back = found.astype(np.float64)
    back[:, 2] -= back[:, :2] @ (edge, edge)
    # It is infinite where one of the two is the same everywhere.
    return cv2.invertAffineTransform(back).astype(np.float64), max(0.0, match) if math.isfinite(match) else 0.0


def _as_view(matrix: Matrix, match: float, worked: tuple[int, ...], shape: tuple[int, ...]) -> View:
    """Return shift and rotation about the centre, in px of the whole image."""
    angle = math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
    centre = np.array([(worked[1] - 1) / 2, (worked[0] - 1) / 2])
    x, y = matrix[:, :2] @ centre + matrix[:, 2] - centre
    return View((float(x * shape[1] / worked[1]), float(y * shape[0] / worked[0])), angle, match)


def is_same(view: View, ppmm: float | None) -> bool:
    """Return whether an ROI of the other day still lies on its cortex; ``ppmm`` in px/mm, None where it is unknown."""
    nearest_px = 1.0 if ppmm is None else max(1.0, SAME_MM * ppmm)
    return view.known and math.hypot(*view.shift_px) <= nearest_px and abs(view.rotation_deg) <= SAME_DEG


def view_text(view: View, ppmm: float | None) -> str:
    """Return a line for the experimenter: whether all is well, or how far to move and to turn.

    Parameters
    ----------
    view : View
    ppmm : float or None
        px/mm; None where it is unknown.
    """
    if not view.known:
        return (
            f"cannot tell how the picture lies against the first day's (match {view.match:.2f}, below "
            f"{SMALLEST_MATCH:g}): see whether it is this mouse, in focus, lit as before, and turned by less than "
            f"{MAX_DEG:g} deg"
        )
    shift = math.hypot(*view.shift_px)
    if is_same(view, ppmm):
        far = _length(shift, ppmm)
        return f"the same field of view: {far} and {abs(view.rotation_deg):.1f} deg apart (match {view.match:.2f})"
    x, y = view.shift_px
    steps = [
        f"{_length(abs(far), ppmm)} {words[far > 0]}"
        for far, words in ((x, ("right", "left")), (y, ("down", "up")))
        if abs(far) >= 0.5
    ]
    if abs(view.rotation_deg) >= 0.1:
        steps.append(f"{abs(view.rotation_deg):.1f} deg {'anti' if view.rotation_deg > 0 else ''}clockwise")
    return f"move the mouse or the camera so that the picture goes {', '.join(steps)} (match {view.match:.2f})"


def _length(px: float, ppmm: float | None) -> str:
    """Return a length in px, and in mm where that is known."""
    return f"{px:.1f} px" if ppmm is None else f"{px:.1f} px ({px / ppmm:.2f} mm)"
