"""Frames with coloured discs, for what looks at frames; recorded sessions with poses, made in memory."""

import numpy as np

from recording.recorded import RecordedSession
from recording.tables import FrameTable, floats, integers, no_timing, texts

GREEN, RED, WHITE = (40, 200, 40), (30, 30, 220), (255, 255, 255)
"""BGR."""
FUR = (70, 80, 90)


def disc(image, column, row, radius, colour, finer=8):
    """Draw a disc, its edge as a camera would see it: each pixel by the share of it that is covered."""
    height, width, _ = image.shape
    ys = (np.arange(height * finer) + 0.5) / finer - 0.5
    xs = (np.arange(width * finer) + 0.5) / finer - 0.5
    inside = (xs[None, :] - column) ** 2 + (ys[:, None] - row) ** 2 <= radius**2
    share = inside.reshape(height, finer, width, finer).mean(axis=(1, 3))[:, :, None]
    image[...] = np.rint(image * (1 - share) + np.array(colour) * share).astype(np.uint8)
    return image


def fur(height, width):
    """A frame without markers."""
    return np.full((height, width, 3), FUR, np.uint8)


def recorded(names, numbers, parts, reasons=None):
    """A session of these parts, (rows, names), with nothing else of interest in it."""
    rows = len(numbers)
    empty, zeros = [""] * rows, integers([0] * rows)
    table = FrameTable(
        frame=integers(numbers),
        time_ns=integers(numbers),
        sensor_ns=zeros,
        dropped=zeros,
        image=zeros,
        signal=floats([0.0] * rows),
        parts=np.array(parts, np.float64).reshape(rows, len(names)),
        valid=zeros.astype(bool),
        reason=texts(reasons or empty),
        threshold=floats([0.0] * rows),
        freq_hz=floats([0.0] * rows),
        phase=texts(empty),
        trial=zeros,
        audio=zeros,
        outcome=zeros,
        water=zeros,
        licks=zeros,
    )
    return RecordedSession(None, {}, tuple(names), table, no_timing(), (), None)
