"""A session as it was recorded: its rows in memory, its images in a file that is opened when they are asked for."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from core.errors import SourceError
from recording import schema
from recording.hdf5 import open_finished, open_growing
from recording.hdf5_index import misplaced
from recording.problems import FILE_ERRORS, describe
from recording.schema import EventRow, InputRow, MissingRow
from recording.tables import FrameTable, TimingTable
from recording.video_read import VideoImages, is_video

DEFAULT_IMAGE_FILE = "image_stream.hdf5"
DEFAULT_VIDEO_FILE = "behavior_video.mkv"


class RecordedSession:
    """A session as it was recorded. Close it, or use it in ``with``, when its images were opened.

    Parameters
    ----------
    folder : Path
        The session folder.
    meta : dict
        session.json, empty where there is none.
    names : tuple of str
        Names of the columns of ``frames.parts``.
    frames : FrameTable
    timing : TimingTable
        Without rows in CLoPy's sessions.
    events : tuple of EventRow
        In CLoPy's sessions those that its log tells of.
    image_path : Path
        The file of images; may be missing.
    inputs : tuple of InputRow or None
        None where they were not recorded: CLoPy's sessions, and those from before there was inputs.csv.
    missing : tuple of MissingRow or None
        As ``inputs``; a row per number.
    """

    def __init__(
        self,
        folder: Path,
        meta: dict[str, Any],
        names: tuple[str, ...],
        frames: FrameTable,
        timing: TimingTable,
        events: tuple[EventRow, ...],
        image_path: Path,
        inputs: tuple[InputRow, ...] | None = None,
        missing: tuple[MissingRow, ...] | None = None,
    ) -> None:
        self.folder = folder
        self.meta = meta
        self.part_names = names
        self.frames = frames
        self.timing = timing
        self.events = events
        self.image_path = image_path
        self.inputs = inputs
        self.missing = missing
        self._file: Any = None

    @property
    def has_images(self) -> bool:
        """Whether there is a file of images."""
        return self.image_path.is_file()

    def images(self) -> Any:
        """Open the images, nothing being read yet.

        Returns
        -------
        h5py.Dataset or VideoImages, (frames, height, width, 3) uint8 or uint16
            Row ``i`` of ``frames`` has image ``frames.image[i]``, none where that is -1. Valid until ``close``. A video
            is best read in rising order; see ``VideoImages``.

        Raises
        ------
        SourceError
            The session has none, or the file cannot be read.
        """
        if self._file is None:
            self._file = open_images(self.image_path)
        return self._file if isinstance(self._file, VideoImages) else self._file[schema.IMAGES]

    def close(self) -> None:
        """Close the images; twice is allowed."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> RecordedSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_images(path: Path) -> Any:
    """Open a file of images for reading: finished, still growing, or left by a killed process.

    Returns
    -------
    h5py.File or VideoImages
        The file with the dataset ``raw_images``; a video by itself.

    Raises
    ------
    SourceError
        It is missing, is neither HDF5 nor a video, or has no ``raw_images`` of four dimensions.
    """
    if not path.is_file():
        raise SourceError(f"{path} does not exist; the session recorded no images, or they are stored elsewhere")
    if is_video(path):
        return VideoImages(path)
    try:
        file = open_finished(path)
    except FILE_ERRORS:
        # Marked as open for writing: its writer is at work, or was killed.
        try:
            file = open_growing(path)
        except FILE_ERRORS as error:
            raise SourceError(describe("read", path, error)) from error
    dataset = file.get(schema.IMAGES)
    if getattr(dataset, "ndim", 0) != 4:
        file.close()
        raise SourceError(f"{path} has no dataset {schema.IMAGES} (frames, height, width, 3); it is not a recording")
    return file


def is_clopys(session: RecordedSession) -> bool:
    """Return whether a session was read from CLoPy's files."""
    return session.meta.get("format") == "clopy"


def check_order(session: RecordedSession) -> None:
    """Raise SourceError where a frame is not after the one before: no session records such, so its log was changed."""
    table = session.frames
    for name, values in (("frame", table.frame), ("time_ns", table.time_ns)):
        wrong = np.flatnonzero(values[1:] <= values[:-1])
        if len(wrong):
            row = int(wrong[0]) + 1
            raise SourceError(
                f"{session.folder / schema.FRAMES_CSV} line {row + 2}: {name} {values[row]} is not after "
                f"{values[row - 1]}, that of the line before; restore it from a copy"
            )


def check_rows(session: RecordedSession) -> None:
    """Raise SourceError where the log of a session of ours is out of order, or another than it was when it closed."""
    if is_clopys(session):
        return
    check_order(session)
    counted = _counted(session, "frames")
    if counted not in (None, len(session.frames)):
        raise SourceError(
            f"{session.folder / schema.FRAMES_CSV}: has {len(session.frames)} frames of the {counted} that "
            "session.json counts; restore it from a copy, or give another session"
        )


def check_end(session: RecordedSession) -> None:
    """Raise SourceError where a session of ours that ended in order lacks rows of its events, or of its host's times.

    One that was recovered may have lost them with its recorder.
    """
    outcome = session.meta.get("outcome")
    if is_clopys(session) or outcome == "recovered" or _counted(session, "frames") is None:
        return
    if not any(event.kind == "session_end" for event in session.events):
        raise SourceError(
            f"{session.folder / schema.EVENTS_CSV} has no session_end, while the session ended in order ({outcome}): "
            "its last rows are gone; restore it from a copy"
        )
    if len(session.timing) not in (0, len(session.frames)):
        raise SourceError(
            f"{session.folder / schema.TIMING_CSV} has {len(session.timing)} rows for {len(session.frames)} frames; "
            "restore it from a copy"
        )


def _counted(session: RecordedSession, key: str) -> int | None:
    """Return what a session counted when it was closed; None where that is not known.

    One that failed may have done so before its last rows were written.
    """
    counts = session.meta.get("counts")
    counted = counts.get(key) if isinstance(counts, dict) else None
    closed = session.meta.get("outcome") not in schema.RECOVERABLE
    return counted if closed and isinstance(counted, int) else None


def check_images(session: RecordedSession) -> None:
    """Raise SourceError where the file of images is damaged, which would else be met in the middle of the work.

    A session that was closed has as many images as it counted then. Of HDF5 the whole index of the images is read; of
    a session that was not closed where rows name some: its file may have been begun only.
    """
    if not session.has_images:
        return
    counted = _counted(session, "images")
    if counted is not None:
        if (there := count_images(session)) < counted:
            raise SourceError(
                f"{session.image_path}: damaged; {there} of its {counted} images can be read; restore it from a copy"
            )
    elif session.frames.image.max(initial=-1) < 0:
        return
    images = session.images()
    if not isinstance(images, VideoImages) and images.chunks is not None:
        try:
            images.id.get_num_chunks()
        except FILE_ERRORS as error:
            cause = str(error).partition("\n")[0]
            raise SourceError(f"{session.image_path}: is damaged ({cause}); restore it from a copy") from error


def check_all_images(session: RecordedSession) -> None:
    """Raise SourceError as ``check_images``, and where an image that a row names does not lie whole in an HDF5 file.

    HDF5 itself gives zeros for it.
    """
    check_images(session)
    named = int(session.frames.image.max(initial=-1)) + 1
    if not (named and session.has_images) or is_video(session.image_path):
        return
    last = min(count_images(session), named) - 1
    if wrong := misplaced(session.images(), 0, last, session.image_path.stat().st_size):
        recover = ", or try `rigloop recover`" if session.meta.get("outcome") in schema.RECOVERABLE else ""
        raise SourceError(f"{session.image_path}: is damaged ({wrong}); restore it from a copy{recover}")


def count_images(session: RecordedSession) -> int:
    """Return how many images of ``session`` can be read, 0 where it has no file. Raises SourceError."""
    if not session.has_images:
        return 0
    try:
        return int(session.images().shape[0])
    except FILE_ERRORS as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(describe("read", session.image_path, error)) from error
