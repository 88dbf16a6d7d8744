"""The compiled part of dF/F: one pass over the pixels of all ROIs per frame. Importing it imports numba.

Its results are the same bits on every machine. Sums of pixels are whole numbers in float64, exact below 2**53; each
ratio is one IEEE division of exact whole numbers; and ratios are added in an order that this file fixes. Therefore no
fastmath, no threads, no library reductions: those choose an order of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from numba import types

Array = npt.NDArray[Any]
Step = Callable[..., None]
_F = TypeVar("_F", bound=Callable[..., Any])

GREEN = 1
BLUE = 0
EMPTY = 0
BLOCK_PX = 1024
"""Pixels per block; two blocks of float64 ratios (16 KiB) stay in the L1 cache. Part of the order of summation."""


def _compiled(function: _F) -> _F:
    # error_model: a division by zero gives inf or NaN; the default would test every divisor and prevent SIMD.
    return cast(_F, numba.njit(error_model="numpy")(function))


@_compiled
def _gather(image: Array, runs: Array, slot: Array, second: int) -> None:
    """Copy the ROI pixels of an image into a slot of the ring, channel by channel."""
    first = 0
    for r in range(runs.shape[0]):
        length = runs[r, 2]
        row = image[runs[r, 0], runs[r, 1] : runs[r, 1] + length]
        green = slot[0, first : first + length]
        other = slot[1, first : first + length]
        for j in range(length):
            green[j] = row[j, GREEN]
            other[j] = row[j, second]
        first += length


@_compiled
def _ratios(
    green: Array,
    other: Array,
    old_green: Array,
    old_other: Array,
    green_sums: Array,
    other_sums: Array,
    green_ratios: Array,
    other_ratios: Array,
    count: float,
) -> int:
    """Take one block of pixels a frame further; return how many have a baseline in both channels.

    No branch and no sum across pixels in this loop, and arrays of one dimension only: so the compiler can use SIMD
    without reordering anything (three times faster than the same on two-dimensional slices).
    """
    lit = 0
    for i in range(green.size):
        g, o = float(green[i]), float(other[i])
        green_sum = green_sums[i] - float(old_green[i])
        other_sum = other_sums[i] - float(old_other[i])
        green_sums[i] = green_sum + g
        other_sums[i] = other_sum + o
        has_baseline = green_sum * other_sum > 0.0
        lit += has_baseline
        # (F - F0) / F0 with F0 = sum / count, as one division of two exact whole numbers.
        green_ratios[i] = (g * count - green_sum) / green_sum if has_baseline else 0.0
        other_ratios[i] = (o * count - other_sum) / other_sum if has_baseline else 0.0
    return lit


@_compiled
def _total(values: Array) -> float:
    """Add up (n,) float64: value i goes to partial sum i % 8, the tail to the first; the eight are added in pairs.

    Eight independent sums hide the latency of the additions and fit SIMD registers.
    """
    a = b = c = d = e = f = g = h = 0.0
    whole = values.size // 8 * 8
    for i in range(0, whole, 8):
        v = values[i : i + 8]
        a += v[0]
        b += v[1]
        c += v[2]
        d += v[3]
        e += v[4]
        f += v[5]
        g += v[6]
        h += v[7]
    for i in range(whole, values.size):
        a += values[i]
    return ((a + e) + (c + g)) + ((b + f) + (d + h))


@_compiled
def _forget(ring: Array, sums: Array, oldest: int, forgotten: int, count: int) -> int:
    """Subtract all forgotten frames but the last; return the slot of the last, ``EMPTY`` where none is to be forgotten.

    The last one is left to the pass that computes dF/F, since to forget one frame per frame is the rule.
    """
    if count == 0:
        sums[:] = 0.0
        return EMPTY
    room = ring.shape[0] - 1
    for number in range(forgotten - 1):
        slot = ring[1 + (oldest + number) % room]
        for c in range(2):
            for i in range(sums.shape[1]):
                sums[c, i] -= float(slot[c, i])
    return 1 + (oldest + forgotten - 1) % room if forgotten > 0 else EMPTY


def _step(
    image: Array,
    runs: Array,
    starts: Array,
    ring: Array,
    sums: Array,
    ratios: Array,
    totals: Array,
    oldest: int,
    forgotten: int,
    count: int,
    second: int,
) -> None:
    """Take all ROIs one frame further: forget the oldest frames, compute dF/F against the rest, remember the new one.

    Parameters
    ----------
    image : (height, width, 3) uint8 or uint16
    runs : (m, 3) int64
        Row, first column and length of each horizontal run of ROI pixels, ROI after ROI.
    starts : (n_rois + 1,) int64
        First pixel of each ROI in the order of ``runs``; last the number of all pixels.
    ring : (room + 1, 2, pixels) of the image's dtype
        Remembered frames in slots 1 to ``room``, round and round; green, then the second channel. Slot ``EMPTY`` is
        zero, so that to forget it is to forget nothing.
    sums : (2, pixels) float64
        Sum of the remembered frames.
    ratios : (2, BLOCK_PX) float64
        Scratch.
    totals : (n_rois, 3) float64
        Result: sum over the ROI of green dF/F, of the second channel's, and the number of pixels in these sums.
    oldest : int
        The oldest frame's slot, less 1.
    forgotten, count : int
        How many frames are to be forgotten, and how many are then left.
    second : int
        The channel that is not ``GREEN``, or ``GREEN`` again where no other matters.
    """
    room = ring.shape[0] - 1
    new = 1 + (oldest + forgotten + count) % room
    old = _forget(ring, sums, oldest, forgotten, count)
    _gather(image, runs, ring[new], second)
    for roi in range(starts.size - 1):
        green = other = lit = 0.0
        for first in range(starts[roi], starts[roi + 1], BLOCK_PX):
            last = min(first + BLOCK_PX, starts[roi + 1])
            green_ratios, other_ratios = ratios[0, : last - first], ratios[1, : last - first]
            lit += _ratios(
                ring[new, 0, first:last],
                ring[new, 1, first:last],
                ring[old, 0, first:last],
                ring[old, 1, first:last],
                sums[0, first:last],
                sums[1, first:last],
                green_ratios,
                other_ratios,
                float(count),
            )
            green += _total(green_ratios)
            other += _total(other_ratios)
        totals[roi, 0] = green
        totals[roi, 1] = other
        totals[roi, 2] = lit


@cache
def load_step(dtype: str) -> Step:
    """Return ``_step`` compiled for images of a dtype; it compiles nothing later.

    Taken from numba's cache (``__pycache__`` beside this file, or the user's cache folder where that cannot be
    written), compiled in about 1 s where there is none.

    Parameters
    ----------
    dtype : {"uint8", "uint16"}
    """
    pixel = numba.from_dtype(np.dtype(dtype))
    number = types.float64
    signature = (
        # Read-only, because such cameras exist; an array that may be written is accepted too.
        types.Array(pixel, 3, "C", readonly=True),
        types.Array(types.int64, 2, "C"),
        types.Array(types.int64, 1, "C"),
        types.Array(pixel, 3, "C"),
        types.Array(number, 2, "C"),
        types.Array(number, 2, "C"),
        types.Array(number, 2, "C"),
        types.int64,
        types.int64,
        types.int64,
        types.int64,
    )
    try:
        step = numba.njit(cache=True, error_model="numpy")(_step)
        step.compile(signature)
    except Exception:  # noqa: BLE001
        # No folder to cache in, a full disk, a damaged cache (whose unpickling may raise anything): none of them may
        # stop a session. An error of the code itself comes again from the second attempt.
        step = numba.njit(error_model="numpy")(_step)
        step.compile(signature)
    step.disable_compile()
    return cast(Step, step)
