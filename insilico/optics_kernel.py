"""The compiled part of the widefield rendering. Importing it imports numba.

Every pixel is computed on its own, in float32, by an order of operations that this file fixes: no fastmath, no threads,
no sums across pixels. So a seed gives the same bytes wherever float32 is IEEE.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt
from numba import types

Array = npt.NDArray[Any]
Kernel = Callable[..., None]

BLUE = 0
GREEN = 1
_ZERO = np.float32(0)
_ONE = np.float32(1)
_HALF = np.float32(0.5)
_WHITE = np.float32(255)


def _gather(amounts: Array, boxes: Array, rows: Array, cols: Array, activity: Array) -> None:
    """Add up the footprints of all neurons, each the outer product of a column and a row.

    Parameters
    ----------
    amounts : (n,) float32
        What each neuron adds at the peak of its footprint, a fraction of the resting fluorescence.
    boxes : (n, 4) int32
        First row, number of rows, first column and number of columns of a footprint; in the image.
    rows, cols : (n, taps) float32
        The footprint along rows and along columns, peak 1.
    activity : (height, width) float32
        Result: dF/F of each pixel, a fraction.
    """
    activity[:] = _ZERO
    for n in range(amounts.size):
        top, height, left, width = boxes[n, 0], boxes[n, 1], boxes[n, 2], boxes[n, 3]
        along = cols[n, :width]
        for i in range(height):
            amount = amounts[n] * rows[n, i]
            line = activity[top + i, left : left + width]
            for j in range(width):
                line[j] += amount * along[j]


def _expose(
    activity: Array,
    rest: Array,
    vascular: Array,
    tape: Array,
    starts: Array,
    key: int,
    green_loss: float,
    blue_loss: float,
    shot: float,
    read: float,
    line: Array,
    out: Array,
) -> None:
    """Turn light into counts: blood absorbs, photons and the sensor add noise, the counts are rounded and clipped.

    Parameters
    ----------
    activity : (height, width) float32
        dF/F of each pixel, a fraction.
    rest : (3, height, width) float32
        Blue, green and red at rest, counts.
    vascular : (height, width) float32
        How much more than plain tissue a pixel follows the blood; 1 in tissue.
    tape : (2**k + width,) float32
        Standard normal numbers; every line of the frame and channel begins at a place of its own.
    starts : (3, height) uint64
        What tells the lines apart; with ``key`` it gives their places on the tape.
    key : uint64
        Another one for each frame.
    green_loss, blue_loss : float32
        Fraction of the light that the blood takes in tissue; negative when there is less blood than on average.
    shot : float32
        Variance of the photon noise per count of light, counts.
    read : float32
        Variance of the read noise, counts squared.
    line : (3, width) uint8
        Scratch.
    out : (height, width, 3) uint8
        Result, BGR.
    """
    height, width = activity.shape
    places = np.uint64(tape.size - width - 1)
    for y in range(height):
        for c in range(3):
            # The finaliser of splitmix64 (Steele et al. 2014, OOPSLA): neighbouring numbers come out unrelated.
            mixed = key + starts[c, y]
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            start = np.int64((mixed ^ (mixed >> np.uint64(31))) & places)
            noise = tape[start : start + width]
            light = rest[c, y]
            counts = line[c]
            active = activity[y]
            vessel = vascular[y]
            loss = green_loss if c == GREEN else (blue_loss if c == BLUE else _ZERO)
            for x in range(width):
                mean = light[x] * (_ONE - loss * vessel[x])
                if c == GREEN:
                    mean *= _ONE + active[x]
                mean = mean if mean > _ZERO else _ZERO
                value = mean + np.sqrt(mean * shot + read) * noise[x] + _HALF
                value = value if value > _ZERO else _ZERO
                value = value if value < _WHITE else _WHITE
                counts[x] = np.uint8(value)
        for x in range(width):
            out[y, x, 0] = line[0, x]
            out[y, x, 1] = line[1, x]
            out[y, x, 2] = line[2, x]


def _compile(function: Callable[..., None], signature: tuple[Any, ...]) -> Kernel:
    try:
        kernel = numba.njit(cache=True, error_model="numpy")(function)
        kernel.compile(signature)
    except Exception:  # noqa: BLE001
        # As in brain/kernel.py: nothing that is wrong with a cache may stop a session.
        kernel = numba.njit(error_model="numpy")(function)
        kernel.compile(signature)
    kernel.disable_compile()
    return cast(Kernel, kernel)


@cache
def load_kernels() -> tuple[Kernel, Kernel]:
    """Return ``_gather`` and ``_expose`` compiled; from numba's cache, or in about 2 s where there is none."""
    number = types.float32
    plane = types.Array(number, 2, "C")
    numbers = types.Array(number, 1, "C")
    gather = (numbers, types.Array(types.int32, 2, "C"), plane, plane, plane)
    expose = (
        plane,
        types.Array(number, 3, "C"),
        plane,
        numbers,
        types.Array(types.uint64, 2, "C"),
        types.uint64,
        number,
        number,
        number,
        number,
        types.Array(types.uint8, 2, "C"),
        types.Array(types.uint8, 3, "C"),
    )
    return _compile(_gather, gather), _compile(_expose, expose)
