"""Keys of config.ini that the recorder reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Le

from core.keys import Key

# Room on the disk that images leave free: the log of half a day at 15 frames/s, the summary and the figure.
RESERVE_BYTES = 256 << 20


class VideoCodec(Enum):
    """What compresses the behaviour video."""

    h264 = "h264"
    ffv1 = "ffv1"


class DiskFull(Enum):
    """What a session does once its images cannot be recorded any more; its log is either way."""

    go_on = "go_on"
    end = "end"


VIDEO_SHARE = {VideoCodec.h264: 0.1, VideoCodec.ffv1: 0.75}
"""Most that a compressed frame takes of its raw size; chosen as twice what noisy frames took."""


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """Where and what a session records."""

    data_root: Annotated[str, Key("", "Folder under which each mouse has its own; relative to this file.")] = "data"
    raw_image_file: Annotated[str, Key("", "Name of the file of frames in a session folder, .hdf5 or .h5.")] = (
        "image_stream.hdf5"
    )
    video_file: Annotated[str, Key("", "Name of the behaviour video in a session folder, .mkv.")] = "behavior_video.mkv"
    video_codec: Annotated[
        VideoCodec, Key("", "Compression of that video: h264 (small, lossy) or ffv1 (lossless, large).")
    ] = VideoCodec.h264
    record_images: Annotated[bool, Key("", "Whether frames are recorded (0 or 1); the log always is.")] = True
    recorder_buffer_s: Annotated[
        float, Ge(0.5), Le(60), Key("s", "Frames the recorder may lag behind before images are dropped and counted.")
    ] = 4.0
    disk_full: Annotated[
        DiskFull,
        Key(
            "",
            "When images can no longer be recorded (disk nearly full, or an error of their file): go_on without them, "
            "or end after the running trial; the log is kept.",
        ),
    ] = DiskFull.go_on
    summary_file: Annotated[str, Key("", "Table (.csv) with a row per session, inside data_root.")] = (
        "expt_trial_summary.csv"
    )
