"""Frames, ROIs and streams of frame times for the tests of dF/F."""

import numpy as np
from hypothesis import strategies as st

from brain.dff import StreamingDff
from brain.settings import DffMode, DffSettings
from roi_manager import Circle, Polygon, Rect

HEIGHT, WIDTH = 12, 20
FRAME_SHAPE = (HEIGHT, WIDTH, 3)
RATE = 20.0
PERIOD = 50_000_000
SHAPES = [
    Rect(0, 0, WIDTH, HEIGHT),
    Rect(3, 2, 9, 4),
    Rect(19, 11, 1, 1),
    Circle(10, 6, 4.2),
    Polygon(((1, 1), (18.5, 2), (9, 11))),
    Polygon(((0, 0), (4, 0), (4, 8), (8, 8), (8, 0), (12, 0), (12, 12), (0, 12))),
]


def make(shapes, history=0.5, mode=DffMode.green_minus_blue, dtype="uint8", rate=RATE):
    return StreamingDff(shapes, DffSettings(history, mode), rate, FRAME_SHAPE, dtype)


def make_images(seed, count, dtype="uint8", low=40, high=200):
    return np.random.default_rng(seed).integers(low, high, (count, *FRAME_SHAPE), dtype=dtype)


@st.composite
def streams(draw):
    """Frame times: a few stretches, each with a rate of its own, jitter, dropped frames and a gap before it."""
    times, now = [], draw(st.integers(-(10**9), 10**18))
    for _ in range(draw(st.integers(1, 4))):
        period = draw(st.sampled_from([PERIOD // 3, PERIOD, PERIOD * 2]))
        now += draw(st.sampled_from([1, period, 4 * period, 10**9]))
        jitter = draw(st.sampled_from([0, period // 10]))
        for step in draw(st.lists(st.integers(1, 3) | st.just(1), max_size=40)):
            times.append(now + (jitter if len(times) % 3 else 0))
            now += step * period
    return times
