"""Frames of a recorded video as an .mp4 that any player takes, each at its real time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import RecordingError, SourceError
from recording.problems import FILE_ERRORS, describe
from recording.settings import VideoCodec
from recording.video_file import add_video_stream, as_os_errors, video_frame
from recording.video_read import VideoImages

Progress = Callable[[int, int], None]
"""Is told now and then how many of how many images are done; what it raises ends the work."""
_COPIED = frozenset({"h264", "mpeg4"})


def write_mp4(
    source: Path, path: Path, frames: Sequence[int], times_ns: Sequence[int], framerate: float, progress: Progress
) -> None:
    """Write frames of a video as ``path``: copied as they are where they are its first ones, else encoded anew.

    A frame of H.264 cannot be left out without the ones behind it. Frames of 16 bits keep their upper 8.

    Parameters
    ----------
    source : Path
        A recorded video.
    path : Path
        Must not exist.
    frames : sequence of int
        Which frames, rising.
    times_ns : sequence of int
        Their times, rising.
    framerate : float
        Frames per second that a player is told.
    progress : callable
        ``progress(done, total)`` in frames; what it raises ends the writing.

    Raises
    ------
    RecordingError
        ``path`` cannot be written.
    SourceError
        A frame cannot be read.
    """
    try:
        with as_os_errors():
            if list(frames) != list(range(len(frames))) or not _copy(source, path, len(frames), progress):
                _encode(source, path, frames, times_ns, framerate, progress)
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except FILE_ERRORS as error:
        if isinstance(error, (RecordingError, SourceError)):
            raise
        raise RecordingError(describe("write", path, error, chosen=True)) from error


def _copy(source: Path, path: Path, count: int, progress: Progress) -> bool:
    """Copy the first ``count`` frames without decoding them; whether an .mp4 takes their codec."""
    import av

    with av.open(str(source)) as given:
        stream = given.streams.video[0]
        if stream.codec_context.name not in _COPIED or not count:
            return False
        with av.open(str(path), "w", format="mp4") as container:
            copy = container.add_stream_from_template(stream)
            copied = 0
            for packet in given.demux(stream):
                if packet.size and copied < count:
                    packet.stream = copy
                    container.mux(packet)
                    copied += 1
                    progress(copied, count)
    if copied != count:
        raise SourceError(f"{source}: has {copied} frames of {count}; restore it from a copy")
    return True


def _encode(
    source: Path, path: Path, frames: Sequence[int], times_ns: Sequence[int], framerate: float, progress: Progress
) -> None:
    import av

    images = VideoImages(source)
    try:
        with av.open(str(path), "w", format="mp4") as container:
            stream: Any = add_video_stream(container, images.shape[1:], "uint8", VideoCodec.h264, framerate)
            last_ms = -1
            for done, (index, time_ns) in enumerate(zip(frames, times_ns, strict=True), start=1):
                image = images.get(index)
                last_ms = max(round((time_ns - times_ns[0]) / 1e6), last_ms + 1)
                eight = image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)
                container.mux(stream.encode(video_frame(eight, stream.pix_fmt, last_ms)))
                progress(done, len(frames))
            container.mux(stream.encode(None))
    finally:
        images.close()
