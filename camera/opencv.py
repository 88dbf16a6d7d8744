"""OpenCV, imported where it is first used, without the lines it prints of its own."""

from __future__ import annotations

import os
from types import ModuleType

_FFMPEG_QUIET = "-8"  # AV_LOG_QUIET
_OPENCV_SILENT = 0  # cv::utils::logging::LOG_LEVEL_SILENT


def load_cv2() -> ModuleType:
    """Import cv2 and return it.

    FFmpeg and OpenCV print what they think of a damaged file on stderr; what is wrong with it is said by our errors. To
    see their lines set ``OPENCV_LOG_LEVEL`` and ``OPENCV_FFMPEG_LOGLEVEL``, which are left alone. FFmpeg's is read
    once, when the first video is opened. libpng, libjpeg and libtiff have no such switch.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _FFMPEG_QUIET)
    import cv2

    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.setLogLevel(_OPENCV_SILENT)
    module: ModuleType = cv2
    return module
