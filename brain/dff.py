"""Streaming dF/F of one or several ROIs: a new frame costs the same whatever the length of the history.

For a frame at time t, pixel by pixel:

- F0 is the mean of the frames whose time lies in [t - history, t): a span of time, so that dropped frames and changes
  of the frame rate are handled. The frame itself is not in it.
- dF/F is (F - F0) / F0, for green fluorescence (channel 1) and for blue reflectance (channel 0).

An ROI's dF/F is then, by ``DffMode``:

- ``green_minus_blue``: mean over its pixels of green minus blue dF/F (Gupta et al., eLife preprint 105070);
- ``green``: mean of green dF/F; blue is not looked at;
- ``blue_regressed``: G - beta * B, G and B being the means of green and of blue dF/F. beta is the least-squares slope
  (with intercept) of G on B over the frames in [t - history, t), each pair as it was computed when its frame came
  (during warm-up, too); 0 where B is constant but for rounding (``brain.regression``). The idea is that of Valley et
  al., J. Neurophysiol. 123 (2020).

A pixel with F0 = 0 in a channel that is looked at is left out of the mean. Where that leaves none, the ROI is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from brain.regression import RunningSlope
from brain.settings import DffMode, DffSettings
from brain.window import TimeWindow
from core.values import WARM_UP, Image, as_ns
from roi_manager import Shape

DARK_ROI = "dark ROI"
TOO_FEW_FRAMES = "too few frames in the history"
NOT_LATER = "time does not increase"
WRONG_IMAGE = "image of another shape or dtype"

_SPARE = 1.25
"""Room for this many times the frames foreseen, before the ring has to grow."""


class DffStep(NamedTuple):
    """dF/F of one frame.

    Attributes
    ----------
    values : tuple of float
        dF/F of each ROI, a fraction; NaN where it cannot be computed.
    reason : str
        Why the values must not be used: ``WARM_UP``, ``TOO_FEW_FRAMES``, ``DARK_ROI``, ``NOT_LATER`` or
        ``WRONG_IMAGE``; empty when they may.
    roi : int
        Index of the ROI that is the reason, or -1.
    """

    values: tuple[float, ...]
    reason: str = ""
    roi: int = -1


class StreamingDff:
    """dF/F of a stream of frames. The constructor compiles (or loads) all code and touches all memory it will use.

    Memory: 2 bytes (uint8) or 4 bytes (uint16) per ROI pixel and frame of history, and a quarter more.

    Parameters
    ----------
    shapes : sequence of Rect, Circle or Polygon
    settings : DffSettings
    framerate : float
        Nominal frame rate, Hz: how many frames to have room for. No result depends on it but one: see
        ``TimeWindow.has_enough``.
    frame_shape : (height, width, 3)
    dtype : {"uint8", "uint16"}

    Raises
    ------
    ValueError
        If an ROI does not lie in the image, an image of this kind is not supported, or the history holds no frame.
    """

    def __init__(
        self,
        shapes: Sequence[Shape],
        settings: DffSettings,
        framerate: float,
        frame_shape: tuple[int, int, int],
        dtype: str,
    ) -> None:
        _check(shapes, settings, framerate, frame_shape, dtype)
        # numba takes half a second to import; `rigloop --help` must not wait for it.
        from brain.kernel import BLOCK_PX, BLUE, GREEN, load_step

        self._shape, self._dtype = tuple(frame_shape), np.dtype(dtype)
        self._runs, self._starts = pixel_runs(shapes)
        self._second = GREEN if settings.dff_mode is DffMode.green else BLUE
        self._minus_blue = settings.dff_mode is DffMode.green_minus_blue
        regress = settings.dff_mode is DffMode.blue_regressed
        self._slopes = [RunningSlope() for _ in shapes] if regress else []
        self._window = TimeWindow(as_ns(settings.dff_history), round(1e9 / framerate))
        pixels = int(self._starts[-1])
        room = math.ceil(settings.dff_history * framerate * _SPARE) + 2
        self._ring = _touched((room + 1, 2, pixels), self._dtype)
        self._oldest = 0
        self._sums = np.zeros((2, pixels))
        self._ratios = np.zeros((2, BLOCK_PX))
        self._totals = np.zeros((len(shapes), 3))
        self._nothing = DffStep((math.nan,) * len(shapes))
        self._step = load_step(dtype)
        self._rehearse()

    def update(self, image: Image, time_ns: int) -> DffStep:
        """Take the next frame.

        During warm-up (the first ``dff_history`` seconds) the values are those of the frames there are, to be looked at
        only. A frame of another shape or dtype, or not later than the last, is not used, and its values are NaN.

        Parameters
        ----------
        image : (height, width, 3) uint8 or uint16
            Any memory layout; one that is contiguous is not copied. Nothing of it is kept.
        time_ns : int
            Capture time, ns.
        """
        if not isinstance(image, np.ndarray) or image.shape != self._shape or image.dtype != self._dtype:
            return self._nothing._replace(reason=WRONG_IMAGE)
        flags = image.flags
        if type(image) is not np.ndarray or not (flags.c_contiguous and flags.aligned):
            image = np.require(image, requirements=["C", "A", "E"])
        window = self._window
        if not window.is_later(time_ns):
            return self._nothing._replace(reason=NOT_LATER)
        totals = self._advance(image, window.forget(time_ns))
        values, dark = self._values(totals)
        if not window.is_warm(time_ns):
            reason, roi = WARM_UP, -1
        elif not window.has_enough():
            reason, roi = TOO_FEW_FRAMES, -1
        else:
            reason, roi = (DARK_ROI, dark) if dark >= 0 else ("", -1)
        window.remember(time_ns)
        return DffStep(values, reason, roi)

    def _advance(self, image: Image, forgotten: int) -> list[list[float]]:
        """Bring ring, sums and slopes one frame further; return the kernel's totals."""
        count = len(self._window)
        # One slot must be free for the new frame while the forgotten ones are still read.
        if count + forgotten >= len(self._ring) - 1:
            self._grow(count + forgotten)
        self._run(image, forgotten, count)
        self._oldest = (self._oldest + forgotten) % (len(self._ring) - 1)
        for slope in self._slopes:
            for _ in range(forgotten):
                slope.forget()
        totals: list[list[float]] = self._totals.tolist()
        return totals

    def _run(self, image: Image, forgotten: int, count: int) -> None:
        self._step(
            image,
            self._runs,
            self._starts,
            self._ring,
            self._sums,
            self._ratios,
            self._totals,
            self._oldest,
            forgotten,
            count,
            self._second,
        )

    def _values(self, totals: list[list[float]]) -> tuple[tuple[float, ...], int]:
        """Turn totals into dF/F; return them and the first dark ROI, or -1."""
        values = []
        dark = -1
        for roi, (green, blue, lit) in enumerate(totals):
            if lit == 0.0:
                values.append(math.nan)
                dark = roi if dark < 0 else dark
                if self._slopes:
                    self._slopes[roi].remember(math.nan, math.nan)
            elif self._minus_blue:
                values.append((green - blue) / lit)
            elif self._slopes:
                slope = self._slopes[roi]
                values.append(green / lit - slope.beta() * (blue / lit))
                slope.remember(green / lit, blue / lit)
            else:
                values.append(green / lit)
        return tuple(values), dark

    def _grow(self, used: int) -> None:
        """Double the ring, oldest frame first. Only when more frames come than were foreseen."""
        room = len(self._ring) - 1
        ring = _touched((2 * room + 1, *self._ring.shape[1:]), self._dtype)
        for number in range(used):
            ring[1 + number] = self._ring[1 + (self._oldest + number) % room]
        self._ring, self._oldest = ring, 0

    def _rehearse(self) -> None:
        """Run the code once on black images, which leave the sums at zero: the first frame shall cost no more."""
        black = np.zeros(self._shape, self._dtype)
        for writeable in (True, False):
            black.flags.writeable = writeable
            self._run(black, 0, 0)


def pixel_runs(shapes: Sequence[Shape]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Cut ROIs into horizontal runs of pixels, row after row.

    Returns
    -------
    runs : (m, 3) int64
        Row, first column and length of each run.
    starts : (len(shapes) + 1,) int64
        Number of pixels before each ROI, and of all.
    """
    runs: list[tuple[int, int, int]] = []
    starts = [0]
    for shape in shapes:
        x0, y0, _, _ = shape.bounds()
        mask = shape.mask()
        edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        # Row by row, the beginnings and the ends come in the same order.
        rows, begins = np.nonzero(edges == 1)
        ends = np.nonzero(edges == -1)[1]
        runs.extend(zip((rows + y0).tolist(), (begins + x0).tolist(), (ends - begins).tolist(), strict=True))
        starts.append(starts[-1] + int(np.count_nonzero(mask)))
    return np.array(runs, np.int64), np.array(starts, np.int64)


def _touched(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Image:
    """Return zeros whose memory the system has already given; ``np.zeros`` gets it at the first write, in the loop."""
    array = np.empty(shape, dtype)
    array.fill(0)
    return array


def _check(
    shapes: Sequence[Shape],
    settings: DffSettings,
    framerate: float,
    frame_shape: tuple[int, int, int],
    dtype: str,
) -> None:
    if dtype not in ("uint8", "uint16"):
        raise ValueError(f"images of dtype {dtype!r} have no dF/F here; set the camera to uint8 or uint16")
    if len(frame_shape) != 3 or frame_shape[2] != 3 or min(frame_shape) < 1:
        raise ValueError(f"images of shape {tuple(frame_shape)} have no dF/F here; (height, width, 3) is needed")
    if not (math.isfinite(framerate) and framerate > 0):
        raise ValueError(f"framerate is {framerate}; give Hz above 0")
    if settings.dff_history * framerate < 1:
        raise ValueError(f"dff_history of {settings.dff_history} s holds no frame at {framerate} Hz; make it longer")
    if not shapes:
        raise ValueError("there is no ROI; give at least one")
    height, width, _ = frame_shape
    for shape in shapes:
        if not shape.fits(width, height):
            raise ValueError(f"ROI {shape.text()!r} reaches out of the image of {width} x {height} px; move it inside")
