"""Pictures that a lossy video keeps apart, and sessions recorded as video."""

import numpy as np

from core.values import Frame
from recording.settings import VideoCodec
from tests.recording.samples import frame_row, make_recorder, timing_row

VIDEO = "behavior_video.mkv"
SHAPE = (64, 96, 3)
STEP_NS = 10_000_000


def picture(number, shape=SHAPE, dtype="uint8"):
    """A picture that tells which one it is, in blocks of which a codec keeps at least the brightness."""
    image = np.zeros(shape, dtype)
    for bit in range(12):
        if number >> bit & 1:
            side = shape[0] // 4
            row, column = divmod(bit, 4)
            image[row * side : (row + 1) * side, column * side : (column + 1) * side] = 200
    return image


def number_of(image):
    """Which one a picture is, after whatever a codec did to it."""
    side = image.shape[0] // 4
    means = [image[r * side : (r + 1) * side, c * side : (c + 1) * side].mean() for r in range(3) for c in range(4)]
    return sum((mean > 100) << bit for bit, mean in enumerate(means))


def write_picture(recorder, number, step_ns=STEP_NS, **changes):
    """Hand over picture ``number``."""
    time_ns = 5_000_000_000 + number * step_ns
    write_row(recorder, frame_row(number, time_ns=time_ns, **changes))


def write_row(recorder, row):
    """Hand over a row and the picture of its number."""
    recorder.write(Frame(picture(row.frame), row.frame, row.time_ns), row, timing_row(row.frame), ())


def make_video_recorder(folder, **changes):
    options = {"image_file": VIDEO, "shape": SHAPE, "video_codec": VideoCodec.h264, "framerate": 100.0, **changes}
    return make_recorder(folder, **options)
