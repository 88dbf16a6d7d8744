"""The behaviour video while it grows: Matroska, each frame on disk before the next one but one.

A frame is a cluster of its own, so that whoever kills this process takes the last frame at most; a decoder plays such
a file as far as it goes. The muxer keeps a cluster until the next begins, hence ``flushed`` is one less than ``count``.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import RecordingError
from core.values import Image
from recording.mkv_index import whole_frames
from recording.problems import FILE_ERRORS
from recording.settings import VideoCodec

VIDEO_SUFFIX = ".mkv"
MS = Fraction(1, 1000)
"""Unit of a frame's time in the video, s; Matroska's own. frames.csv has the exact ns."""
X264_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "crf": "18"}
"""Chosen because 1 ms of one core per 640x320 frame leaves the others to inference; tune gives no frame back late."""
FFV1_OPTIONS = {"level": "3", "slices": "4", "slicecrc": "1"}
_MUXER = {"cluster_time_limit": "0", "flush_packets": "1"}


class VideoFile:
    """A video file that grows by whole frames. ``append``, ``flush`` and ``close`` raise one of FILE_ERRORS.

    Parameters
    ----------
    path : Path
        Must not exist.
    shape : tuple of int
        (height, width, 3).
    dtype : str
        ``"uint8"``; with ffv1 also ``"uint16"``.
    codec : VideoCodec
    framerate : float
        Frames per second to expect, for players; each frame keeps its own time.

    Attributes
    ----------
    count : int
        Frames handed to the encoder.
    flushed : int
        Frames that survive this process.
    """

    def __init__(
        self, path: Path, shape: tuple[int, int, int], dtype: str, codec: VideoCodec, framerate: float = 30.0
    ) -> None:
        import av

        check_video_frames(codec, dtype)
        self.path = path
        self.count = 0
        self.flushed = 0
        self._first_ns = 0
        self._last_ms = -1
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
        with as_os_errors():
            self._container: Any = av.open(str(path), "w", format="matroska", options=dict(_MUXER))
            self._stream: Any = add_video_stream(self._container, shape, dtype, codec, framerate)
            self._container.start_encoding()

    def append(self, image: Image, time_ns: int) -> int:
        """Write an image, (height, width, 3) BGR, captured at ``time_ns``; return its index.

        Its time in the video is that of the first frame's capture onwards, in whole ms, and 1 ms later than that of
        the frame before it at least, since a container takes no time twice.
        """
        if not self.count:
            self._first_ns = time_ns
        self._last_ms = max(round((time_ns - self._first_ns) / 1e6), self._last_ms + 1)
        with as_os_errors():
            for packet in self._stream.encode(video_frame(image, self._stream.pix_fmt, self._last_ms)):
                self._container.mux(packet)
        self.flushed = self.count
        self.count += 1
        return self.count - 1

    def flush(self) -> None:
        """Do nothing: all frames but the last are out already, and that one comes with the next."""

    def close(self) -> int:
        """Close the file, open it again and count its frames."""
        with as_os_errors():
            for packet in self._stream.encode(None):
                self._container.mux(packet)
            self._container.close()
        self.flushed = whole_frames(self.path)
        return self.flushed

    def give_up(self) -> int:
        """After an error: close as well as can be, return how many frames can be read."""
        with contextlib.suppress(*FILE_ERRORS), as_os_errors():
            self._container.close()
        with contextlib.suppress(*FILE_ERRORS):
            return min(self.count, whole_frames(self.path))
        return self.flushed


def check_video_frames(codec: VideoCodec, dtype: str) -> None:
    """Raise RecordingError where a codec cannot keep frames of a type."""
    if codec is VideoCodec.h264 and dtype != "uint8":
        raise RecordingError(
            f"video_codec = h264 keeps 8 bits per channel and the frames are {dtype}; set video_codec = ffv1"
        )


def add_video_stream(
    container: Any, shape: tuple[int, int, int], dtype: str, codec: VideoCodec, framerate: float
) -> Any:
    """Return a new stream of a container open for writing, whose encoder gives each frame back at once.

    H.264 has colours at half the resolution (4:2:0), which every player takes; that needs even sides, so that frames
    with an odd one have them at the full (4:4:4). FFV1 keeps every value.
    """
    h264 = codec is VideoCodec.h264
    rate = Fraction(framerate).limit_denominator(1000)
    stream = container.add_stream(
        "libx264" if h264 else "ffv1",
        rate=rate,
        options={**X264_OPTIONS, "g": str(max(1, round(framerate)))} if h264 else FFV1_OPTIONS,
    )
    stream.height, stream.width = shape[:2]
    even = shape[0] % 2 == 0 and shape[1] % 2 == 0
    stream.pix_fmt = ("yuv420p" if even else "yuv444p") if h264 else "bgr0" if dtype == "uint8" else "gbrp16le"
    stream.codec_context.time_base = MS
    # More threads gain nothing at such sizes, and would hold frames back.
    stream.codec_context.thread_count = 1
    return stream


def video_frame(image: Image, pixels: str, time_ms: int) -> Any:
    """Return an image, (height, width, 3) BGR, as a frame of the pixel format of ``add_video_stream``."""
    import av
    import cv2

    if pixels == "yuv420p":
        # FFmpeg's own conversion takes ten times as long, and makes the image 1 to 4 values darker.
        planes: Any = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2YUV_I420)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    elif pixels == "gbrp16le":
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:, :, ::-1]), format="gbrp16le")
    else:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24").reformat(format=pixels)
    frame.pts = time_ms
    frame.time_base = MS
    return frame


@contextlib.contextmanager
def as_os_errors() -> Iterator[None]:
    """Turn what FFmpeg raises into OSError, with its number where it has one of the system's."""
    import av

    try:
        yield
    except av.FFmpegError as error:
        number = error.errno if error.errno in errno.errorcode else errno.EIO
        raise OSError(number, error.strerror) from error
