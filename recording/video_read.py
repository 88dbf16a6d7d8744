"""A recorded video as a row of images: finished, still growing, or left by a killed process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import SourceError
from core.values import Image
from recording.mkv_index import whole_frames
from recording.problems import FILE_ERRORS, describe
from recording.video_file import VIDEO_SUFFIX, as_os_errors

VIDEO_SUFFIXES = (VIDEO_SUFFIX, ".mp4", ".avi")
"""Files of images that are videos."""
_CURE = "restore it from a copy"


class VideoImages:
    """The frames of a video by index, as an h5py.Dataset of images has them, decoded when they are asked for.

    Ask in rising order: going on costs one frame's decoding each, going back begins again at the first. Whole numbers
    and slices are taken, not lists or masks. Used by one thread; close it.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    shape : tuple of int
        (frames, height, width, 3); of a video that ended before its first frame (0, 0, 0, 3).
    dtype : numpy.dtype
        uint8, or uint16 for lossless video of such frames. Colours are BGR.

    Raises
    ------
    SourceError
        It is no video, or is damaged.
    """

    ndim = 4

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container: Any = None
        self._frames: Iterator[Any] = iter(())
        self._next = 0
        self._image: Image | None = None
        self.dtype: np.dtype[Any] = np.dtype("uint8")
        self.shape = (0, 0, 0, 3)
        # A file that is being written may grow meanwhile: these many stay.
        count = whole_frames(path) if path.suffix.lower() == VIDEO_SUFFIX else _count_packets(path)
        if count:
            self._open(count)

    def __len__(self) -> int:
        """Return how many frames can be read."""
        return self.shape[0]

    def __iter__(self) -> Iterator[Image]:
        """Yield all frames."""
        return (self.get(index) for index in range(len(self)))

    def __getitem__(self, index: int | slice) -> Image:
        """Return a frame, (height, width, 3), or a slice of them, (n, height, width, 3)."""
        if isinstance(index, slice):
            images = [self.get(i) for i in range(*index.indices(len(self)))]
            return np.stack(images) if images else np.empty((0, *self.shape[1:]), self.dtype)
        place = range(len(self))[index]  # negative ones count from the end; raises IndexError
        return self.get(place)

    def get(self, index: int) -> Image:
        """Return frame ``index``, memory that nobody writes to again. Raises SourceError where it cannot be decoded."""
        if self._image is None or index != self._next - 1:
            if index < self._next:
                self._rewind()
            while self._next <= index:
                frame = self._decode()
                self._next += 1
            self._image = self._convert(frame)
        return self._image

    def close(self) -> None:
        """Close the file; twice is allowed."""
        container, self._container = self._container, None
        self._frames = iter(())
        self._image = None
        if container is not None:
            container.close()

    def _open(self, count: int) -> None:
        self._rewind()
        context = self._container.streams.video[0].codec_context
        # Not pix_fmt, which crashes the process where there is none.
        if context.format is not None and context.format.name == "gbrp16le":
            self.dtype = np.dtype("uint16")
        self.shape = (count, int(context.height), int(context.width), 3)

    def _rewind(self) -> None:
        import av

        self.close()
        self._next = 0
        try:
            with as_os_errors():
                container = av.open(str(self._path))
                self._container = container
                if not container.streams.video:
                    raise SourceError(f"{self._path} has no video in it; {_CURE}")
                self._frames = container.decode(video=0)
        except FILE_ERRORS as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"{self._path} is no video, or is damaged ({_words(error)}); {_CURE}") from error

    def _decode(self) -> Any:
        try:
            with as_os_errors():
                return next(self._frames)
        except StopIteration:
            raise SourceError(f"{self._path}: has no frame {self._next + 1} to decode; {_CURE}") from None
        except FILE_ERRORS as error:
            words = _words(error)
            raise SourceError(f"{self._path}: frame {self._next + 1} cannot be decoded ({words}); {_CURE}") from error

    def _convert(self, frame: Any) -> Image:
        if (frame.height, frame.width) != self.shape[1:3]:
            raise SourceError(f"{self._path}: frame {self._next} is of another size; {_CURE}")
        if self.dtype == np.uint16:
            return np.ascontiguousarray(frame.to_ndarray(format="gbrp16le")[:, :, ::-1])
        image: Image = frame.to_ndarray(format="bgr24")
        return image


def is_video(path: Path) -> bool:
    """Return whether a file of images is a video, by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def _count_packets(path: Path) -> int:
    """Return how many frames a finished video holds; it is read once, not decoded."""
    import av

    try:
        with as_os_errors(), av.open(str(path)) as container:
            return sum(packet.size > 0 for packet in container.demux(video=0))
    except FILE_ERRORS as error:
        raise SourceError(describe("read", path, error)) from error


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
