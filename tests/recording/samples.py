"""Rows, images and recorded sessions for the tests of recording."""

import numpy as np

from core.values import Frame
from recording.recorder import Recorder
from recording.schema import EventRow, FrameRow, TimingRow

SHAPE = (8, 6, 3)
NAMES = ("BC_L", "BC_R")
FRAME_NS = 66_666_667


def image(number, shape=SHAPE, dtype="uint8"):
    """An image that tells which one it is."""
    return np.full(shape, number % 251, dtype)


def frame_row(number, **changes):
    row = FrameRow(
        frame=number,
        time_ns=5_000_000_000 + number * FRAME_NS,
        sensor_ns=number * FRAME_NS,
        dropped=0,
        image=-1,
        signal=0.1 / number,
        parts=(1 / 3 / number, -2e-17 * number),
        valid=number > 2,
        reason="" if number > 2 else "warm-up",
        threshold=0.075,
        freq_hz=1189.2071150027211,
        phase="trial" if number % 10 > 3 else "rest",
        trial=number // 10 + 1 if number % 10 > 3 else 0,
        audio=int(number % 10 > 3),
        outcome=(1 if number % 20 == 9 else -1) if number % 10 == 9 else 0,
        water=int(number % 20 == 9),
        licks=number % 2,
    )
    return row._replace(**changes)


def timing_row(number):
    return TimingRow(number, 10 * number, 10 * number + 1, 10 * number + 2, 10 * number + 3)


def event_row(number, kind="lick", detail=""):
    return EventRow(5_000_000_000 + number * FRAME_NS, kind, 0, detail)


def write_frame(recorder, number, events=(), shape=SHAPE, dtype="uint8", **changes):
    picture = image(number, shape, dtype)
    frame = Frame(picture, number, 5_000_000_000 + number * FRAME_NS)
    recorder.write(frame, frame_row(number, **changes), timing_row(number), events)


def make_recorder(folder, **changes):
    options = {"image_file": "image_stream.hdf5", "record_images": True, "slots": 8, "wait": True, "reserve_bytes": 0}
    options.update(changes)
    shape = options.pop("shape", SHAPE)
    dtype = options.pop("dtype", "uint8")
    return Recorder(folder, shape, dtype, options.pop("names", NAMES), **options)


def same(a, b):
    """Whether two values are equal, NaN to NaN, through tuples."""
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b or (a != a and b != b)
